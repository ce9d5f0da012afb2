"""How often a dose is given: FHIR Timing as administrations a day, exactly.

`Timing.repeat` is read wholly. Where its parts contradict each other (two times of day, but frequency 1), the frequency
is not known, and lies between the readings that they allow.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache

from msgspec import Struct

from app.chart import DoseUnknown
from app.fhir.medications.dosage_text import read_text
from app.fhir.medications.extent import ANYTHING, Extent, exactly
from app.terminology.code_sets import terminology
from app.terminology.units import to_decimal
from app.wire.dosage import Quantity, Repeat, Timing
from app.wire.elements import CodeableConcept

NO_PERIOD = DoseUnknown.NO_PERIOD
TIMING_UNCLEAR = DoseUnknown.TIMING_CONTRADICTORY
TIMING_UNREADABLE = DoseUnknown.TIMING_NOT_READABLE

_WEEKDAYS = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
_WEEK, _DAY = Fraction(7), Fraction(1)


class Frequency(Struct, frozen=True, gc=False):
    """Administrations a day; `problem`: why they are not known exactly. `once`: a single administration."""

    a_day: Extent
    problem: DoseUnknown | None = None
    once: bool = False
    as_needed: bool = False


_NOT_GIVEN = Frequency(ANYTHING, NO_PERIOD)


def number(value: Decimal | None) -> Fraction | None:
    """A number of a record that can be meant: finite, not negative, of a size that something can have."""
    usable = to_decimal(value)
    return None if usable is None or usable < 0 else Fraction(usable)


@lru_cache(maxsize=1024)
def days_in(unit: str) -> Fraction | None:
    """The days in a unit of time, by its UCUM code or in words. Remembered: units repeat, and are no patient data."""
    found = terminology().raw["dosage"]["time_units"].get(unit.strip().lower())
    return None if found is None else Fraction(found)


def duration(quantity: Quantity | None) -> Fraction | None:
    """A duration in days; None where number or unit is not known."""
    if quantity is None:
        return None
    value = number(quantity.value)
    units = [days_in(unit) for unit in (quantity.code, quantity.unit) if unit]
    known = {days for days in units if days is not None}
    return None if value is None or len(known) != 1 else value * known.pop()


def frequency_of(timing: Timing | None) -> Frequency:
    """How often: by the rule of the timing, its code, or both."""
    if timing is None:
        return _NOT_GIVEN
    by_rule = _by_rule(timing.repeat) if timing.repeat is not None else None
    by_code = _by_code(timing.code) if timing.code is not None else None
    if by_rule is None or by_code is None:
        return by_rule or by_code or _NOT_GIVEN
    if by_code.once or by_code.as_needed:
        return Frequency(by_rule.a_day, by_rule.problem, by_code.once, by_code.as_needed)
    if by_rule.a_day == by_code.a_day:
        return by_rule
    return Frequency(by_rule.a_day.widened(by_code.a_day), TIMING_UNCLEAR)


def _by_rule(repeat: Repeat) -> Frequency | None:
    """The administrations a day by `repeat`; None where it does not define them (bounds alone)."""
    return _by_members(
        Repeat(
            frequency=repeat.frequency,
            frequency_max=repeat.frequency_max,
            period=repeat.period,
            period_max=repeat.period_max,
            period_unit=repeat.period_unit,
            day_of_week=repeat.day_of_week,
            time_of_day=repeat.time_of_day,
            when=repeat.when,
        )
    )


@lru_cache(maxsize=1024)
def _by_members(repeat: Repeat) -> Frequency | None:
    """The same, by the members that decide about it. Remembered: they repeat, and hold no date."""
    period, unit = number(repeat.period), repeat.period_unit
    days_each = days_in(unit) if unit else None
    weekdays = {day.strip().lower() for day in repeat.day_of_week}
    moments, meals = _moments(repeat)
    if weekdays - _WEEKDAYS or (unit and days_each is None):
        return Frequency(ANYTHING, TIMING_UNREADABLE)
    times = _between(number(repeat.frequency), number(repeat.frequency_max))
    if period is None and times is None and not weekdays and not moments:
        return Frequency(ANYTHING, NO_PERIOD) if meals else None
    if period is None and days_each is not None:
        period = _DAY
    if days_each is None:
        if period is not None or (times is not None and not weekdays and not moments):
            return Frequency(ANYTHING, NO_PERIOD)
        return _without_period(times, len(weekdays), moments)
    if not period or (times is not None and times.high == 0):
        return Frequency(ANYTHING, TIMING_UNREADABLE)
    longest = number(repeat.period_max)
    spans = Extent(period, longest if longest is not None and longest > period else period)
    lengths = spans * exactly(days_each)
    return _in_period(times, lengths, len(weekdays), moments)


def _moments(repeat: Repeat) -> tuple[int, bool]:
    """How many moments of the day are named, and whether meals are, whose number is unknown."""
    table = terminology().raw["dosage"]
    events = {event.strip() for event in repeat.when}
    named = events & _one_moment()
    return len(named) + len(set(repeat.time_of_day)), bool(events & set(table["meals"]))


@cache
def _one_moment() -> frozenset[str]:
    return frozenset(terminology().raw["dosage"]["one_moment"])


def _between(low: Fraction | None, high: Fraction | None) -> Extent | None:
    if low is None:
        return None if high is None else Extent(Fraction(0), high)
    return Extent(low, high if high is not None and high > low else low)


def _without_period(times: Extent | None, weekdays: int, moments: int) -> Frequency:
    """Weekdays and times of day alone: each of these times, on each of these days, or on every day."""
    part = Fraction(weekdays, 7) if weekdays else _DAY
    each_day = Fraction(moments or 1)
    found = exactly(each_day * part)
    if times is None or times == exactly(each_day) or times == exactly(each_day * (weekdays or 1)):
        return Frequency(found)
    return Frequency(found.widened(times * exactly(part)), TIMING_UNCLEAR)


def _in_period(times: Extent | None, lengths: Extent, weekdays: int, moments: int) -> Frequency:
    """So many times in a period of so many days, thinned by weekdays and repeated by times of day."""
    unit_is_days = lengths.high is not None and lengths.high <= _DAY
    each = Fraction(moments or 1)
    if weekdays and unit_is_days:  # "frequency 1, period 1 d, on Tuesday and Thursday": once on each of them
        daily = _in_period(times, lengths, 0, moments)
        part = exactly(Fraction(weekdays, 7))
        return Frequency(daily.a_day * part, daily.problem)
    if weekdays:
        listed = each * weekdays
        every = times or exactly(listed)
        if lengths.low < _WEEK:  # "every other day, on Monday and Friday"
            listed_a_day = exactly(Fraction(weekdays, 7) * each)
            return Frequency(_per(every, lengths).widened(listed_a_day), TIMING_UNCLEAR)
        if every == exactly(listed):
            return _checked(every, lengths)
        return Frequency(_per(every.widened(exactly(listed)), lengths), TIMING_UNCLEAR)
    if times is None:
        return _checked(exactly(each), lengths)
    if moments > 1 and times.low < each:
        return Frequency(_per(times.widened(exactly(each)), lengths), TIMING_UNCLEAR)
    return _checked(times, lengths)


def _checked(times: Extent, lengths: Extent) -> Frequency:
    found = _per(times, lengths)
    return Frequency(found, None if found.exact else RANGE)


RANGE = DoseUnknown.A_RANGE


def _per(times: Extent, lengths: Extent) -> Extent:
    low = Fraction(0) if lengths.high is None else times.low / lengths.high
    return Extent(low, None if times.high is None else times.high / lengths.low)


def _by_code(concept: CodeableConcept) -> Frequency | None:
    """The frequency of a code, else of the words of the concept."""
    for coding in concept.coding:
        found = _codes().get((coding.code or "").strip().upper())
        if found is not None:
            return found
    texts = [concept.text, *(coding.display for coding in concept.coding)]
    for text in texts:
        said = read_text(text) if text else None
        if said is not None and said.amount is None and said.pieces is None and said.a_day is not None:
            return Frequency(exactly(said.a_day), None, said.once, said.as_needed)
        if said is not None and said.once:
            return Frequency(ANYTHING, NO_PERIOD, once=True)
    return None


@cache
def _codes() -> dict[str, Frequency]:
    table = terminology().raw["dosage"]["timing_codes"]
    found: dict[str, Frequency] = {}
    for entry in (*table["abbreviations"], *table["snomed"]):
        low, high = Fraction(entry["times"]), Fraction(entry.get("times_max", entry["times"]))
        days = Fraction(entry["days"])
        rate = Frequency(Extent(low / days, high / days), None if low == high else RANGE)
        found |= dict.fromkeys(entry["codes"], rate)
    found |= dict.fromkeys(table["once"], Frequency(ANYTHING, NO_PERIOD, once=True))
    found |= dict.fromkeys(table["as_needed"], Frequency(ANYTHING, NO_PERIOD, as_needed=True))
    return found
