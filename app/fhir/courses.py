"""Drug courses: what medication records of four kinds tell, one course per drug, route, dose and time.

Contract, section 2: one ingredient, route and dose with overlapping periods is one course, whatever the resource type;
different strengths at the same time stay separate, so that they add up. Decision 34: a record that is "active" without
any sign of life for a time makes current use unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from app.fhir.chart import CourseFact, CourseStatus, DateRange, Dose, Route
from app.fhir.codes import TextKind, match, name_of
from app.fhir.dates import earliest, latest, minus_months, read_period
from app.fhir.dosage import read_dosage
from app.fhir.drugs import acts_months, classes_of, ingredients_of, refined, route_of, usual_route
from app.fhir.medications import product_of
from app.fhir.records import (
    ENTERED_IN_ERROR,
    NOT_DONE,
    STATUS,
    Reading,
    Resource,
    coded_status,
    objects,
    ref_of,
    status_of,
)

_STATUSES = {
    "MedicationStatement": {
        "active": CourseStatus.CURRENT,
        "recorded": CourseStatus.CURRENT,  # R5; what it says about taking stands in `adherence`
        "completed": CourseStatus.PAST,
        "stopped": CourseStatus.PAST,
        "on-hold": CourseStatus.ON_HOLD,
        "intended": CourseStatus.PLANNED,
        "unknown": CourseStatus.UNKNOWN,
        "": CourseStatus.UNKNOWN,
    },
    "MedicationRequest": {
        "active": CourseStatus.CURRENT,
        "completed": CourseStatus.PAST,
        "stopped": CourseStatus.PAST,
        "ended": CourseStatus.PAST,  # R5
        "on-hold": CourseStatus.ON_HOLD,
        "draft": CourseStatus.PLANNED,
        "unknown": CourseStatus.UNKNOWN,
        "": CourseStatus.UNKNOWN,
    },
    "MedicationAdministration": {"completed": CourseStatus.PAST, "in-progress": CourseStatus.CURRENT},
    "MedicationDispense": {"completed": CourseStatus.UNKNOWN, "in-progress": CourseStatus.UNKNOWN},
}
_NO_EXPOSURE = frozenset({"not-taken", "cancelled", "not-done", "declined", "preparation"})
MEDICATION_RECORDS = frozenset(_STATUSES)


@dataclass(frozen=True, slots=True)
class CourseRecord:
    """One medication record, as a course of its own. `gives`: a dose that was given or handed out, not an intention."""

    course: CourseFact
    ingredients: frozenset[str]
    gives: bool = False


def read_medication_record(resource: Resource, reading: Reading) -> CourseRecord | None:
    """One medication record; None where it is no exposure, or its drug is not one that matters here."""
    status = _status(resource, reading)
    return None if status is None else _record(resource, status, reading)


def _status(resource: Resource, reading: Reading) -> CourseStatus | None:
    kind, code = str(resource["resourceType"]), status_of(resource)
    if code == ENTERED_IN_ERROR:
        reading.leave_out(resource, ENTERED_IN_ERROR)
        return None
    refused = (
        code in _NO_EXPOSURE
        or resource.get("doNotPerform") is True
        or status_of(resource, "intent") in {"proposal", "option"}
        or status_of(resource, "taken") in {"n", "na"}  # STU3
        or resource.get("notGiven") is True  # STU3
        or coded_status(resource.get("adherence") or {}, "code") in {"not-taking", "stopped"}  # R5
    )
    status = _STATUSES[kind].get(code)
    if refused or status is None:
        reading.leave_out(resource, NOT_DONE if refused else STATUS)
        return None
    return status


def _record(resource: Resource, status: CourseStatus, reading: Reading) -> CourseRecord | None:
    product = product_of(resource, reading)
    if not product.found.concepts:
        return None
    kind = str(resource["resourceType"])
    gives = kind in {"MedicationAdministration", "MedicationDispense"}
    instructions = resource.get("dosageInstruction") or resource.get("dosage")
    dosage = read_dosage(instructions, product, product.found.concepts, reading)
    drugs = refined(product.found.concepts, dosage.dose, product.strength_mg, f"{product.name} {product.found.text}")
    recorded_route = next((entry["route"] for entry in objects(instructions) if entry.get("route")), None)
    route = route_of(recorded_route, product.found.text) or usual_route(drugs)
    times = _times(resource, status, dosage.starts, dosage.ends, reading)
    course = CourseFact(
        refs=(ref_of(resource),),
        drugs=drugs | classes_of(drugs, route=route),
        name=product.name,
        status=_by_dates(status, times, reading.today),
        started=times.started,
        ended=times.ended,
        last_given=times.given or _only_dose(drugs, times, reading.today),
        last_seen=times.seen,
        planned_days=dosage.planned_days,
        route=route,
        dose=dosage.dose,
        stop_reason=_stop_reason(resource),
        reason_concepts=_reasons(resource),
        matched_by_text=product.found.by_text,
        code_text_conflict=product.found.conflict,
    )
    return CourseRecord(course, ingredients_of(drugs), gives)


@dataclass(frozen=True, slots=True)
class _Times:
    started: DateRange | None = None
    ended: DateRange | None = None
    given: DateRange | None = None
    seen: DateRange | None = None
    single: DateRange | None = None  # the one day that a record without a period is about


def _times(
    resource: Resource,
    status: CourseStatus,
    bounds_start: DateRange | None,
    bounds_end: DateRange | None,
    reading: Reading,
) -> _Times:
    match resource["resourceType"]:
        case "MedicationStatement":
            period = resource.get("effectivePeriod")
            start, end = read_period(period, reading.tz)
            single = None if isinstance(period, dict) else reading.date(resource.get("effectiveDateTime"))
            start = start or single or bounds_start
            end = end or bounds_end
            return _Times(start, end, None, latest(reading.date(resource.get("dateAsserted")), start), single)
        case "MedicationRequest":
            authored = reading.date(resource.get("authoredOn"))
            dispense = resource.get("dispenseRequest")
            valid_from, valid_to = read_period(
                dispense.get("validityPeriod") if isinstance(dispense, dict) else None, reading.tz
            )
            start = bounds_start or earliest(authored, valid_from)
            end = bounds_end or (valid_to if status is CourseStatus.PAST else None)
            return _Times(start, end, None, latest(authored, start), None if bounds_start or valid_from else authored)
        case "MedicationAdministration":
            start, end = read_period(resource.get("effectivePeriod") or resource.get("occurencePeriod"), reading.tz)
            when = reading.date(resource.get("effectiveDateTime") or resource.get("occurenceDateTime"))
            start, end = when or start, when or end or start
            return _Times(start, end, end, end, when)
        case _:
            handed = reading.date(resource.get("whenHandedOver")) or reading.date(resource.get("whenPrepared"))
            return _Times(handed, None, handed, handed, handed)


def _by_dates(status: CourseStatus, times: _Times, today: date) -> CourseStatus:
    """An "active" record that has ended is past, one that has yet to begin is planned."""
    if status is CourseStatus.CURRENT:
        if times.ended is not None and times.ended.latest < today:
            return CourseStatus.PAST
        if times.started is not None and times.started.earliest > today:
            return CourseStatus.PLANNED
    return status


def _only_dose(drugs: frozenset[str], times: _Times, today: date) -> DateRange | None:
    """The last dose of a depot drug where no dose is recorded as given.

    A record that is about one day is that dose; a course that began less than one interval ago has had its first only.
    """
    months = acts_months(drugs)
    if months is None:
        return None
    if times.single is not None and times.single.earliest <= today:
        return times.single
    start = times.started
    recent = start is not None and minus_months(today, months) <= start.earliest and start.latest <= today
    return start if recent else None


def _stop_reason(resource: Resource) -> str | None:
    reasons = [name_of(reason) for reason in objects(resource.get("statusReason"))]
    reasons += [name_of(reason) for reason in objects(resource.get("reasonNotTaken"))]  # STU3
    return ", ".join(reason for reason in reasons if reason) or None


def _reasons(resource: Resource) -> frozenset[str]:
    found: set[str] = set()
    for reason in objects(resource.get("reasonCode") or resource.get("reason")):
        concept = reason["concept"] if isinstance(reason.get("concept"), dict) else reason
        found |= match(concept, TextKind.CONDITION).concepts
    return frozenset(found)


# ------------------------------------------------------------------------------------------------------- merging


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
    """Whether two records can be of one dose: an unknown dose can be any."""
    if one.daily_mg is not None and other.daily_mg is not None:
        return one.daily_mg == other.daily_mg and one.elemental == other.elemental
    if one.single_mg is not None and other.single_mg is not None:
        return one.single_mg == other.single_mg
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
        last_given=latest(_recorded_dose(record.course), dose.course.last_given),
        last_seen=latest(record.course.last_seen, dose.course.last_seen),
    )
    return replace(record, course=course)


def _recorded_dose(course: CourseFact) -> DateRange | None:
    return course.last_given


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
