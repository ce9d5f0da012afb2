"""The features of one patient: computed once, on first use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from functools import cache
from importlib import import_module
from operator import attrgetter
from typing import Any

from app.chart import Chart, ConditionFact, CourseFact, ObservationFact, ProcedureFact, UnusableValue
from app.features.catalogue import Catalogue, registered
from app.features.fact_index import (
    FactIndex,
    newest_observations,
    ordered_conditions,
    ordered_courses,
    ordered_procedures,
)
from app.features.model import Evidence, Feature, FeatureCycle, Features, FeatureSettings, Memo
from app.features.notes import is_out_of_date
from app.features.untouched import UntouchedMemo, present_in

DOMAINS = (
    "bone.back_pain",
    "bone.density",
    "bone.dxa",
    "bone.fractures",
    "bone.fractures_on_treatment",
    "bone.frax",
    "bone.spinal_emergency",
    "drugs.calcium_supplements",
    "drugs.draft_orders",
    "drugs.exposure",
    "drugs.glucocorticoids",
    "drugs.history",
    "drugs.use",
    "history.care_wishes",
    "history.diagnoses",
    "history.family",
    "history.lifestyle",
    "history.stated_findings",
    "laboratory.bone_turnover",
    "laboratory.calcium",
    "laboratory.kidney",
    "laboratory.values",
    "person.body_measures",
    "person.demographics",
)
"""The modules that define features; importing one registers its features."""


_UNTOUCHED = UntouchedMemo()


@cache
def catalogue() -> Catalogue:
    """The catalogue of all features, built at the first call."""
    for domain in DOMAINS:
        import_module(f"app.features.{domain}")
    return registered()


class PatientFeatures:
    """The features of one chart, each computed on first use; implements `Features`."""

    def __init__(self, chart: Chart, settings: FeatureSettings | None = None) -> None:
        self.chart = chart
        self.settings = settings or FeatureSettings()
        self._catalogue = catalogue()
        self.memos: dict[Memo[Any, Any], dict[Any, Any]] = {}
        self._running: list[str] = []
        self._open: list[Feature] = []  # not known, and something is on record of them
        concepts, drugs = attrgetter("concepts"), attrgetter("drugs")
        self._observations = FactIndex(chart.observations, concepts, newest_observations)
        self._conditions = FactIndex(chart.conditions, concepts, ordered_conditions)
        self._procedures = FactIndex(chart.procedures, concepts, ordered_procedures)
        self._courses = FactIndex(chart.courses, drugs, ordered_courses)
        self._unusable = FactIndex(chart.unusable, concepts, tuple)
        indexes = (self._observations, self._conditions, self._procedures, self._courses, self._unusable)
        self._present = present_in(chart).union(*(index.concepts for index in indexes))
        self._untouched = _UNTOUCHED.answers(chart, self.settings, self._catalogue.compute)
        self._done = self._untouched.features_without(self._present)
        self._truths = self._untouched.truths_without(self._present)  # by the identity of the criterion

    @property
    def today(self) -> date:
        """The day of the request in the service's time zone."""
        return self.chart.today

    def feature(self, name: str) -> Feature:
        """The feature of that name (UnknownFeature, FeatureCycle)."""
        done = self._done.get(name)
        return self._found(name) if done is None else done

    def _found(self, name: str) -> Feature:
        untouched = self._untouched.feature(name)
        if self._present.isdisjoint(untouched.looked_at):
            result = self._done[name] = untouched.answer
            return result
        if name in self._running:
            raise FeatureCycle(" -> ".join([*self._running, name]))
        self._running.append(name)
        try:
            result = self._done[name] = self._catalogue.compute(self, name)
        finally:
            self._running.pop()
        if result.value is None and result.evidence:
            self._open.append(result)
        return result

    def settled(self, criterion: object, decide: Callable[[Features], bool | None]) -> bool | None:
        """The truth of a criterion or recommendation, which `decide` works out; at most once."""
        key = id(criterion)
        if key not in self._truths:
            untouched = self._untouched.truth(criterion, decide)
            apart = self._present.isdisjoint(untouched.looked_at)
            self._truths[key] = untouched.answer if apart else decide(self)
        return self._truths[key]

    def shown_for(self, missing: Collection[str]) -> tuple[Evidence, ...]:
        """What is on record of data that are missing: values too old, and an eGFR where a clearance is missing.

        An older value is shown with its date and requested again (decisions 9 and 23).
        """
        wanted = frozenset(missing)
        asked = [f for f in self._open if not wanted.isdisjoint(f.missing)]
        return tuple(
            dict.fromkeys(e for f in asked for e in f.evidence if is_out_of_date(e.notes) or e.feature == "egfr")
        )

    def observations(self, *concepts: str) -> Sequence[ObservationFact]:
        """The observations with any of the concepts, newest first, undated last."""
        return self._observations.having(concepts)

    def conditions(self, *concepts: str) -> Sequence[ConditionFact]:
        """The conditions with any of the concepts, newest onset first, undated last."""
        return self._conditions.having(concepts)

    def procedures(self, *concepts: str) -> Sequence[ProcedureFact]:
        """The procedures with any of the concepts, newest first, undated last."""
        return self._procedures.having(concepts)

    def courses(self, *drugs: str) -> Sequence[CourseFact]:
        """The courses of any of the drugs or classes, newest start first, without start last."""
        return self._courses.having(drugs)

    def unusable(self, *concepts: str) -> Sequence[UnusableValue]:
        """The values with any of the concepts that could not be used, in the order of the chart."""
        return self._unusable.having(concepts)
