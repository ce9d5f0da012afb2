"""Systemic glucocorticoids: dose in prednisolone equivalents, duration, orders.

The equivalents are outside knowledge (decision 22): `prednisolone_equivalent` of the drug files.
Inhaled, nasal and topical use has no systemic dose and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from app.chart import CourseFact, CourseStatus, DateRange
from app.dates import add_days, add_months, months_between, shifted
from app.features.catalogue import feature
from app.features.drugs.dose_over_time import DailyDoses, Window, rounded
from app.features.drugs.draft_orders import last_day, starting
from app.features.drugs.exposure import course_evidence, courses, current_start, dose_note, running_courses
from app.features.model import Evidence, Feature, Features, Kind, Memo, interval, known, none_on_record, unknown
from app.features.notes import NoteCode, note
from app.terminology.drug_classes import adrenal_replacements, equal_to_5_mg_prednisolone

READS = ("medications", "medicationRequests")
REFERENCE_MG = Decimal(5)
"""The drug files give the mg of a drug that equal this dose of prednisolone."""
SHORT_COURSE_DAYS = 30
"""A whole course up to one month is short: none of the sources counts it as long-term treatment."""


def prednisolone_factor(course: CourseFact) -> Decimal | None:
    """What a mg of the drug is worth in mg prednisolone; None where that is not known."""
    equal = equal_to_5_mg_prednisolone(course.drugs)
    return None if equal is None else REFERENCE_MG / equal


def prednisolone_mg(course: CourseFact) -> Decimal | None:
    """Today's dose of a course in mg prednisolone equivalent; None if dose or equivalent is not known."""
    equal = equal_to_5_mg_prednisolone(course.drugs)
    if course.dose.daily_mg is None or course.dose.as_needed or equal is None:
        return None
    return course.dose.daily_mg * REFERENCE_MG / equal


def total_dose(running: Iterable[CourseFact], evidence_name: str) -> Feature:
    """The sum of daily doses; a course whose dose is not known counts with the ends between which it lies."""
    low, high, unclear, evidence = Decimal(0), Decimal(0), "", []
    is_open = False
    for course in running:
        dose = prednisolone_mg(course)
        code = NoteCode.PREDNISOLONE_EQUIVALENT
        if dose is None:
            unclear = code = dose_note(course)
            equal = equal_to_5_mg_prednisolone(course.drugs)
            if equal is not None and course.dose.daily_mg is None:
                low += (course.dose.least_mg or Decimal(0)) * REFERENCE_MG / equal
            if equal is None or course.dose.most_mg is None:
                is_open = True
            else:
                high += course.dose.most_mg * REFERENCE_MG / equal
        else:
            low, high = low + dose, high + dose
        notes = (note(code, product=course.name),)
        evidence.append(Evidence(evidence_name, dose, "mg/d", course.started, course.refs[0], notes))
    low, high = rounded(low), rounded(high)
    if unclear:
        most = None if is_open else high
        return interval(low, most, evidence, missing=("glucocorticoid_dose",), why=unclear.replace("_", " "))
    return known(low, evidence)


@feature(
    "glucocorticoid_daily_dose",
    Kind.NUMBER,
    "mg/d",
    meaning="Daily dose of systemic glucocorticoids at present, as prednisolone.",
    reads=READS,
)
def glucocorticoid_daily_dose(context: Features) -> Feature:
    """Sum over the current systemic courses, mg/d prednisolone equivalent; 0 when none is taken."""
    taking = context.feature("takes.glucocorticoid")
    if taking.value is None:
        return unknown(taking.why_unknown or "use not known", "glucocorticoid_dose", evidence=taking.evidence)
    running = running_courses(context, "glucocorticoid")
    return total_dose(running, "glucocorticoid_daily_dose")


DURATION_MONTHS = 3
"""The time over which the guideline that names a dose and a duration asks for the dose: more than three months."""
LOOKED_BACK_MONTHS = 12
"""Decision 45: any three months of the last twelve."""
_DOSES: Memo[str, DailyDoses] = Memo()


def _doses(context: Features) -> DailyDoses:
    """What was taken of systemic glucocorticoids on each day of the last year, as prednisolone."""
    kept = _DOSES.of(context)
    if "glucocorticoid" not in kept:
        taken = courses(context, "glucocorticoid")
        kept["glucocorticoid"] = DailyDoses(taken, prednisolone_factor, context.today, LOOKED_BACK_MONTHS)
    return kept["glucocorticoid"]


@feature(
    "glucocorticoid_average_dose",
    Kind.NUMBER,
    "mg/d",
    meaning="Average daily dose of systemic glucocorticoids over 3 months, as prednisolone.",
    reads=READS,
)
def glucocorticoid_average_dose(context: Features) -> Feature:
    """Average over the last three months, or over any three of the last twelve as far as today's dose is still as high.

    Tapers and alternate days are averaged (decision 45). 0 when none is taken. In other words: the highest dose that
    was reached over three months and has not been lowered since; a dose that has been lowered counts from then on.
    """
    taking = context.feature("takes.glucocorticoid")
    now = context.feature("glucocorticoid_daily_dose")
    if taking.value is not True:
        return now
    doses = _doses(context)
    recent, highest = doses.average(DURATION_MONTHS), doses.highest(DURATION_MONTHS)
    least, most = (now.value, now.value) if isinstance(now.value, Decimal) else (now.low, now.high)
    still = _lower(Window(context.today, context.today, least or Decimal(0), most), highest)
    counts = recent if recent.low >= still.low else highest
    low = max(recent.low, still.low)
    high = None if recent.high is None or still.high is None else max(recent.high, still.high)
    shown = _averaged("glucocorticoid_average_dose", counts)
    why = now.why_unknown or "dose not known for all of the time"
    return interval(low, high, (*now.evidence, shown), missing=("glucocorticoid_dose",), why=why)


def _lower(one: Window, other: Window) -> Window:
    """The lower of two doses, end by end."""
    highs = [high for high in (one.high, other.high) if high is not None]
    return Window(other.first, other.last, min(one.low, other.low), min(highs, default=None))


def _averaged(name: str, window: Window) -> Evidence:
    """An average with the time that it is of."""
    value = window.low if window.low == window.high else None
    return Evidence(name, value, "mg/d", DateRange(window.first, window.last), None, (note(NoteCode.AVERAGE),))


@feature(
    "glucocorticoid_replacement_drugs_only",
    Kind.TRUTH,
    meaning="Every systemic glucocorticoid at present is hydrocortisone or cortisone, as adrenal replacement is.",
    reads=READS,
)
def glucocorticoid_replacement_drugs_only(context: Features) -> Feature:
    """Whether nothing else runs; false when no systemic glucocorticoid is taken."""
    taking = context.feature("takes.glucocorticoid")
    if taking.value is not True:
        return none_on_record() if taking.value is False else taking
    running = running_courses(context, "glucocorticoid")
    return known(all(not course.drugs.isdisjoint(adrenal_replacements()) for course in running), taking.evidence)


@feature(
    "glucocorticoid_months",
    Kind.NUMBER,
    "months",
    meaning="Months of current use of systemic glucocorticoids without a break.",
    reads=READS,
)
def glucocorticoid_months(context: Features) -> Feature:
    """As `months_on.glucocorticoid`; not recorded start = unknown (glucocorticoid_duration)."""
    return _duration(context.feature("months_on.glucocorticoid"))


@feature(
    "oral_glucocorticoid_months",
    Kind.NUMBER,
    "months",
    meaning="Months of current use of oral glucocorticoids without a break.",
    reads=READS,
)
def oral_glucocorticoid_months(context: Features) -> Feature:
    """As `months_on.oral_glucocorticoid`."""
    return _duration(context.feature("months_on.oral_glucocorticoid"))


def _duration(months: Feature) -> Feature:
    """The same feature, asking for the duration in the reader's words."""
    if months.known:
        return known(months.value if months.value is not None else Decimal(0), months.evidence)
    return interval(
        months.low,
        months.high,
        months.evidence,
        missing=("glucocorticoid_duration",),
        why=months.why_unknown or "start not recorded",
    )


def _planned_end(course: CourseFact) -> date | None:
    """The announced last day of a current course: its end, else start plus planned days."""
    if course.ended is not None and course.ended.exact:
        return course.ended.latest
    if course.planned_days is not None and course.started is not None and course.started.exact:
        return add_days(course.started.latest, course.planned_days)
    return None


@feature(
    "glucocorticoid_planned_months",
    Kind.NUMBER,
    "months",
    meaning="Length of the whole current course of systemic glucocorticoids, where its end is planned.",
    reads=READS,
)
def glucocorticoid_planned_months(context: Features) -> Feature:
    """From the start of the current use to its announced end; no end announced = unknown (glucocorticoid_duration)."""
    running = running_courses(context, "glucocorticoid")
    if not running:
        taking = context.feature("takes.glucocorticoid")
        if taking.value is False:
            return known(Decimal(0))
        return unknown(taking.why_unknown or "use not known", "glucocorticoid_duration", evidence=taking.evidence)
    evidence = [course_evidence("glucocorticoid", course) for course in running]
    start = current_start(context, "glucocorticoid")
    ends = [_planned_end(course) for course in running]
    if start is None or any(end is None for end in ends):
        return unknown("no end is planned or no start recorded", "glucocorticoid_duration", evidence=evidence)
    last = max(end for end in ends if end is not None)
    return interval(
        months_between(start.latest, last),
        months_between(start.earliest, last),
        evidence,
        missing=("glucocorticoid_duration",),
    )


@feature(
    "glucocorticoid_short_course",
    Kind.TRUTH,
    meaning="The current glucocorticoid is a short course: at most 30 days in all.",
    reads=READS,
)
def glucocorticoid_short_course(context: Features) -> Feature:
    """Whether every current systemic course has an announced end that makes the whole use at most 30 days."""
    taking = context.feature("takes.glucocorticoid")
    if taking.value is not True:
        return none_on_record() if taking.value is False else taking
    running = running_courses(context, "glucocorticoid")
    start = current_start(context, "glucocorticoid")
    ends = [_planned_end(course) for course in running]
    if start is not None and shifted(start, days=SHORT_COURSE_DAYS).latest < context.today:
        return known(False, taking.evidence)
    if any(end is None for end in ends):
        # An open-ended record is what long-term treatment looks like: only a planned end makes a course short.
        return known(False, taking.evidence)
    if start is None:
        return unknown("start not recorded", "glucocorticoid_duration", evidence=taking.evidence)
    last = max(end for end in ends if end is not None)
    if (last - start.earliest).days <= SHORT_COURSE_DAYS:
        return known(True, taking.evidence)
    if (last - start.latest).days > SHORT_COURSE_DAYS:
        return known(False, taking.evidence)
    return unknown("start known only in part", "glucocorticoid_duration", evidence=taking.evidence)


@feature(
    "ordered_glucocorticoid_daily_dose",
    Kind.NUMBER,
    "mg/d",
    meaning="Daily dose of systemic glucocorticoids in the draft orders, as prednisolone.",
    reads=(),
)
def ordered_glucocorticoid_daily_dose(context: Features) -> Feature:
    """Sum over the selected draft orders, mg/d prednisolone equivalent; 0 without such an order."""
    drafts = [order.course for order in starting(context, "glucocorticoid")]
    return total_dose(drafts, "ordered_glucocorticoid_daily_dose")


@feature(
    "ordered_glucocorticoid_average_dose",
    Kind.NUMBER,
    "mg/d",
    meaning="Average daily dose of systemic glucocorticoids over 3 months of the draft orders, as prednisolone.",
    reads=(),
)
def ordered_glucocorticoid_average_dose(context: Features) -> Feature:
    """Average over the first three calendar months of the selected draft orders, tapers averaged (decision 45)."""
    drafts = [order.course for order in starting(context, "glucocorticoid")]
    now = context.feature("ordered_glucocorticoid_daily_dose")
    if not any(course.doses for course in drafts):
        return now
    last = add_months(context.today, DURATION_MONTHS) - timedelta(days=1)
    running = [replace(course, status=CourseStatus.CURRENT) for course in drafts]
    found = DailyDoses(running, prednisolone_factor, last, DURATION_MONTHS).average(DURATION_MONTHS)
    shown = _averaged("ordered_glucocorticoid_average_dose", found)
    why = now.why_unknown or "dose not known for all of the time"
    return interval(found.low, found.high, (*now.evidence, shown), missing=("glucocorticoid_dose",), why=why)


@feature(
    "ordered_glucocorticoid_months",
    Kind.NUMBER,
    "months",
    meaning="Duration of the systemic glucocorticoid in the draft orders.",
    reads=(),
)
def ordered_glucocorticoid_months(context: Features) -> Feature:
    """Months from today that the longest selected draft order runs; an open order = unknown; none ordered = 0."""
    orders = starting(context, "glucocorticoid")
    if not orders:
        return known(Decimal(0))
    evidence = [course_evidence("glucocorticoid", order.course, note(NoteCode.DRAFT_ORDER)) for order in orders]
    end = last_day(context, orders)
    if end is None:
        return unknown("duration not ordered", "glucocorticoid_duration", evidence=evidence)
    return known(months_between(context.today, end), evidence)
