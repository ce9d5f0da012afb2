"""What a feature is: a value with the facts it came from, or unknown with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from app.chart import Chart, DateRange

Value = bool | Decimal | str | frozenset[str]
"""Truth, a number in the unit of the feature, a word of a closed list, or a set of words."""


class Kind(StrEnum):
    """The type of a feature's value, which decides what a criterion may ask of it."""

    TRUTH = "truth"
    NUMBER = "number"
    WORD = "word"
    WORDS = "words"


class Evidence(Struct, frozen=True, gc=False):
    """One fact behind a value: what a clinician needs to find it again in the chart.

    `feature` is the name under which it is told on the card; `value` is as recorded, in `unit`.
    """

    feature: str
    value: bool | Decimal | str | None = None
    unit: str | None = None
    date: DateRange | None = None
    resource: str | None = None
    note: str | None = None  # "read from text", "mechanism not recorded - confirm", "Cockcroft-Gault from ..."


class Feature(Struct, frozen=True, gc=False):
    """A feature of one patient; its name is the one by which it was asked for.

    Known: `value` is set. Unknown: `value` is None, `why_unknown` says why in one phrase, and `missing` names the
    data that would settle it (names of features or data elements; they become `missing` of a card).
    A number can be known as an interval only (`low`..`high`, partial dates, ">90"): then `value` is None, the ends
    that are known are set, and a criterion is decided where the whole interval lies on one side of its limit.
    `low_open`/`high_open`: the end itself is excluded.
    """

    value: Value | None = None
    evidence: tuple[Evidence, ...] = ()
    why_unknown: str | None = None
    missing: tuple[str, ...] = ()
    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False

    @property
    def known(self) -> bool:
        """Whether the value is known exactly."""
        return self.value is not None


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """The catalogue entry of a feature."""

    name: str
    kind: Kind
    meaning: str  # one sentence, for the catalogue and the cards' fallback wording
    unit: str | None = None
    words: frozenset[str] = field(default_factory=frozenset)  # allowed values of WORD and WORDS
    reads: tuple[str, ...] = ()  # prefetch keys it needs, for data-needed texts


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """Readings that a hospital can change (decisions.md 6, 9, 34, 35); each default has its reason there."""

    max_age_months: dict[str, int] = field(
        default_factory=lambda: {
            "renal": 12,
            "calcium": 12,
            "t_score": 36,
            "weight": 24,
            "frax": 24,
            "vitamin_d": 12,
            "laboratory": 12,
        }
    )
    postmenopausal_from_age: int = 65
    elderly_from_age: int = 65
    orthogeriatric_from_age: int = 75
    active_record_months: int = 15
    zoledronate_lab_days: int = 30
    new_fracture_months: int = 12
    least_significant_change_percent: Decimal | None = None


class FeatureContext(Protocol):
    """What a feature function may look at: the chart, the settings, and other features by name."""

    @property
    def chart(self) -> Chart:
        """The facts."""

    @property
    def settings(self) -> FeatureSettings:
        """The readings that a hospital can change."""

    @property
    def today(self) -> date:
        """The day of the request in the service's time zone."""

    def feature(self, name: str) -> Feature:
        """Another feature of the same patient, computed at most once."""


Compute = Callable[[FeatureContext], Feature]
