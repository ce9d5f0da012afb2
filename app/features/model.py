"""What a feature is: a value with the facts it came from, or unknown with the reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from app.chart import Chart, ConditionFact, CourseFact, DateRange, ObservationFact, ProcedureFact, UnusableValue
from app.features.notes import Note, NoteCode, Notes, note

Value = bool | Decimal | str | frozenset[str]
"""Truth, a number in the unit of the feature, a word of a closed list, or a set of words."""


class Kind(StrEnum):
    """The type of a feature's value, which decides which criteria may use it."""

    TRUTH = "truth"
    NUMBER = "number"
    WORD = "word"
    WORDS = "words"


class Evidence(Struct, frozen=True, gc=False):
    """One fact behind a value: what a clinician needs to find it again in the chart.

    `feature` is the name by which the card shows it; `value` is as recorded, in `unit`.
    """

    feature: str
    value: bool | Decimal | str | None = None
    unit: str | None = None
    date: DateRange | None = None
    resource: str | None = None
    notes: Notes = ()
    substance: str | None = None  # where `value` names a drug: what it is (`substance_of`)


class Feature(Struct, frozen=True, gc=False):
    """A feature of one patient; its name is the one that the caller used.

    Known: `value` is set. Unknown: `value` is None, `why_unknown` is the reason in one phrase, and `missing` names the
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
    emergency_days: int = 14  # decision 38
    new_fracture_months: int = 12
    least_significant_change_percent: Decimal | None = None


class FeatureCycle(RuntimeError):
    """Two features ask for each other: a fault in the feature functions, never of the data."""


K = TypeVar("K")
T = TypeVar("T")


class Memo(Generic[K, T]):
    """Values derived from the facts of one patient, by key, for those who ask for them repeatedly.

    Each memo has a table of its own: no key of one can be taken for a key of another.
    """

    def of(self, features: Features) -> dict[K, T]:
        """The values of this patient so far."""
        kept: dict[K, T] | None = features.memos.get(self)
        if kept is None:
            kept = features.memos[self] = {}
        return kept


class Features(Protocol):
    """What feature functions and criteria may look at: the chart, its facts by concept, and other features by name.

    `memos` holds what is derived from the facts, for as long as the patient; only a `Memo` reads and writes it.
    """

    memos: dict[Memo[Any, Any], dict[Any, Any]]

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

    def settled(self, criterion: object, decide: Callable[[Features], bool | None]) -> bool | None:
        """The truth of a criterion, which `decide` works out; at most once for a patient."""

    def shown_for(self, missing: Collection[str]) -> tuple[Evidence, ...]:
        """Recorded values of missing data that cannot be used: too old, or of a kind that does not decide."""

    def observations(self, *concepts: str) -> Sequence[ObservationFact]:
        """The observations with any of the concepts, newest first, undated last."""

    def conditions(self, *concepts: str) -> Sequence[ConditionFact]:
        """The conditions with any of the concepts, newest onset first."""

    def procedures(self, *concepts: str) -> Sequence[ProcedureFact]:
        """The procedures with any of the concepts, newest first."""

    def courses(self, *drugs: str) -> Sequence[CourseFact]:
        """The courses of any of the drugs or classes, as the chart names them, newest start first."""

    def unusable(self, *concepts: str) -> Sequence[UnusableValue]:
        """The values with any of the concepts that could not be used."""


Compute = Callable[[Features], Feature]


NEVER = Decimal("Infinity")
"""Months since something that is not on record: longer ago than every limit."""


_NONE_ON_RECORD = Feature(False)


def known(value: Value, evidence: Iterable[Evidence] = ()) -> Feature:
    """A feature with a value."""
    return Feature(value, tuple(evidence))


def unknown(why: str, *missing: str, evidence: Iterable[Evidence] = ()) -> Feature:
    """A feature without a value: why, and the data that would settle it."""
    return Feature(None, tuple(evidence), why, missing)


def none_on_record() -> Feature:
    """The list of records was provided and holds no such record."""
    return _NONE_ON_RECORD


def never() -> Feature:
    """A time since an event that is not on record though its list was provided: beyond every limit."""
    return Feature(low=NEVER, why_unknown="none on record")


def interval(
    low: Decimal | None,
    high: Decimal | None,
    evidence: Iterable[Evidence] = (),
    *,
    missing: tuple[str, ...] = (),
    why: str = "date known only in part",
    low_open: bool = False,
    high_open: bool = False,
) -> Feature:
    """A number between two ends; known where they meet."""
    if low is not None and low == high:
        return known(low, evidence)
    return Feature(
        evidence=tuple(evidence),
        why_unknown=why,
        missing=missing,
        low=low,
        high=high,
        low_open=low_open,
        high_open=high_open,
    )


def any_of(parts: Iterable[Feature]) -> Feature:
    """Kleene's "or": true if one is true, false if all are false, else unknown."""
    all_parts = tuple(parts)
    holding = [part for part in all_parts if part.value is True]
    if holding:
        return known(True, _joined(holding))
    open_parts = [part for part in all_parts if not part.known]
    if open_parts:
        return _open(open_parts)
    return known(False, _joined(all_parts))


def all_of(parts: Iterable[Feature]) -> Feature:
    """Kleene's "and": false if one is false, true if all are true, else unknown."""
    all_parts = tuple(parts)
    failing = [part for part in all_parts if part.value is False]
    if failing:
        return known(False, _joined(failing))
    open_parts = [part for part in all_parts if not part.known]
    if open_parts:
        return _open(open_parts)
    return known(True, _joined(all_parts))


def negated(part: Feature) -> Feature:
    """Kleene's "not"."""
    return known(not part.value, part.evidence) if part.known else part


def truth(answer: bool | None, why: str, *missing: str, evidence: Iterable[Evidence] = ()) -> Feature:
    """A truth value that may be undecided."""
    if answer is None:
        return unknown(why, *missing, evidence=evidence)
    return known(answer, evidence)


def at_most(number: Feature, limit: Decimal | int) -> Feature:
    """Whether a number is at most a limit, over its interval."""
    if isinstance(number.value, Decimal):
        return known(number.value <= limit, number.evidence)
    if number.high is not None and number.high <= limit:
        return known(True, number.evidence)
    if number.low is not None and (number.low > limit or (number.low == limit and number.low_open)):
        return known(False, number.evidence)
    return unknown(number.why_unknown or "not known", *number.missing, evidence=number.evidence)


def below(number: Feature, limit: Decimal | int) -> Feature:
    """Whether a number is below a limit, over its interval."""
    if isinstance(number.value, Decimal):
        return known(number.value < limit, number.evidence)
    if number.high is not None and (number.high < limit or (number.high == limit and number.high_open)):
        return known(True, number.evidence)
    if number.low is not None and number.low >= limit:
        return known(False, number.evidence)
    return unknown(number.why_unknown or "not known", *number.missing, evidence=number.evidence)


def _joined(parts: Iterable[Feature]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part.evidence))


def _open(parts: list[Feature]) -> Feature:
    missing = dict.fromkeys(name for part in parts for name in part.missing)
    why = next((part.why_unknown for part in parts if part.why_unknown), "not known")
    return unknown(why, *missing, evidence=_joined(parts))


def observed(feature: str, fact: ObservationFact, *remarks: Note) -> Evidence:
    """The evidence for a value that was observed."""
    value: bool | Decimal | str | None = fact.value if fact.value is not None else fact.boolean
    if value is None and fact.answer:
        value = ", ".join(sorted(fact.answer))
    if value is None:
        value = fact.text
    elif fact.comparator and fact.value is not None:
        value = f"{fact.comparator}{fact.value}"
    notes = remarks
    if fact.preliminary:
        notes += (note(NoteCode.PRELIMINARY),)
    if fact.matched_by_text:
        notes += (note(NoteCode.MATCHED_BY_TEXT),)
    return Evidence(feature, value, fact.unit, fact.effective, fact.ref, notes)
