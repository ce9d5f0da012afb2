"""Making features: known, unknown, interval, and three-valued combination."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from app.chart import ObservationFact
from app.features.model import Evidence, Feature, Value

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


def observed(feature: str, fact: ObservationFact, note: str | None = None) -> Evidence:
    """The evidence for a value that was observed."""
    value: bool | Decimal | str | None = fact.value if fact.value is not None else fact.boolean
    if value is None and fact.answer:
        value = ", ".join(sorted(fact.answer))
    if value is None:
        value = fact.text
    elif fact.comparator and fact.value is not None:
        value = f"{fact.comparator}{fact.value}"
    notes = [note] if note else []
    notes += ["preliminary"] if fact.preliminary else []
    notes += ["matched by text"] if fact.matched_by_text else []
    return Evidence(feature, value, fact.unit, fact.effective, fact.ref, "; ".join(notes) or None)
