"""What a feature function may look at, with the facts of the chart indexed by concept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from app.chart import ConditionFact, CourseFact, ObservationFact, ProcedureFact
from app.features.model import FeatureContext


class Context(FeatureContext, Protocol):
    """A `FeatureContext` that finds facts by concept id without scanning the chart.

    `memo` keeps what several features derive from the same facts, for as long as the patient.
    """

    memo: dict[str, Any]

    def observations(self, *concepts: str) -> Sequence[ObservationFact]:
        """The observations with any of the concepts, newest first, undated last."""

    def conditions(self, *concepts: str) -> Sequence[ConditionFact]:
        """The conditions with any of the concepts, newest onset first."""

    def procedures(self, *concepts: str) -> Sequence[ProcedureFact]:
        """The procedures with any of the concepts, newest first."""

    def courses(self, drug: str) -> Sequence[CourseFact]:
        """The courses of a drug or of a class of drugs as the chart names it, newest start first."""
