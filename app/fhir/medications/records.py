"""Medication records of four kinds, each as a drug course of its own: drug, status, time, dose, route.

That several records are one course is found later (app.fhir.medications.courses).
"""

from __future__ import annotations

from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from app.chart import CourseFact, CourseStatus, DateRange
from app.dates import earliest, latest, minus_months
from app.fhir.medications.dosage import dose_over_time, end_of_dosage, read_dosage
from app.fhir.medications.product import Product, is_coded, product_of
from app.fhir.resource import (
    ENTERED_IN_ERROR,
    IN_FUTURE,
    NOT_DONE,
    NOT_IDENTIFIED,
    NOT_UNDERSTOOD,
    STATUS,
    Reading,
    coded_status,
    ref_of,
    reference_id,
    status_of,
)
from app.terminology.codeable_concept import name_of
from app.terminology.codes import named_condition
from app.terminology.drug_classes import (
    bone_products,
    classes_of,
    ingredients_of,
    months_of_a_dose,
    refined,
    route_of,
    usual_route,
)
from app.terminology.word_lists import Sense
from app.wire.elements import Period
from app.wire.medications import (
    MedicationAdministration,
    MedicationDispense,
    MedicationRecord,
    MedicationRequest,
    MedicationStatement,
)

_STATUSES: dict[type[MedicationRecord], dict[str, CourseStatus]] = {
    MedicationStatement: {
        "active": CourseStatus.CURRENT,
        "recorded": CourseStatus.CURRENT,  # R5; `adherence` tells whether it is taken
        "completed": CourseStatus.PAST,
        "stopped": CourseStatus.PAST,
        "on-hold": CourseStatus.ON_HOLD,
        "intended": CourseStatus.PLANNED,
        "unknown": CourseStatus.UNKNOWN,
        "": CourseStatus.UNKNOWN,
    },
    MedicationRequest: {
        "active": CourseStatus.CURRENT,
        "completed": CourseStatus.PAST,
        "stopped": CourseStatus.PAST,
        "ended": CourseStatus.PAST,  # R5
        "on-hold": CourseStatus.ON_HOLD,
        "draft": CourseStatus.PLANNED,
        "unknown": CourseStatus.UNKNOWN,
        "": CourseStatus.UNKNOWN,
    },
    MedicationAdministration: {"completed": CourseStatus.PAST, "in-progress": CourseStatus.CURRENT},
    MedicationDispense: {"completed": CourseStatus.UNKNOWN, "in-progress": CourseStatus.UNKNOWN},
}
_NO_EXPOSURE = frozenset({"not-taken", "cancelled", "not-done", "declined", "preparation"})
_DONE = frozenset({"completed", "stopped", "ended"})
MEDICATION_RECORDS = tuple(_STATUSES)


class CourseRecord(Struct, frozen=True, gc=False):
    """One medication record, as a course of its own.

    `gives`: a dose that was given or handed out, not an intention; `dispensed`: handed out. `ordered_only`: a completed
    order or statement of one dose of a depot drug, which counts as given on its day (decision 49). `moment`: when a
    dose was given, in seconds; 0 without time of day. `replaces`: the id of the order that this one replaces.
    """

    course: CourseFact
    ingredients: frozenset[str]
    gives: bool = False
    dispensed: bool = False
    ordered_only: bool = False
    moment: int = 0
    replaces: str | None = None


def read_medication_record(resource: MedicationRecord, reading: Reading) -> CourseRecord | None:
    """One medication record; None where it is no exposure, or its drug is not one that matters here."""
    status = _status(resource, reading)
    return None if status is None else _record(resource, status, reading)


def _status(resource: MedicationRecord, reading: Reading) -> CourseStatus | None:
    code = status_of(resource.status)
    if code == ENTERED_IN_ERROR:
        reading.leave_out(resource, ENTERED_IN_ERROR)
        return None
    refused = (
        code in _NO_EXPOSURE
        or resource.do_not_perform is True
        or status_of(resource.intent) in {"proposal", "option"}
        or status_of(resource.taken) in {"n", "na"}  # STU3
        or resource.not_given is True  # STU3
        or (resource.adherence is not None and coded_status(resource.adherence.code) in {"not-taking", "stopped"})  # R5
    )
    status = _STATUSES[type(resource)].get(code)
    if refused or status is None:
        reading.leave_out(resource, NOT_DONE if refused else STATUS)
        return None
    if _done_in_future(resource, code, reading):
        reading.leave_out(resource, IN_FUTURE)
        return None
    return status


def _done_in_future(resource: MedicationRecord, status: str, reading: Reading) -> bool:
    """Whether a record reports something as done on a future day."""
    if isinstance(resource, MedicationAdministration | MedicationDispense):
        when = _times(resource, CourseStatus.PAST, None, None, reading).started
    elif status not in _DONE:
        return False
    elif isinstance(resource, MedicationRequest):
        when = reading.date(resource.authored_on)
    else:
        when = reading.date(resource.effective_date_time) if isinstance(resource, MedicationStatement) else None
    return when is not None and reading.is_future(when)


def _record(resource: MedicationRecord, status: CourseStatus, reading: Reading) -> CourseRecord | None:
    product = product_of(resource, reading)
    if not product.found.concepts:
        return _unclear(resource, status, product, reading)
    gives = isinstance(resource, MedicationAdministration | MedicationDispense)
    instructions = resource.instructions
    dosage = read_dosage(instructions, product, product.found.concepts, reading)
    drugs = refined(product.found.concepts, dosage.dose, product.strength_mg, f"{product.name} {product.found.text}")
    recorded_route = next((entry.route for entry in instructions if entry.route is not None), None)
    route = route_of(recorded_route, product.found.text) or usual_route(drugs)
    times = _times(resource, status, dosage.starts, dosage.ends, reading)
    if not gives and times.ended is None:
        times = replace(times, ended=end_of_dosage(dosage, times.started))
    months = months_of_a_dose(ingredients_of(drugs), route, dosage.dose.single_mg, product.name)
    dose, doses = dose_over_time(dosage, times.started, reading.today)
    course = CourseFact(
        refs=(ref_of(resource),),
        drugs=drugs | classes_of(drugs, route=route),
        name=product.name,
        status=_by_dates(status, times, reading.today),
        started=times.started,
        ended=times.ended,
        last_given=times.given or _only_dose(months, times, reading.today),
        last_seen=times.seen,
        planned_days=dosage.planned_days,
        route=route,
        dose=dose,
        stop_reason=_stop_reason(resource),
        reason_concepts=_reasons(resource, reading),
        matched_by_text=product.found.by_text,
        code_text_conflict=product.found.conflict,
        doses=doses,
    )
    completed = not gives and status_of(resource.status) == "completed"
    return CourseRecord(
        course,
        ingredients_of(drugs),
        gives,
        dispensed=isinstance(resource, MedicationDispense),
        ordered_only=completed and times.single is not None and course.last_given is not None,
        moment=reading.seconds(resource.effective_date_time) if isinstance(resource, MedicationAdministration) else 0,
        replaces=reference_id(resource.prior_prescription) if isinstance(resource, MedicationRequest) else None,
    )


def _unclear(
    resource: MedicationRecord, status: CourseStatus, product: Product, reading: Reading
) -> CourseRecord | None:
    """A current drug that was not understood, or that nothing identifies: it can be one of ours (decisions 56, 66)."""
    found = product.found
    if found.unclear or (found.named and found.sense is not Sense.AFFIRMED):
        drugs, reason = found.unclear or found.named, NOT_UNDERSTOOD
    elif not found.text and not is_coded(resource, reading):
        drugs, reason = bone_products(), NOT_IDENTIFIED
    else:
        return None
    times = _times(resource, status, None, None, reading)
    running = _by_dates(status, times, reading.today) in {CourseStatus.CURRENT, CourseStatus.UNKNOWN}
    if not running or isinstance(resource, MedicationAdministration | MedicationDispense):
        if reason is NOT_UNDERSTOOD and status is not CourseStatus.PLANNED:
            reading.leave_out(resource, reason)
        return None
    reading.leave_out(resource, reason)
    ref = ref_of(resource)
    course = CourseFact(
        refs=(ref,),
        drugs=drugs | classes_of(drugs, route=None),
        name=product.name or reason,
        status=CourseStatus.UNCLEAR,
        started=times.started,
        last_seen=times.seen,
        matched_by_text=reason is NOT_UNDERSTOOD,
    )
    return CourseRecord(course, frozenset({ref}))


class _Times(Struct, frozen=True, gc=False):
    started: DateRange | None = None
    ended: DateRange | None = None
    given: DateRange | None = None
    seen: DateRange | None = None
    single: DateRange | None = None  # the one day that a record without a period is about


def _times(
    resource: MedicationRecord,
    status: CourseStatus,
    bounds_start: DateRange | None,
    bounds_end: DateRange | None,
    reading: Reading,
) -> _Times:
    match resource:
        case MedicationStatement():
            period = resource.effective_period
            start, end = _period(period, reading)
            single = None if period is not None else reading.date(resource.effective_date_time)
            start = start or single or bounds_start
            end = end or bounds_end
            return _Times(start, end, None, latest(reading.date(resource.date_asserted), start), single)
        case MedicationRequest():
            authored = reading.date(resource.authored_on)
            dispense = resource.dispense_request
            valid_from, valid_to = _period(dispense.validity_period if dispense else None, reading)
            start = bounds_start or earliest(authored, valid_from)
            end = bounds_end or (valid_to if status is CourseStatus.PAST else None)
            return _Times(start, end, None, latest(authored, start), None if bounds_start or valid_from else authored)
        case MedicationAdministration():
            start, end = _period(resource.effective_period or resource.occurence_period, reading)
            when = reading.date(resource.effective_date_time or resource.occurence_date_time)
            start, end = when or start, when or end or start
            return _Times(start, end, end, end, when)
        case MedicationDispense():
            handed = reading.date(resource.when_handed_over) or reading.date(resource.when_prepared)
            return _Times(handed, None, handed, handed, handed)
        case _:
            raise TypeError(f"{resource.kind} is no medication record")


def _period(period: Period | None, reading: Reading) -> tuple[DateRange | None, DateRange | None]:
    """Start and end of a Period; each None where it is open or unreadable."""
    return (None, None) if period is None else (reading.date(period.start), reading.date(period.end))


def _by_dates(status: CourseStatus, times: _Times, today: date) -> CourseStatus:
    """An "active" record that has ended is past, one that has yet to begin is planned."""
    if status is CourseStatus.CURRENT:
        if times.ended is not None and times.ended.latest < today:
            return CourseStatus.PAST
        if times.started is not None and times.started.earliest > today:
            return CourseStatus.PLANNED
    return status


def _only_dose(months: int | None, times: _Times, today: date) -> DateRange | None:
    """The last dose of a depot drug where no dose is recorded as given.

    A record that is about one day is that dose; a course that began less than one interval ago has had its first only.
    """
    if months is None:
        return None
    if times.single is not None and times.single.earliest <= today:
        return times.single
    start = times.started
    recent = start is not None and minus_months(today, months) <= start.earliest and start.latest <= today
    return start if recent else None


def _stop_reason(resource: MedicationRecord) -> str | None:
    reasons = [name_of(reason) for reason in (*resource.status_reason, *resource.reason_not_taken)]
    return ", ".join(reason for reason in reasons if reason) or None


def _reasons(resource: MedicationRecord, reading: Reading) -> frozenset[str]:
    found: set[str] = set()
    for reason in resource.reason_code or resource.reason:
        found |= reading.recall(named_condition, reason.named).concepts
    return frozenset(found)
