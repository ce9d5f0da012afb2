"""Two bone drugs at once: among the drafts, or a draft beside a drug that goes on.

A rule of this service, not of a source: none of the sources speaks of two bone drugs together. What the sources want
one after the other is a sequence (`followed_by` in the drug files), and what they want changed is a change; neither is
a duplicate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TypeVar

from app.chart import Chart, CourseFact, CourseStatus, DraftOrder, OrderAction
from app.dates import add_months
from app.features.drugs.exposure import course_evidence, depot_months
from app.features.model import Evidence
from app.features.notes import NoteCode, note
from app.terminology.drug_classes import sequences, shared_classes, unspecified

T = TypeVar("T")
Drugs = frozenset[str]
"""The drugs and classes of a course."""
BONE_DRUGS = frozenset({"bone_drug", "oncological_bone_drug"})


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The drafts that are in conflict, and the running courses that they would duplicate."""

    orders: tuple[DraftOrder, ...]
    running: tuple[CourseFact, ...]

    @property
    def courses(self) -> tuple[CourseFact, ...]:
        """The courses of the drugs, the orders first."""
        return (*(order.course for order in self.orders), *self.running)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Each of the orders and courses."""
        drafts = [course_evidence("ordered", order.course, note(NoteCode.DRAFT_ORDER)) for order in self.orders]
        return (*drafts, *(course_evidence("takes.bone_drug", course) for course in self.running))


def duplicates(chart: Chart, to_be_changed: Callable[[Drugs], bool]) -> Duplicates | None:
    """The bone drugs that signing would put side by side; None if there are not two of them.

    `to_be_changed`: whether a running drug is one that should be changed anyway; another drug is then the change.
    Orders and courses are compared by their sets of drugs, of which there are few.
    """
    drafts = [order for order in chart.draft_orders if order.action is not OrderAction.STOP and _for_bone(order.course)]
    if not drafts:
        return None
    going_on = list(_going_on(chart))
    selected = [order for order in drafts if order.selected]
    wanted, beside = _beside(selected, going_on, to_be_changed, chart.today)
    wanted |= _together(drafts)
    if not wanted:
        return None
    running = {course.refs: course for course in going_on if id(course) in beside}
    return Duplicates(tuple(order for order in drafts if id(order) in wanted), tuple(running.values()))


def _together(drafts: Iterable[DraftOrder]) -> set[int]:
    """The drafts, by identity, that stand beside a draft of another drug; one of the two is selected."""
    by_drugs = _by_drugs(drafts, lambda order: order.course)
    if not by_drugs or frozenset.intersection(*by_drugs) - shared_classes():
        return set()  # all of them have a drug in common
    selected = {drugs for drugs, orders in by_drugs.items() if any(order.selected for order in orders)}
    found: set[int] = set()
    for drugs, orders in by_drugs.items():
        others = [other for other in by_drugs if _different(drugs, other) and (other != drugs or len(orders) > 1)]
        if others:
            beside_selected = not selected.isdisjoint(others)
            found |= {id(order) for order in orders if order.selected or beside_selected}
    return found


def _beside(
    drafts: Iterable[DraftOrder], going_on: Iterable[CourseFact], to_be_changed: Callable[[Drugs], bool], today: date
) -> tuple[set[int], set[int]]:
    """The drafts and the running courses, by identity, that would stand side by side."""
    orders_by_drugs = _by_drugs(drafts, lambda order: order.course)
    all_orders: set[int] = set()
    all_courses: set[int] = set()
    for running, courses in _by_drugs(going_on, lambda course: course).items():
        orders_beside: set[int] = set()
        courses_beside: set[int] = set()
        for ordered, orders in orders_by_drugs.items():
            if not _different(ordered, running):
                continue
            if _follows(running, ordered):
                early, waiting = _too_early(orders, courses, today)
            else:
                early, waiting = orders, courses
            orders_beside |= set(map(id, early))
            courses_beside |= set(map(id, waiting))
        if orders_beside and not to_be_changed(running):
            all_orders |= orders_beside
            all_courses |= courses_beside
    return all_orders, all_courses


def _by_drugs(items: Iterable[T], course_of: Callable[[T], CourseFact]) -> dict[Drugs, list[T]]:
    grouped: dict[Drugs, list[T]] = {}
    for item in items:
        grouped.setdefault(course_of(item).drugs, []).append(item)
    return grouped


def _for_bone(course: CourseFact) -> bool:
    return not course.drugs.isdisjoint(BONE_DRUGS)


def _different(one: Drugs, other: Drugs) -> bool:
    """Whether two courses are of different drugs. A bisphosphonate without a name may be the other bisphosphonate."""
    unnamed = (group for product, group in unspecified().items() if product in one or product in other)
    if any(group in one and group in other for group in unnamed):
        return False
    return (one - shared_classes()).isdisjoint(other - shared_classes())


def _going_on(chart: Chart) -> Iterator[CourseFact]:
    """The bone drugs that run and that no draft stops or replaces."""
    stops = [order for order in chart.draft_orders if order.action is OrderAction.STOP]
    stopped_refs = {order.ref for order in stops}
    stopped_drugs = {order.course.drugs for order in stops}
    replaced = {order.replaces for order in chart.draft_orders if order.replaces}

    @cache
    def stopped(drugs: Drugs) -> bool:
        return any(not _different(stop, drugs) for stop in stopped_drugs)

    for course in chart.courses:
        if course.status is not CourseStatus.CURRENT or not _for_bone(course):
            continue
        if stopped(course.drugs) or not stopped_refs.isdisjoint(course.refs):
            continue
        if not any(ref.rpartition("/")[2] in replaced or ref in replaced for ref in course.refs):
            yield course


def _follows(running: Drugs, ordered: Drugs) -> bool:
    """Whether what is ordered is what follows the drug that runs."""
    return any(ends in running and follows in ordered for ends, follows in sequences())


def _too_early(
    orders: Iterable[DraftOrder], courses: Iterable[CourseFact], today: date
) -> tuple[list[DraftOrder], list[CourseFact]]:
    """Of orders that follow depot drugs, those that begin too early for a course, and those courses.

    The next drug takes the place of a depot drug's next dose: what begins more than a month before that dose is due
    runs beside the last one.
    """
    begins = {id(order): order.course.started.latest if order.course.started else today for order in orders}
    can_begin = {id(course): day for course in courses if (day := _can_be_followed_from(course)) is not None}
    if not begins or not can_begin:
        return [], []
    first, last = min(begins.values()), max(can_begin.values())
    early = [order for order in orders if begins[id(order)] < last]
    return early, [course for course in courses if id(course) in can_begin and can_begin[id(course)] > first]


def _can_be_followed_from(course: CourseFact) -> date | None:
    """The day from which on another drug can take the place of the next dose; None where any day will do."""
    months = depot_months(course)
    if months is None or course.last_given is None:
        return None
    return add_months(course.last_given.earliest, months - 1)
