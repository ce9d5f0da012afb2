"""Calcium supplements: elemental calcium per day. The salt alone never tells the calcium in it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from app.chart import CourseFact, CourseStatus, OrderAction
from app.features.catalogue import feature
from app.features.drugs.draft_orders import starting
from app.features.drugs.exposure import asked, courses, dose_note, not_asked
from app.features.model import Evidence, Feature, Features, Kind, interval, known, unknown
from app.features.notes import NoteCode, note

READS = ("medications", "medicationRequests")
CALCIUM = ("calcium", "calcium_vitamin_d")


def _current(context: Features) -> list[CourseFact]:
    found = {id(course): course for name in CALCIUM for course in courses(context, name)}  # comparing them is dear
    return [course for course in found.values() if course.status in (CourseStatus.CURRENT, CourseStatus.UNKNOWN)]


def _total(running: Iterable[CourseFact], name: str) -> Feature:
    total, unclear, evidence = Decimal(0), "", []
    for course in running:
        dose, why = course.dose.daily_mg, dose_note(course)
        if course.status is CourseStatus.UNKNOWN:
            dose, why = None, NoteCode.NO_RECENT_SIGN_OF_USE
        elif dose is not None and not course.dose.elemental:
            dose, why = None, NoteCode.DOSE_OF_THE_SALT
        if dose is None:
            unclear = why
        else:
            total += dose
        evidence.append(
            Evidence(
                name,
                dose,
                "mg/d",
                course.started,
                course.refs[0],
                (note(NoteCode.RECORDED, course.name) if dose is not None else note(why, product=course.name),),
            )
        )
    if unclear:
        return interval(total, None, evidence, missing=("calcium_preparation",), why=unclear.replace("_", " "))
    return known(total, evidence)


@feature(
    "elemental_calcium_daily_mg",
    Kind.NUMBER,
    "mg/d",
    meaning="Elemental calcium from current supplements.",
    reads=READS,
)
def elemental_calcium_daily_mg(context: Features) -> Feature:
    """Sum over the current calcium supplements, mg/d of elemental calcium; 0 when none is listed.

    A dose without a statement whether it is calcium or its salt leaves the sum of the others as the least
    (calcium_preparation).
    """
    running = _current(context)
    if not running:
        return known(Decimal(0)) if asked(context) else not_asked("calcium")
    return _total(running, "elemental_calcium_daily_mg")


@feature(
    "elemental_calcium_with_orders_mg",
    Kind.NUMBER,
    "mg/d",
    meaning="Elemental calcium from supplements when the draft orders are signed.",
    reads=READS,
)
def elemental_calcium_with_orders_mg(context: Features) -> Feature:
    """Current supplements without those that a draft order replaces or stops, plus the draft orders; mg/d elemental."""
    drafts = dict.fromkeys(order for name in CALCIUM for order in starting(context, name, selected_only=False))
    replaced = {order.replaces for order in drafts if order.replaces}
    replaced |= {order.ref for order in context.chart.draft_orders if order.action is not OrderAction.START}
    running = [course for course in _current(context) if replaced.isdisjoint(course.refs)]
    if not running and not drafts and not asked(context):
        return not_asked("calcium")
    total = _total([*running, *(order.course for order in drafts)], "elemental_calcium_with_orders_mg")
    if asked(context) or not total.known:
        return total
    return unknown("medications not provided", "calcium_use", evidence=total.evidence)
