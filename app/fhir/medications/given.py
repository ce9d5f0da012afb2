"""Drugs known from single doses: administrations, and orders of depot drugs that were carried out.

Decision 60: such a drug is current while the last dose is not older than the interval seen between the doses and half
of it, or than its depot interval. Decision 49: a completed order of a depot drug without an administration counts as
given on its date. Decision 50: denosumab counts as stopped after 12 months without a dose, not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from msgspec.structs import replace

from app.chart import CourseFact, CourseStatus, DateRange, Dose, DosePeriod, DoseUnknown
from app.dates import add_days, add_months, minus_months
from app.fhir.medications.extent import decimal_of
from app.fhir.medications.records import CourseRecord
from app.terminology.drug_classes import lapses_after_months, months_of_a_dose

LEAST_INTERVAL_DAYS = 2
"""Decision 60: the interval of a daily drug counts as two days."""
RECENT_INTERVALS = 4
"""The dose a day is the average over so many intervals: even, so that alternate days come out right."""
NO_DOSE_FOR_LONG = DoseUnknown.NO_DOSE_FOR_LONG
ONE_ADMINISTRATION = DoseUnknown.SINGLE_ADMINISTRATION


def depot_months(record: CourseRecord) -> int | None:
    """For how many months one dose lasts; None for a drug that is no depot."""
    course = record.course
    return months_of_a_dose(record.ingredients, course.route, course.dose.single_mg, course.name)


def lapse_months(record: CourseRecord) -> int | None:
    """Months without a dose after which a depot drug counts as stopped; None for a drug that is no depot."""
    months = depot_months(record)
    if months is None:
        return None
    return lapses_after_months(record.ingredients) or months


def courses_of_doses(doses: Sequence[CourseRecord], today: date) -> list[CourseFact]:
    """The courses that doses of one drug and route make, the earliest first."""
    dated = sorted((dose for dose in doses if _day(dose) is not None), key=lambda dose: (_day(dose), dose.course.refs))
    undated = [dose for dose in doses if _day(dose) is None]
    found = [_course(run, today) for run in _runs(_without_repetitions(dated))]
    if undated:
        found.append(replace(undated[0].course, refs=_refs(undated)))
    return found


def _day(dose: CourseRecord) -> date | None:
    given = dose.course.last_given or dose.course.started
    return None if given is None else given.latest


def _days(doses: Sequence[CourseRecord]) -> list[date]:
    """The different days of the doses, in order."""
    return sorted({day for dose in doses if (day := _day(dose)) is not None})


def _without_repetitions(doses: list[CourseRecord]) -> list[CourseRecord]:
    """The doses, without an order of a depot drug whose administration is on record within half an interval."""
    given = _days([dose for dose in doses if not dose.ordered_only])
    kept, at = [], 0
    for dose in doses:
        months, day = depot_months(dose), _day(dose)
        if not dose.ordered_only or months is None or day is None:
            kept.append(dose)
            continue
        reach = timedelta(days=months * 15)
        while at < len(given) and given[at] < day - reach:
            at += 1
        if at == len(given) or given[at] > day + reach:
            kept.append(dose)
    return kept


def _runs(doses: list[CourseRecord]) -> list[list[CourseRecord]]:
    """The doses, parted where the drug had lapsed between two of them."""
    if not doses:
        return []
    interval = _interval(_days(doses))
    runs = [[doses[0]]]
    for before, dose in pairwise(doses):
        last, day = _day(before), _day(dose)
        if last is not None and day is not None and day > _covered(before, last, interval):
            runs.append([])
        runs[-1].append(dose)
    return runs


def _interval(days: list[date]) -> Fraction | None:
    """The middle one of the intervals between doses, in days; None for a single day."""
    gaps = sorted((later - earlier).days for earlier, later in pairwise(days))
    return Fraction(gaps[len(gaps) // 2]) if gaps else None


def _covered(dose: CourseRecord, day: date, interval: Fraction | None) -> date:
    """Until when a dose counts as current use."""
    seen = max(interval or Fraction(0), Fraction(LEAST_INTERVAL_DAYS))
    months = lapse_months(dose)
    if months is None:
        return add_days(day, int(seen * Fraction(3, 2)))
    by_depot = add_months(day, months)
    return by_depot if interval is None else max(by_depot, add_days(day, int(seen * Fraction(3, 2))))


def _course(run: list[CourseRecord], today: date) -> CourseFact:
    days = _days(run)
    last = run[-1]
    current = today <= _covered(last, days[-1], _interval(days))
    when = last.course.last_given or last.course.started
    dose, doses = _dose(run, days)
    lapsed = not current and lapse_months(last) != depot_months(last)
    return replace(
        last.course,
        refs=_refs(run),
        drugs=frozenset().union(*(dose.course.drugs for dose in run)),
        status=CourseStatus.CURRENT if current else CourseStatus.PAST,
        started=_first(run),
        ended=None if current else when,
        last_given=when,
        last_seen=when,
        stop_reason=NO_DOSE_FOR_LONG if lapsed else None,
        dose=dose,
        doses=doses,
        given=tuple(days),
        reason_concepts=frozenset().union(*(dose.course.reason_concepts for dose in run)),
        matched_by_text=all(dose.course.matched_by_text for dose in run),
    )


def _first(run: list[CourseRecord]) -> DateRange | None:
    starts = [dose.course.started for dose in run if dose.course.started is not None]
    return min(starts, default=None)


def _refs(doses: Sequence[CourseRecord]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ref for dose in doses for ref in dose.course.refs))


def _dose(run: list[CourseRecord], days: list[date]) -> tuple[Dose, tuple[DosePeriod, ...]]:
    """The dose a day of late, and the doses between the days on which something was given."""
    singles = {dose.course.dose.single_mg for dose in run}
    single = singles.pop() if len(singles) == 1 else None
    elemental = all(dose.course.dose.elemental for dose in run)
    interval = _interval(days)
    if interval is None:
        return Dose(single_mg=single, elemental=elemental, unknown_because=ONE_ADMINISTRATION), ()
    amounts = _amounts(run)
    recent = days[-RECENT_INTERVALS - 1 :]
    known = [amounts[day] for day in recent[:-1]]
    span = (recent[-1] - recent[0]).days
    base = Dose(single_mg=single, interval_days=decimal_of(interval), elemental=elemental)
    periods = _periods(amounts, days, int(interval))
    if any(amount is None for amount in known):
        return replace(base, unknown_because=DoseUnknown.NO_AMOUNT), periods
    daily = sum((amount for amount in known if amount is not None), Fraction(0)) / span
    return replace(base, daily_mg=decimal_of(daily)), periods


def _amounts(run: list[CourseRecord]) -> dict[date, Fraction | None]:
    """The mg of each day; None where an amount is not known. The same dose at the same moment counts once."""
    found: dict[date, Fraction | None] = {}
    seen: set[tuple[date, int, Decimal | None]] = set()
    for dose in run:
        day, single = _day(dose), dose.course.dose.single_mg
        if day is None:
            continue
        if dose.moment:
            if (day, dose.moment, single) in seen:
                continue
            seen.add((day, dose.moment, single))
        before = found.get(day, Fraction(0))
        found[day] = None if single is None or before is None else before + Fraction(single)
    return found


def _periods(amounts: dict[date, Fraction | None], days: list[date], interval: int) -> tuple[DosePeriod, ...]:
    """Each dose as the dose a day until the next one; equal ones that follow each other as one."""
    found: list[DosePeriod] = []
    for day, following in pairwise([*days, days[-1] + timedelta(days=max(interval, 1))]):
        amount, length = amounts[day], (following - day).days
        daily = None if amount is None else decimal_of(amount / length)
        last = following - timedelta(days=1)
        if found and found[-1].most_mg == daily and daily is not None:
            found[-1] = replace(found[-1], last=last)
        else:
            unknown = DoseUnknown.NO_AMOUNT if daily is None else None
            found.append(DosePeriod(day, last, daily or Decimal(0), daily, unknown))
    return tuple(found)


def covers(record: CourseRecord, today: date) -> bool:
    """Whether the last dose of a depot drug still acts (decision 49)."""
    months, given = depot_months(record), record.course.last_given
    return months is not None and given is not None and minus_months(today, months) <= given.earliest <= today
