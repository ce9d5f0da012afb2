"""Orders at hand: the drafts of an order hook, as the courses that they would begin, change or stop."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from app.chart import CourseFact, CourseStatus, DraftOrder, OrderAction
from app.fhir.medications.product import is_coded, product_of
from app.fhir.medications.records import read_medication_record
from app.fhir.resource import NOT_IDENTIFIED, NOT_RECOGNISED, Reading, ref_of, reference_id, status_of
from app.wire.medications import MedicationRequest

_STOPPING = frozenset({"stopped", "cancelled", "completed", "ended"})


def read_draft(
    resource: MedicationRequest, courses: Collection[CourseFact], selections: Collection[str] | None, reading: Reading
) -> DraftOrder | None:
    """One MedicationRequest of `draftOrders`. None for a draft that was entered in error."""
    ref = ref_of(resource)
    status = status_of(resource.status)
    stops = status in _STOPPING or resource.do_not_perform is True
    as_draft = replace(resource, status="draft", do_not_perform=False, intent="order")
    if status == "entered-in-error":
        reading.leave_out(resource, "entered-in-error")
        return None
    record = read_medication_record(as_draft, reading)
    replaces = reference_id(resource.prior_prescription)
    recognised = record is not None or is_coded(resource, reading)
    if record is None:
        name = product_of(resource, reading).name
        if not recognised:
            reading.leave_out(resource, NOT_RECOGNISED if name else NOT_IDENTIFIED)
        course = CourseFact(refs=(ref,), drugs=frozenset(), name=name, status=CourseStatus.PLANNED)
    else:
        course = replace(record.course, status=CourseStatus.PLANNED, last_given=None)
    ingredients = record.ingredients if record else frozenset()
    return DraftOrder(
        ref=ref,
        course=course,
        action=OrderAction.STOP if stops else _action(ingredients, courses, replaces),
        selected=selections is None or f"{resource.kind}/{resource.id}" in selections,
        recognised=recognised,
        replaces=replaces,
        ingredients=ingredients,
    )


def _action(ingredients: frozenset[str], courses: Collection[CourseFact], replaces: str | None) -> OrderAction:
    """A change, where the order names what it replaces or the same drug is running; else a start."""
    running = {CourseStatus.CURRENT, CourseStatus.ON_HOLD}
    same = any(ingredients and ingredients <= course.drugs and course.status in running for course in courses)
    return OrderAction.CHANGE if replaces or same else OrderAction.START
