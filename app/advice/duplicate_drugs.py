"""Two bone drugs at once: among the drafts, or a draft beside a drug that goes on.

A rule of this service, not of a source: none of the sources speaks of two bone drugs together. What the sources want
one after the other is a sequence (`followed_by` in the drug files), and what they want changed is a change; neither is
a duplicate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from app.chart import Chart, CourseFact, CourseStatus, DraftOrder, OrderAction
from app.dates import add_months
from app.features.drugs.exposure import course_evidence, depot_months
from app.features.model import Evidence
from app.features.notes import NoteCode, note
from app.terminology.drug_classes import sequences, shared_classes, unspecified

BONE_DRUGS = frozenset({"bone_drug", "oncological_bone_drug"})


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The drafts that are in conflict, and the running courses that they would stand beside."""

    orders: tuple[DraftOrder, ...]
    running: tuple[CourseFact, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The drugs as the records name them, the orders first."""
        courses = [*(order.course for order in self.orders), *self.running]
        return tuple(dict.fromkeys(course.name for course in courses))

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Each of the orders and courses."""
        drafts = [course_evidence("ordered", order.course, note(NoteCode.DRAFT_ORDER)) for order in self.orders]
        return (*drafts, *(course_evidence("takes.bone_drug", course) for course in self.running))


def duplicates(chart: Chart, to_be_changed: Callable[[CourseFact], bool]) -> Duplicates | None:
    """The bone drugs that signing would put side by side; None if there are not two of them.

    `to_be_changed`: whether a running course is one that should be changed anyway; another drug is then the change.
    """
    drafts = [order for order in chart.draft_orders if order.action is not OrderAction.STOP and _for_bone(order.course)]
    pairs = [
        (one, other)
        for one, other in combinations(drafts, 2)
        if (one.selected or other.selected) and _different(one.course, other.course)
    ]
    beside = [
        (order, course)
        for course in _going_on(chart)
        for order in drafts
        if order.selected
        and _different(order.course, course)
        and not _in_sequence(course, order.course, chart.today)
        and not to_be_changed(course)
    ]
    if not pairs and not beside:
        return None
    wanted = {order for pair in pairs for order in pair} | {order for order, _ in beside}
    running = {course.refs: course for _, course in beside}
    return Duplicates(tuple(order for order in drafts if order in wanted), tuple(running.values()))


def _for_bone(course: CourseFact) -> bool:
    return not course.drugs.isdisjoint(BONE_DRUGS)


def _different(one: CourseFact, other: CourseFact) -> bool:
    """Whether two courses are of different drugs. A bisphosphonate without a name may be the other bisphosphonate."""
    unnamed = (group for product, group in unspecified().items() if product in one.drugs or product in other.drugs)
    if any(group in one.drugs and group in other.drugs for group in unnamed):
        return False
    return (one.drugs - shared_classes()).isdisjoint(other.drugs - shared_classes())


def _going_on(chart: Chart) -> Iterator[CourseFact]:
    """The bone drugs that run and that no draft stops or replaces."""
    stops = [order for order in chart.draft_orders if order.action is OrderAction.STOP]
    replaced = {order.replaces for order in chart.draft_orders if order.replaces}
    for course in chart.courses:
        if course.status is not CourseStatus.CURRENT or not _for_bone(course):
            continue
        stopped = any(order.ref in course.refs or not _different(order.course, course) for order in stops)
        if not stopped and not any(ref.rpartition("/")[2] in replaced or ref in replaced for ref in course.refs):
            yield course


def _in_sequence(running: CourseFact, ordered: CourseFact, today: date) -> bool:
    """Whether what is ordered is what follows the drug that runs, at a time when it can follow.

    The next drug takes the place of a depot drug's next dose: what begins more than a month before that dose is due
    runs beside the last one.
    """
    if not any(ends in running.drugs and follows in ordered.drugs for ends, follows in sequences()):
        return False
    months = depot_months(running)
    if months is None or running.last_given is None:
        return True
    begins = ordered.started.latest if ordered.started else today
    return begins >= add_months(running.last_given.earliest, months - 1)
