"""One fact told twice is one fact: medication records of one drug, route, dose and time are one course.

Contract, section 2: one ingredient, route and dose with overlapping periods is one course, whatever the resource type;
different strengths at the same time stay separate, so that they add up. Decision 34: a record that is "active" without
any sign of life for a time makes current use unknown.
"""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from app.chart import CourseFact, CourseStatus, Dose, Route
from app.dates import earliest, latest, minus_months
from app.fhir.medications.records import CourseRecord
from app.fhir.resource import Reading
from app.terminology.drug_classes import acts_months


def merge_courses(records: list[CourseRecord], reading: Reading) -> tuple[CourseFact, ...]:
    """The courses that the records tell: courses first, then what was given or handed out joins them."""
    today = reading.today
    merged: list[CourseRecord] = []
    ordered = sorted((r for r in records if not r.gives), key=_start_order)
    for record in ordered:
        _join(merged, record, today)
    given: list[CourseRecord] = []
    for record in sorted((r for r in records if r.gives), key=_start_order):
        index = _course_of(merged, record, today)
        if index is None:
            _join(given, record, today)
        else:
            merged[index] = _with_dose_given(merged[index], record)
    alone = [_alone(record, today) for record in given]
    limit = minus_months(today, reading.settings.active_record_months)
    return tuple(_without_sign_of_life(record.course, today, limit) for record in merged) + tuple(alone)


def _start_order(record: CourseRecord) -> tuple[date, date, tuple[str, ...]]:
    start = record.course.started
    day = (start.earliest, start.latest) if start else (date.max, date.max)
    return (*day, record.course.refs)


def _join(merged: list[CourseRecord], record: CourseRecord, today: date) -> None:
    for index in range(len(merged) - 1, -1, -1):
        if _one_course(merged[index], record, today):
            merged[index] = CourseRecord(_merged(merged[index].course, record.course), record.ingredients, record.gives)
            return
    merged.append(record)


def _one_course(one: CourseRecord, other: CourseRecord, today: date) -> bool:
    planned = CourseStatus.PLANNED
    if one.ingredients != other.ingredients or (one.course.status is planned) != (other.course.status is planned):
        return False
    if one.course.code_text_conflict != other.course.code_text_conflict:
        return False
    same_route = _same(one.course.route, other.course.route)
    return same_route and _same_dose(one.course.dose, other.course.dose) and _overlap(one.course, other.course, today)


def _same(one: Route | None, other: Route | None) -> bool:
    return one is None or other is None or one is other


def _same_dose(one: Dose, other: Dose) -> bool:
    """Whether two records can be of one dose: an unknown dose can be any.

    5 mg once and 2.5 mg twice are two prescriptions of one day, not one written twice (contract, section 2).
    """
    if one.single_mg is not None and other.single_mg is not None and one.single_mg != other.single_mg:
        return False
    if one.daily_mg is not None and other.daily_mg is not None:
        return one.daily_mg == other.daily_mg and one.elemental == other.elemental
    return True


def _overlap(one: CourseFact, other: CourseFact, today: date) -> bool:
    start_one, end_one = _span(one, today)
    start_other, end_other = _span(other, today)
    return start_one <= end_other and start_other <= end_one


def _span(course: CourseFact, today: date) -> tuple[date, date]:
    """The days that a course may cover. An end that is not recorded lies before its last sign of life."""
    start = course.started.earliest if course.started else date.min
    if course.ended is not None:
        return start, course.ended.latest
    if course.status is CourseStatus.PAST and course.last_seen is not None:
        return start, max(course.last_seen.latest, start)
    return start, max(today, start)


_RANK = (
    CourseStatus.CURRENT,
    CourseStatus.ON_HOLD,
    CourseStatus.UNKNOWN,
    CourseStatus.PAST,
    CourseStatus.PLANNED,
)


def _decides(one: CourseFact, other: CourseFact) -> CourseFact:
    """Of two records of one course the one whose status holds: the later assertion, else the one that says more."""
    seen_one, seen_other = one.last_seen, other.last_seen
    same_start = one.started == other.started or one.started is None or other.started is None
    if same_start and seen_one and seen_other and seen_one.latest != seen_other.latest:
        return one if seen_one.latest > seen_other.latest else other
    return min((one, other), key=lambda course: _RANK.index(course.status))


def _merged(one: CourseFact, other: CourseFact) -> CourseFact:
    decides = _decides(one, other)
    ended = decides.ended
    if ended is None and decides.status is CourseStatus.PAST:
        ended = latest(one.ended, other.ended)
    if one.status is other.status and one.ended and other.ended:
        ended = latest(one.ended, other.ended)
    dose = one.dose if _knows_more(one.dose, other.dose) else other.dose
    return replace(
        decides,
        refs=one.refs + tuple(ref for ref in other.refs if ref not in one.refs),
        drugs=one.drugs | other.drugs,
        started=earliest(one.started, other.started),
        ended=ended,
        last_given=latest(one.last_given, other.last_given),
        last_seen=latest(one.last_seen, other.last_seen),
        planned_days=decides.planned_days if decides.planned_days is not None else one.planned_days,
        route=one.route or other.route,
        dose=dose,
        stop_reason=one.stop_reason or other.stop_reason,
        reason_concepts=one.reason_concepts | other.reason_concepts,
        matched_by_text=one.matched_by_text and other.matched_by_text,
    )


def _knows_more(one: Dose, other: Dose) -> bool:
    return (one.daily_mg is not None, one.single_mg is not None) >= (
        other.daily_mg is not None,
        other.single_mg is not None,
    )


def _course_of(merged: list[CourseRecord], record: CourseRecord, today: date) -> int | None:
    """The course that a dose belongs to: same drug, route and dose, and given while the course may have run."""
    for index in range(len(merged) - 1, -1, -1):
        course = merged[index]
        if course.course.status is not CourseStatus.PLANNED and _one_course(course, record, today):
            return index
    return None


def _with_dose_given(record: CourseRecord, dose: CourseRecord) -> CourseRecord:
    course = replace(
        record.course,
        refs=record.course.refs + tuple(ref for ref in dose.course.refs if ref not in record.course.refs),
        last_given=latest(record.course.last_given, dose.course.last_given),
        last_seen=latest(record.course.last_seen, dose.course.last_seen),
    )
    return replace(record, course=course)


def _alone(record: CourseRecord, today: date) -> CourseFact:
    """A dose without an order or statement: under treatment as long as a depot drug acts, else past."""
    course = record.course
    months = acts_months(record.ingredients)
    given = course.last_given
    acting = months is not None and given is not None and minus_months(today, months) <= given.earliest
    if acting:
        return replace(course, status=CourseStatus.CURRENT, ended=None)
    return course


def _without_sign_of_life(course: CourseFact, today: date, limit: date) -> CourseFact:
    """Decision 34. A record without any date says nothing about its age and is left as it is."""
    if course.status is not CourseStatus.CURRENT or (course.ended is not None and course.ended.latest >= today):
        return course
    seen = latest(course.last_seen, course.last_given)
    if seen is None or seen.latest >= limit:
        return course
    return replace(course, status=CourseStatus.UNKNOWN)
