"""An order that continues a running drug: the review that is due for that very drug (decision 65)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache

from msgspec.structs import replace

from app.advice.delivery import EMERGENCY, beside_an_emergency, in_order, without_answered_questions
from app.advice.model import Advice, AdviceSet
from app.chart import Chart, CourseFact, CourseStatus, DateRange, Occasion, OrderAction
from app.dates import minus_months
from app.engine.knowledge import Knowledge
from app.features.drugs.exposure import end_of

CONTINUES_MONTHS = 3
"""How long ago the last course can have ended for an order of the same ingredient to continue it (decision 65)."""
_RUNS = frozenset({CourseStatus.CURRENT, CourseStatus.ON_HOLD, CourseStatus.UNKNOWN})
_LIMIT_REACHED = "end-drug-at-limit"
_SAID_BY_LIMIT = frozenset({"review-anabolic"})


@dataclass(frozen=True)
class Renewal:
    """What orders at hand continue.

    `drugs`: the drugs and classes that are renewed. `refs`: the records of their courses. `chart`: the chart as it will
    be when the orders are signed, without orders at hand: what patient-view would look at.
    """

    drugs: frozenset[str]
    refs: frozenset[str]
    chart: Chart


def renewal_of(chart: Chart) -> Renewal | None:
    """What the selected orders continue; None where they continue nothing.

    A refill continues its drug also where no course of it is on record: then since when it is taken is not known.
    """
    if not chart.occasion.about_orders:
        return None
    orders = [o for o in chart.draft_orders if o.selected and o.action is not OrderAction.STOP and o.course.drugs]
    continued: dict[int, CourseFact] = {}
    drugs: set[str] = set()
    begun: list[CourseFact] = []
    unlisted: list[CourseFact] = []
    courses_of = _courses_to_continue(chart)
    for order in orders:
        courses = courses_of(order.ingredients)
        if courses:
            drugs |= order.course.drugs
            continued |= courses
        elif chart.occasion is Occasion.REFILL:
            drugs |= order.course.drugs
            unlisted.append(replace(order.course, status=CourseStatus.CURRENT, started=None, ended=None))
        else:
            today = DateRange(chart.today, chart.today)
            begun.append(replace(order.course, status=CourseStatus.CURRENT, started=today, ended=None))
    if not drugs:
        return None
    running = [_running(course) if id(course) in continued else course for course in chart.courses]
    refs = {ref for course in (*continued.values(), *unlisted) for ref in course.refs}
    as_signed = (*running, *unlisted, *begun)
    signed = replace(chart, courses=as_signed, draft_orders=(), occasion=Occasion.CHART, about_orders=False)
    return Renewal(frozenset(drugs), frozenset(refs), signed)


def _courses_to_continue(chart: Chart) -> Callable[[frozenset[str]], dict[int, CourseFact]]:
    """Which courses an order of some ingredients goes on with, by identity.

    They have the same ingredients, and run or have ended a short time ago. Each set of ingredients is looked up once,
    among the courses of one of its ingredients.
    """
    by_drug: dict[str, list[CourseFact]] = {}
    for course in chart.courses:
        if _can_be_continued(course, chart.today):
            for drug in course.drugs:
                by_drug.setdefault(drug, []).append(course)

    @cache
    def courses_of(ingredients: frozenset[str]) -> dict[int, CourseFact]:
        fewest = min((by_drug.get(drug, []) for drug in ingredients), key=len, default=[])
        return {id(course): course for course in fewest if ingredients <= course.drugs}

    return courses_of


def _can_be_continued(course: CourseFact, today: date) -> bool:
    if course.status in _RUNS:
        return True
    end = end_of(course) if course.status is CourseStatus.PAST else None
    return end is not None and minus_months(today, CONTINUES_MONTHS) < end.latest


def _running(course: CourseFact) -> CourseFact:
    """A course that goes on: the order is the sign of use, and an end that has come is none."""
    return replace(course, status=CourseStatus.CURRENT, ended=None)


def with_review(at_orders: AdviceSet, review: Iterable[Advice], knowledge: Knowledge) -> AdviceSet:
    """The advice about the orders and the review of what they continue; each advice once, that of the order first."""
    standing = {one.id for one in at_orders.advice}
    added = [one for one in review if one.id not in standing]
    if EMERGENCY in standing:
        added = beside_an_emergency(added)
    if _LIMIT_REACHED in standing:
        added = [one for one in added if one.id not in _SAID_BY_LIMIT]
    if not added:
        return at_orders
    everything = without_answered_questions([*at_orders.advice, *added])
    return AdviceSet(tuple(in_order(everything, knowledge.advice)))
