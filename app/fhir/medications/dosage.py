"""Dosage: how much of a drug a day, how often, how that changes over time, and for how long it was ordered.

Only what is certain is a dose; everything else has a reason (`Dose.unknown_because`) and between which ends
it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from app.chart import DateRange, Dose, DosePeriod, DoseUnknown
from app.dates import add_days
from app.fhir.medications.amount import Drug
from app.fhir.medications.common import is_vocabulary
from app.fhir.medications.extent import Extent, decimal_of
from app.fhir.medications.instruction import Instruction, read_instruction
from app.fhir.medications.product import Product
from app.fhir.medications.schedule import Dated, Schedule, over_all, placed, schedule_of
from app.fhir.resource import Reading
from app.wire.dosage import Dosage as Entry

NO_DOSAGE = DoseUnknown.NO_DOSAGE


class Dosage(Struct, frozen=True, gc=False):
    """A dosage before its place in the calendar is known.

    `dose`: over the whole dosage. `starts`, `ends`: dates that the dosage itself names. `days`: the length that it
    sets. `planned_days`: the length where it is exact.
    """

    dose: Dose
    starts: DateRange | None = None
    ends: DateRange | None = None
    days: Extent | None = None
    planned_days: Decimal | None = None
    schedule: Schedule = Schedule()


def read_dosage(entries: Sequence[Entry], product: Product, drugs: frozenset[str], reading: Reading) -> Dosage:
    """The dosage of a statement, order or administration."""
    if not entries:
        return Dosage(Dose(unknown_because=NO_DOSAGE))
    drug = Drug(product.strength_mg, product.mg_per_ml, drugs)
    if any(map(_has_dates, entries)):
        return _dosage(entries, drug, reading)
    key = (tuple(entries), drug)  # the same drug is ordered in the same way many times
    known = _COMMON.get(key) or reading.dosages.get(key)
    if known is None:
        known = _dosage(entries, drug, reading)
        if len(entries) <= _MAX_KEPT_INSTRUCTIONS and all(map(is_vocabulary, entries)):
            _COMMON.keep(key, known)
        else:
            reading.dosages[key] = known
    return known


class _CommonDosages:
    """Dosages that consist of vocabulary alone, as they were read: kept by the process, the oldest goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: dict[tuple[object, ...], Dosage] = {}
        self.get = self._known.get

    def keep(self, key: tuple[object, ...], dosage: Dosage) -> None:
        """Keep a dosage."""
        self._known[key] = dosage
        if len(self._known) > self._size:
            del self._known[next(iter(self._known))]


_COMMON = _CommonDosages(2048)
_MAX_KEPT_INSTRUCTIONS = 4
"""Longer schedules are rare, and would take much memory."""


def _has_dates(entry: Entry) -> bool:
    """Whether an instruction names days of its own, which are noted where they cannot be."""
    timing = entry.timing
    return timing is not None and bool(timing.event or (timing.repeat is not None and timing.repeat.bounds_period))


def _dosage(entries: Sequence[Entry], drug: Drug, reading: Reading) -> Dosage:
    instructions = [read_instruction(entry, drug, reading) for entry in entries]
    schedule = schedule_of(instructions)
    starts = min((one.starts for one in instructions if one.starts), default=None)
    all_end = all(one.ends for one in instructions)
    ends = max((one.ends for one in instructions if one.ends), default=None) if all_end else None
    days = instructions[0].days if len(instructions) == 1 else schedule.days
    return Dosage(
        dose=_dose(instructions, schedule),
        starts=starts,
        ends=ends,
        days=days,
        planned_days=decimal_of(days.low) if days is not None and days.exact else None,
        schedule=schedule,
    )


def _dose(instructions: Sequence[Instruction], schedule: Schedule) -> Dose:
    """The dose over the whole dosage."""
    daily, problem = over_all(schedule)
    elemental = all(one.elemental for one in instructions)
    as_needed = any(one.as_needed for one in instructions)
    singles = {one.single for one in instructions}
    single = singles.pop() if len(singles) == 1 else None
    return _with_daily(
        Dose(
            single_mg=None if single is None else decimal_of(single),
            interval_days=_interval(instructions, daily, single, problem),
            elemental=elemental,
            as_needed=as_needed,
        ),
        daily,
        problem,
    )


def _interval(
    instructions: Sequence[Instruction], daily: Extent, single: Fraction | None, problem: DoseUnknown | None
) -> Decimal | None:
    """Days between two administrations, on average."""
    if len(instructions) == 1:
        a_day = instructions[0].a_day
        return decimal_of(1 / a_day) if a_day else None
    return decimal_of(single / daily.low) if problem is None and single and daily.low else None


def _with_daily(dose: Dose, daily: Extent, problem: DoseUnknown | None) -> Dose:
    """The dose with its mg a day: one number, or the ends between which it lies and why it is not known."""
    if problem is None and daily.exact:
        return replace(dose, daily_mg=decimal_of(daily.low), unknown_because=None, least_mg=None, most_mg=None)
    most = None if daily.high is None else decimal_of(daily.high)
    least = decimal_of(daily.low) if daily.low else None
    return replace(dose, daily_mg=None, unknown_because=problem or DoseUnknown.A_RANGE, least_mg=least, most_mg=most)


def end_of_dosage(dosage: Dosage, start: DateRange | None) -> DateRange | None:
    """The day on which a course that begins at `start` has ended by its own dosage; None where it names no end."""
    if dosage.ends is not None or dosage.days is None or start is None:
        return dosage.ends
    high = dosage.days.high
    if high is None:
        return None
    return DateRange(add_days(start.earliest, int(dosage.days.low)), add_days(start.latest, int(high)))


def dose_over_time(dosage: Dosage, start: DateRange | None, today: date) -> tuple[Dose, tuple[DosePeriod, ...]]:
    """Today's dose of a course that begins at `start`, and all its doses where they change.

    Before the first dose that is the first, after the last one the last.
    """
    schedule = dosage.schedule
    if len(schedule.stretches) + len(schedule.dated) < 2:
        return dosage.dose, ()
    periods = placed(schedule, start)
    if not periods:
        return dosage.dose, ()
    now = _at(periods, today)
    return _with_daily(dosage.dose, now.daily, now.problem), tuple(_period(part) for part in periods)


def _at(periods: Sequence[Dated], today: date) -> Dated:
    """The dose of a day."""
    begun = [part for part in periods if part.first is None or part.first <= today]
    return begun[-1] if begun else periods[0]


def _period(part: Dated) -> DosePeriod:
    most = None if part.daily.high is None else decimal_of(part.daily.high)
    return DosePeriod(part.first, part.last, decimal_of(part.daily.low), most, part.problem)
