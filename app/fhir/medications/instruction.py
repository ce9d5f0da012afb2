"""One instruction of a dosage: how much a day, between which ends, and for how long."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from app.chart import DateRange, DoseUnknown
from app.fhir.medications.amount import (
    NO_AMOUNT,
    UNIT,
    Amount,
    Drug,
    amount_of,
    is_elemental,
    ratio_a_day,
)
from app.fhir.medications.dosage_text import TextDosage, read_text
from app.fhir.medications.extent import ANYTHING, NOTHING, Extent, exactly
from app.fhir.medications.frequency import NO_PERIOD, RANGE, Frequency, duration, frequency_of, number
from app.fhir.resource import Reading
from app.wire.dosage import Dosage, Ratio, Repeat, Timing

TEXT_ONLY = DoseUnknown.FREE_TEXT_ONLY
AS_NEEDED = DoseUnknown.AS_NEEDED
UNREADABLE = DoseUnknown.DOSAGE_NOT_READABLE


class Instruction(Struct, frozen=True, gc=False):
    """The content of one Dosage.

    `daily`: mg a day while it holds; `problem`: why it is not known exactly. `single`: mg of one administration,
    where exact. `a_day`: administrations a day, where exact. `starts`, `ends`: by the calendar. `days`: how long it
    holds. `moments`: the times of day and weekdays that it names, by which instructions differ that hold together.
    """

    daily: Extent
    problem: DoseUnknown | None = None
    single: Fraction | None = None
    a_day: Fraction | None = None
    elemental: bool = False
    as_needed: bool = False
    starts: DateRange | None = None
    ends: DateRange | None = None
    days: Extent | None = None
    sequence: Fraction | None = None
    moments: frozenset[str] = frozenset()


def read_instruction(dosage: Dosage, drug: Drug, reading: Reading) -> Instruction:
    """Read one Dosage of the drug."""
    timing = dosage.timing or Timing()
    repeat = timing.repeat or Repeat()
    text = read_text(dosage.text) if dosage.text else None
    frequency, amount = frequency_of(dosage.timing), amount_of(dosage, drug)
    amount, frequency = _with_text(amount, frequency, text, drug)
    as_needed = (
        _as_needed(dosage) or frequency.as_needed or (text is not None and text.as_needed and amount is not None)
    )
    single = amount.extent if amount is not None and not amount.a_day else None
    starts, ends, days = _time(repeat, timing, frequency, text, reading)
    single_use = frequency.once or number(repeat.count) == 1 or (bool(timing.event) and days == exactly(1))
    if single_use:
        frequency = Frequency(exactly(1), None, once=True, as_needed=frequency.as_needed)
    elif timing.event and days is not None and frequency.problem == NO_PERIOD:
        frequency = Frequency(exactly(len(timing.event)) * exactly(1 / days.low))
    daily, problem = _a_day(amount, frequency, dosage, text)
    if as_needed:
        daily, problem = Extent(Fraction(0), daily.high), AS_NEEDED
    if dosage.unreadable:
        daily, problem = ANYTHING, UNREADABLE
    if problem is not None:
        daily = daily.capped(_most_a_day(dosage, drug))
    return Instruction(
        daily=daily,
        problem=problem,
        single=single.low if single is not None and single.exact and amount and amount.problem is None else None,
        a_day=frequency.a_day.low if frequency.problem is None and not single_use else None,
        elemental=is_elemental(dosage),
        as_needed=as_needed,
        starts=starts,
        ends=ends,
        days=days,
        sequence=number(dosage.sequence),
        moments=frozenset({*repeat.when, *repeat.time_of_day, *repeat.day_of_week}),
    )


def _with_text(
    amount: Amount | None, frequency: Frequency, text: TextDosage | None, drug: Drug
) -> tuple[Amount | None, Frequency]:
    """Amount and frequency, with those that only the text gives; the text has to agree where both speak."""
    if text is None:
        return amount, frequency
    said = _said(text, drug)
    if amount is None:
        return (said, frequency) if frequency.problem != NO_PERIOD else (said, _often(text, frequency))
    if frequency.problem == NO_PERIOD and not text.whole_day and (said is None or said.extent == amount.extent):
        return amount, _often(text, frequency)
    return amount, frequency


def _said(text: TextDosage, drug: Drug) -> Amount | None:
    """The amount of a text, in mg."""
    extent = text.amount
    if extent is None and text.pieces is not None:
        if drug.strength_mg is None:
            return Amount(ANYTHING, UNIT)
        extent = text.pieces * exactly(Fraction(drug.strength_mg))
    if extent is None:
        return None
    return Amount(extent, None if extent.exact else RANGE, a_day=text.whole_day)


def _often(text: TextDosage, frequency: Frequency) -> Frequency:
    if text.a_day is None:
        return Frequency(frequency.a_day, frequency.problem, frequency.once or text.once, text.as_needed)
    return Frequency(exactly(text.a_day), None, text.once, frequency.as_needed or text.as_needed)


def _as_needed(dosage: Dosage) -> bool:
    return bool(
        dosage.as_needed_boolean
        or dosage.as_needed
        or dosage.as_needed_for
        or dosage.as_needed_codeable_concept is not None
    )


def _a_day(
    amount: Amount | None, frequency: Frequency, dosage: Dosage, text: TextDosage | None
) -> tuple[Extent, DoseUnknown | None]:
    """The mg a day, and why they are not known exactly."""
    if amount is None:
        unread = dosage.text is not None and dosage.text.strip() and text is None
        return ANYTHING, TEXT_ONLY if unread and frequency.problem == NO_PERIOD else NO_AMOUNT
    if amount.a_day:
        return amount.extent, amount.problem
    daily = amount.extent * frequency.a_day
    return daily, amount.problem or frequency.problem


def _most_a_day(dosage: Dosage, drug: Drug) -> Fraction | None:
    """The highest mg a day that is allowed."""
    limits = dosage.max_dose_per_period
    ratios: tuple[Ratio, ...] = limits if isinstance(limits, tuple) else (limits,) if limits is not None else ()
    found = [most for ratio in ratios if (most := ratio_a_day(ratio, drug)) is not None]
    return min(found, default=None)


def _time(
    repeat: Repeat, timing: Timing, frequency: Frequency, text: TextDosage | None, reading: Reading
) -> tuple[DateRange | None, DateRange | None, Extent | None]:
    """From when, until when, and for how many days."""
    bounds = repeat.bounds_period
    starts = reading.date(bounds.start) if bounds is not None else None
    ends = reading.date(bounds.end) if bounds is not None else None
    if starts is None and ends is None and timing.event:
        events = sorted(day for event in timing.event if (day := reading.date(event)) is not None)
        if events:
            return events[0], events[-1], exactly((events[-1].latest - events[0].earliest).days + 1)
    return starts, ends, _days(repeat, frequency, text, starts, ends)


def _days(
    repeat: Repeat,
    frequency: Frequency,
    text: TextDosage | None,
    starts: DateRange | None,
    ends: DateRange | None,
) -> Extent | None:
    if starts is not None and ends is not None:
        exact = starts.exact and ends.exact and starts <= ends
        return exactly((ends.latest - starts.earliest).days + 1) if exact else None
    found = duration(repeat.bounds_duration)
    if found is not None:
        return exactly(found)
    if repeat.bounds_range is not None:
        low, high = duration(repeat.bounds_range.low), duration(repeat.bounds_range.high)
        if high is not None:
            return Extent(min(low if low is not None else Fraction(0), high), high)
    if frequency.once:
        return exactly(1)
    count = number(repeat.count)
    if count:
        most = number(repeat.count_max) or count
        return _lasting(Extent(count, max(count, most)), frequency)
    return exactly(text.days) if text is not None and text.days is not None else None


def _lasting(count: Extent, frequency: Frequency) -> Extent | None:
    """How many days so many administrations take; a single one takes a day, however often it was to be repeated."""
    if count.high == 1:
        return exactly(1)
    rate = frequency.a_day
    if not rate.low or count.high is None:
        return None
    high = count.high / rate.low
    low = NOTHING.low if not rate.high else count.low / rate.high
    return Extent(max(low, Fraction(1)), max(high, Fraction(1)))
