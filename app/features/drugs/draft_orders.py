"""Draft orders of an order hook: what signing them would start, change or stop. Elsewhere there are none: false."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.chart import CourseFact, CourseStatus, DateRange, DraftOrder, OrderAction, Source
from app.dates import add_days, months_between
from app.features.catalogue import family, feature
from app.features.drugs.exposure import CLASS, belongs, candidates, course_evidence, current_start, taken
from app.features.model import Evidence, Feature, Features, Kind, any_of, interval, known, none_on_record, unknown
from app.features.notes import Note, NoteCode, note
from app.terminology.drug_classes import substance_of


def starting(context: Features, drug_class: str, *, selected_only: bool = True) -> list[DraftOrder]:
    """The draft orders that would start or change a drug of the class."""
    return [
        order
        for order in context.chart.draft_orders
        if order.action is not OrderAction.STOP
        and (order.selected or not selected_only)
        and belongs(order.course, drug_class)
    ]


def last_day(context: Features, orders: list[DraftOrder]) -> date | None:
    """The day on which the longest of some draft orders ends; None where one of them has no duration."""
    days = [order.course.planned_days for order in orders]
    known_days = [number for number in days if number is not None]
    return add_days(context.today, max(known_days)) if known_days and len(known_days) == len(days) else None


def _shown(drug_class: str, orders: list[DraftOrder]) -> list[Evidence]:
    return [_drug(drug_class, order, note(NoteCode.DRAFT_ORDER)) for order in orders]


def _drug(feature: str, order: DraftOrder, *notes: Note) -> Evidence:
    course = order.course
    started = course.started if notes else None
    return Evidence(feature, course.name, None, started, order.ref, notes, substance_of(course.drugs))


@family("ordered", CLASS, kind=Kind.TRUTH, meaning="A draft order at hand would start or change: {}.", reads=())
def ordered(context: Features, drug_class: str) -> Feature:
    """A selected draft order starts or changes a drug of the class, whatever its indication (safety first)."""
    orders = starting(context, drug_class)
    return known(bool(orders), _shown(drug_class, orders))


@family(
    "months_with_order",
    CLASS,
    kind=Kind.NUMBER,
    unit="months",
    meaning="Months of use at the end of the draft orders at hand: {}.",
    reads=("medications",),
)
def months_with_order(context: Features, drug_class: str) -> Feature:
    """From the start of the present use, else today, to the end of the longest selected draft; none ordered = 0.

    An order without a duration: unknown.
    """
    orders = starting(context, drug_class)
    if not orders:
        return known(Decimal(0))
    shown = _shown(drug_class, orders)
    end = last_day(context, orders)
    if end is None:
        return unknown("duration not ordered", f"{drug_class}_duration", evidence=shown)
    running = context.feature(f"takes.{drug_class}").value is True
    start = current_start(context, drug_class) if running else DateRange(context.today, context.today)
    if start is None:
        return unknown("start not recorded", f"{drug_class}_duration", evidence=shown)
    return interval(months_between(start.latest, end), months_between(start.earliest, end), shown)


@feature("orders_at_hand", Kind.TRUTH, meaning="The call is about draft orders.", reads=())
def orders_at_hand(context: Features) -> Feature:
    """There is at least one draft, of a drug or an examination: order-select or order-sign (decision 32)."""
    drafts = context.chart.draft_orders
    shown = [_drug("draft_order", order) for order in drafts]
    services = any(service.draft for service in context.chart.services)
    return known(context.chart.about_orders or bool(drafts) or services, shown)


@family("order_stops", CLASS, kind=Kind.TRUTH, meaning="A draft order at hand would stop: {}.", reads=())
def order_stops(context: Features, drug_class: str) -> Feature:
    """A selected draft order stops a drug of the class."""
    orders = [
        order
        for order in context.chart.draft_orders
        if order.action is OrderAction.STOP and order.selected and belongs(order.course, drug_class)
    ]
    return known(bool(orders), _shown(drug_class, orders))


@family(
    "order_ends",
    CLASS,
    kind=Kind.TRUTH,
    meaning="A draft order at hand would end, by a stop or by a bone drug in its place: {}.",
    reads=("medications", "medicationRequests"),
)
def order_ends(context: Features, drug_class: str) -> Feature:
    """A selected draft stops the class, or is another bone drug whose priorPrescription is of it (decision 51)."""
    stopping = context.feature(f"order_stops.{drug_class}")
    if stopping.value is True:
        return stopping
    ids = {ref.rpartition("/")[2] for course in taken(context, drug_class) for ref in course.refs}
    successors = [
        order
        for order in starting(context, "bone_drug")
        if (order.replaces or "").rpartition("/")[2] in ids and not belongs(order.course, drug_class)
    ]
    return known(bool(successors), _shown("bone_drug", successors))


@family(
    "running_or_ordered",
    CLASS,
    kind=Kind.TRUTH,
    meaning="Taken at present or in the draft orders: {}.",
    reads=("medications",),
)
def running_or_ordered(context: Features, drug_class: str) -> Feature:
    """Current use, or any draft order of the class: what the patient will take when the orders are signed."""
    orders = starting(context, drug_class, selected_only=False)
    return any_of([known(bool(orders), _shown(drug_class, orders)), context.feature(f"takes.{drug_class}")])


@family("stop_planned", CLASS, kind=Kind.TRUTH, meaning="About to be stopped, or paused: {}.", reads=("medications",))
def stop_planned(context: Features, drug_class: str) -> Feature:
    """A draft order stops the class, or a course of it is on hold or has an announced end that has not come."""
    stopping = context.feature(f"order_stops.{drug_class}")
    if stopping.value is True:
        return stopping
    courses = [course for course in candidates(context, drug_class) if belongs(course, drug_class)]
    ending = [course for course in courses if _ends(context, course)]
    if ending:
        return known(True, [course_evidence(drug_class, course, _end_note(course)) for course in ending])
    using = context.feature(f"takes.{drug_class}")
    return none_on_record() if using.known or courses else using


def _ends(context: Features, course: CourseFact) -> bool:
    if course.status is CourseStatus.ON_HOLD:
        return True
    announced = course.ended is not None and course.ended.latest >= context.today
    return announced and course.status is CourseStatus.CURRENT


def _end_note(course: CourseFact) -> Note:
    if course.status is CourseStatus.ON_HOLD:
        return note(NoteCode.ON_HOLD)
    return note(NoteCode.ENDS, str(course.ended))


DENTAL_PROCEDURES = ("tooth_extraction", "invasive_dental_procedure", "planned_invasive_dental_procedure")


@feature(
    "planned_invasive_dental_procedure",
    Kind.TRUTH,
    meaning="An invasive procedure in the mouth is planned.",
    reads=("observations", "procedures"),
)
def planned_invasive_dental_procedure(context: Features) -> Feature:
    """A finding says so, or a tooth extraction or other invasive dental procedure is in preparation."""
    planned = [fact for fact in context.procedures(*DENTAL_PROCEDURES) if fact.planned]
    if planned:
        return known(
            True,
            [
                Evidence("planned_invasive_dental_procedure", True, None, f.when, f.ref, (note(NoteCode.PLANNED),))
                for f in planned
            ],
        )
    found = context.feature("finding.planned_invasive_dental_procedure")
    if found.value is True or found.evidence:
        return found
    if context.chart.provided(Source.PROCEDURES):
        return none_on_record()
    return unknown("procedures not provided", "planned_invasive_dental_procedure")
