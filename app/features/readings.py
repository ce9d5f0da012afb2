"""The newest usable measurement or answer of a concept: one rule of age, preliminary values and units for all."""

from __future__ import annotations

from msgspec import Struct

from app.chart import ObservationCategory, ObservationFact, Source, UnusableValue
from app.dates import within_months
from app.features.model import Evidence, Feature, Features, interval, known, observed, unknown
from app.features.notes import NoteCode, note


def unusable_evidence(data: str, item: UnusableValue) -> Evidence:
    """The evidence for a value that could not be used, with the reason."""
    return Evidence(data, item.shown, None, None, item.ref, (note(NoteCode[item.reason.name]),))


class Reading(Struct, frozen=True, gc=False):
    """A usable value (`fact`), or why there is none (`problem`, with what was found as evidence)."""

    fact: ObservationFact | None
    problem: Feature = Feature()


def max_age(context: Features, key: str) -> int:
    """The age limit in months of a kind of value (decisions 9 and 35; a setting)."""
    limits = context.settings.max_age_months
    return limits.get(key, limits["laboratory"])


def newest_value(
    context: Features,
    concepts: tuple[str, ...],
    data: str,
    *,
    age: str | None = None,
    missing: str | None = None,
    unit: str | None = None,
) -> Reading:
    """The newest numeric observation of the concepts.

    `data` names it as evidence, `missing` (default `data`) as what to ask for. `age`: the setting with the age limit;
    None for values that do not age. `unit`: the canonical unit; a value in another one is not used. A value that is
    too old, undated where age matters, or in another unit makes the reading a problem that shows the value.
    """
    ask = missing or data
    recorded = context.observations(*concepts)
    newest = next((fact for fact in recorded if fact.value is not None and _in_unit(fact, unit)), None)
    if newest is None:
        found = [fact for fact in recorded if fact.value is not None]
        if found:
            return Reading(None, unknown(f"not in {unit}", ask, evidence=[observed(data, found[0])]))
        refused = context.unusable(*concepts)
        if refused:
            shown = tuple(unusable_evidence(data, item) for item in refused)
            return Reading(None, unknown("value could not be used", ask, evidence=shown))
        return Reading(None, unknown("not recorded", ask))
    if age is not None:
        recent = within_months(newest.effective, max_age(context, age), context.today)
        if recent is not True:
            why, code = ("too old", NoteCode.TOO_OLD) if recent is False else ("not dated", NoteCode.UNDATED)
            return Reading(None, unknown(why, ask, evidence=[observed(data, newest, note(code))]))
    return Reading(newest)


def _in_unit(fact: ObservationFact, unit: str | None) -> bool:
    return unit is None or fact.unit is None or fact.unit == unit


def number_of(fact: ObservationFact, data: str, missing: str | None = None) -> Feature:
    """The number of an observation; a comparator (">90") makes it an interval."""
    value, shown = fact.value, [observed(data, fact)]
    if value is None:
        return unknown("no number", missing or data, evidence=shown)
    why, ask = "only a limit was reported", (missing or data,)
    match fact.comparator:
        case None:
            return known(value, shown)
        case ">" | ">=":
            return interval(value, None, shown, missing=ask, why=why, low_open=fact.comparator == ">")
        case "<" | "<=":
            return interval(None, value, shown, missing=ask, why=why, high_open=fact.comparator == "<")
        case _:
            return unknown(f"comparator {fact.comparator!r} not understood", *ask, evidence=shown)


def number(
    context: Features,
    concepts: tuple[str, ...],
    data: str,
    *,
    age: str | None = None,
    missing: str | None = None,
    unit: str | None = None,
) -> Feature:
    """The newest value of the concepts as a number feature."""
    reading = newest_value(context, concepts, data, age=age, missing=missing, unit=unit)
    return reading.problem if reading.fact is None else number_of(reading.fact, data, missing)


def words_of(fact: ObservationFact) -> frozenset[str]:
    """The coded answer in snake_case."""
    return frozenset(word.replace("-", "_") for word in fact.answer)


def says(fact: ObservationFact, concept: str) -> bool | None:
    """Whether an observation whose code or answer is the concept affirms it; None if it does neither."""
    if concept in words_of(fact):
        return True
    if fact.boolean is not None:
        return fact.boolean
    answers = words_of(fact)
    if answers & {"answer_yes", "yes"}:
        return True
    if answers & {"answer_no", "no"}:
        return False
    return None


def observations_provided(context: Features, *categories: ObservationCategory) -> bool:
    """Whether the observations came complete: all of them, or those of the categories that a question is about."""
    return context.chart.observed(*categories) if categories else context.chart.provided(Source.OBSERVATIONS)


def results_provided(context: Features) -> bool:
    """Whether laboratory results came complete."""
    return observations_provided(context, ObservationCategory.LABORATORY)
