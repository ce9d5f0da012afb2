"""Systemic glucocorticoids: dose in prednisolone equivalents, duration, orders.

The equivalents are outside knowledge (decision 22): `prednisolone_equivalent` of the drug files.
Inhaled, nasal and topical use has no systemic dose and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from app.chart import CourseFact
from app.dates import add_days, months_between, shifted
from app.features.catalogue import feature
from app.features.drugs.draft_orders import last_day, starting
from app.features.drugs.exposure import course_evidence, current_start, running_courses
from app.features.model import Evidence, Feature, Features, Kind, interval, known, none_on_record, unknown
from app.terminology.drug_classes import adrenal_replacements, equal_to_5_mg_prednisolone

READS = ("medications", "medicationRequests")
REFERENCE_MG = Decimal(5)
"""The drug files say how many mg of a drug equal this much prednisolone."""
SHORT_COURSE_DAYS = 30
"""A whole course up to one month is short: none of the sources counts it as long-term treatment."""


def prednisolone_mg(course: CourseFact) -> Decimal | None:
    """The daily dose of a course in mg prednisolone equivalent; None if dose or equivalent is not known."""
    equal = equal_to_5_mg_prednisolone(course.drugs)
    if course.dose.daily_mg is None or course.dose.as_needed or equal is None:
        return None
    return course.dose.daily_mg * REFERENCE_MG / equal


def total_dose(running: Iterable[CourseFact], evidence_name: str) -> Feature:
    """The sum of daily doses; a course without a known dose leaves the others' sum as the least it can be."""
    total, unclear, evidence = Decimal(0), "", []
    for course in running:
        dose = prednisolone_mg(course)
        note = f"{course.name}: prednisolone equivalent, table from outside the guidelines"
        if dose is None:
            unclear = course.dose.unknown_because or ("as needed" if course.dose.as_needed else "dose not recorded")
            note = f"{course.name}: {unclear}"
        else:
            total += dose
        evidence.append(Evidence(evidence_name, dose, "mg/d", course.started, course.refs[0], note))
    if unclear:
        return interval(total, None, evidence, missing=("glucocorticoid_dose",), why=unclear)
    return known(total, evidence)


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
    evidence = [course_evidence("glucocorticoid", order.course, "draft order") for order in orders]
    end = last_day(context, orders)
    if end is None:
        return unknown("duration not ordered", "glucocorticoid_duration", evidence=evidence)
    return known(months_between(context.today, end), evidence)
