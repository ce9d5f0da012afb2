"""Drug exposure: which courses of a class count, and since when a patient has been on it without a break."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from heapq import heappop, heappush

from app.chart import Availability, CourseFact, CourseStatus, DateRange, Source
from app.dates import add_days, newest_first, shifted
from app.features.catalogue import OneOf
from app.features.model import Evidence, Feature, Features, Memo, none_on_record, unknown
from app.features.notes import Note, NoteCode, note
from app.terminology.drug_classes import (
    acts_months,
    bone_classes,
    class_named,
    class_names,
    oncological_with_metastasis,
    substance_of,
)

ONCOLOGICAL = "oncological_bone_drug"
"""The class that a bisphosphonate or denosumab counts as where a bone metastasis is known (decision 13)."""
BEGUN = frozenset({CourseStatus.CURRENT, CourseStatus.PAST, CourseStatus.ON_HOLD, CourseStatus.UNKNOWN})

CLASS = OneOf("class", class_names)
"""The argument of the families of features about drugs: a class, or a drug by its own name."""

NOT_IDENTIFIED = "a current drug could not be identified"
"""Why the use of a class is unknown although the list came: decisions 56 and 66."""

GRACE_DAYS = 30
"""A gap up to the dosing interval and this long is a late refill, not a break (the usual definition of persistence)."""


def belongs(course: CourseFact, name: str) -> bool:
    """Whether a course is of the class: by its drugs, and by its route where the class depends on it."""
    return class_named(name).holds_for(course.drugs, course.route)


@cache
def _by_other_names() -> dict[str, frozenset[str]]:
    """The drugs by which a course can belong to a class without having its name among its own."""
    named = {name: class_named(name).any_of | class_named(name).all_of for name in class_names()}
    named[ONCOLOGICAL] = oncological_with_metastasis()
    return {name: drugs for name, drugs in named.items() if drugs}


def stated_by(name: str) -> str | None:
    """The diagnosis code that states long-term use of a class (ICD-10-CM Z79).

    A drug list without the drug contradicts it.
    """
    return class_named(name).stated_by


def none_listed(context: Features, drug_class: str) -> Feature:
    """What is said of a class of which no record speaks: none, where the medication list came."""
    unclear = unclear_courses(context, drug_class)
    if unclear:
        return unknown(NOT_IDENTIFIED, use_name(drug_class), evidence=unclear)
    return none_on_record() if asked(context) else not_asked(drug_class)


def unclear_courses(context: Features, drug_class: str) -> list[Evidence]:
    """The current drugs that were not understood, or that nothing identifies, and that can be of the class."""
    found = [c for c in candidates(context, drug_class) if c.status is CourseStatus.UNCLEAR]
    return [course_evidence(drug_class, course, note(NoteCode.NOT_IDENTIFIED)) for course in found]


_COURSES: Memo[None, list[CourseFact]] = Memo()


def every_course(context: Features) -> list[CourseFact]:
    """All courses, newest start first, without start last: the order of delivery never shows."""
    kept = _COURSES.of(context)
    if None not in kept:
        kept[None] = sorted(context.chart.courses, key=_order)
    return kept[None]


def taken(context: Features, drug_class: str) -> list[CourseFact]:
    """The begun courses of a class for questions of safety, whatever the indication."""
    return [c for c in candidates(context, drug_class) if belongs(c, drug_class) and c.status in BEGUN]


def courses(context: Features, drug_class: str) -> tuple[CourseFact, ...]:
    """The courses that count for a class, newest start first.

    With known bone metastasis a bisphosphonate or denosumab is treatment of the cancer, not of osteoporosis, and
    counts as oncological bone drug only (decision 13).
    """
    found = candidates(context, drug_class)
    return tuple([c for c in found if _counts(context, c, drug_class)]) if found else ()


def candidates(context: Features, drug_class: str) -> Sequence[CourseFact]:
    """The courses that can be of a class, newest start first: they have its name, or another one of it."""
    return context.courses(drug_class, *_by_other_names().get(drug_class, ()))


def running_courses(context: Features, drug_class: str) -> list[CourseFact]:
    """The courses of a class that run on the day of the call, newest start first."""
    return [course for course in courses(context, drug_class) if course.status is CourseStatus.CURRENT]


def _counts(context: Features, course: CourseFact, drug_class: str) -> bool:
    for_bone = drug_class in bone_classes() and not course.drugs.isdisjoint(oncological_with_metastasis())
    if for_bone and context.feature("condition.bone_metastasis").value is True:
        return drug_class == ONCOLOGICAL
    return belongs(course, drug_class)


def _order(course: CourseFact) -> tuple[tuple[int, int, int], str]:
    return (newest_first(course.started), "|".join(course.refs))


def asked(context: Features) -> bool:
    """Whether the medication list came complete, in either of its two forms.

    One that was asked for and failed, or came in part, may hold what the other does not tell.
    """
    chart = context.chart
    lists = [chart.availability.get(source, Availability.ABSENT) for source in _LISTS]
    return Availability.PROVIDED in lists and set(lists) <= {Availability.PROVIDED, Availability.ABSENT}


def list_failed(context: Features) -> bool:
    """Whether one of the two medication lists was asked for and failed: what it would have told is unknown."""
    return any(context.chart.availability.get(source) is Availability.FAILED for source in _LISTS)


_LISTS = (Source.MEDICATIONS, Source.MEDICATION_REQUESTS)


def use_name(name: str) -> str:
    """The data element to ask for when the use of a class is not known."""
    if name in bone_classes():
        return "bone_drug_use"
    return class_named(name).asks or f"{name}_use"


def not_asked(drug_class: str) -> Feature:
    """Unknown because no medication list came."""
    return unknown("medications not provided", use_name(drug_class))


def course_evidence(feature: str, course: CourseFact, *remarks: Note) -> Evidence:
    """The evidence for a course: the drug as recorded, with its start."""
    notes = remarks
    if course.matched_by_text:
        notes += (note(NoteCode.MATCHED_BY_TEXT),)
    if course.code_text_conflict:
        notes += (note(NoteCode.CODE_AND_TEXT_DIFFER),)
    if course.started is None:
        notes += (note(NoteCode.START_NOT_RECORDED),)
    return Evidence(feature, course.name, None, course.started, course.refs[0], notes, substance_of(course.drugs))


def dose_note(course: CourseFact) -> NoteCode:
    """Why the daily dose of a course is not known."""
    if course.dose.unknown_because:
        return NoteCode[course.dose.unknown_because.name]
    return NoteCode.AS_NEEDED if course.dose.as_needed else NoteCode.DOSE_NOT_RECORDED


def interval_days(course: CourseFact) -> Decimal:
    """The days between two doses: as ordered, else as the depot products are given, else one day."""
    if course.dose.interval_days is not None:
        return course.dose.interval_days
    months = depot_months(course)
    return Decimal(1) if months is None else Decimal(months * 366) / 12


def depot_months(course: CourseFact) -> int | None:
    """How many months one dose lasts; None for a drug that is no depot drug."""
    return acts_months(course.drugs)


def end_of(course: CourseFact) -> DateRange | None:
    """When the effect of a course ended: the recorded end; for depot drugs the last dose plus its interval."""
    months = depot_months(course)
    if months is not None and course.last_given is not None:
        return shifted(course.last_given, months=months)
    return course.ended


def end_evidence(drug_class: str, course: CourseFact) -> list[Evidence]:
    """An ended course: the end as recorded, and the last dose where that decides until when the drug acts."""
    notes = (note(NoteCode.RECORDED, course.stop_reason),) if course.stop_reason else ()
    what = substance_of(course.drugs)
    shown = [Evidence(f"{drug_class}_end", course.name, None, course.ended, course.refs[0], notes, what)]
    if course.last_given is not None and end_of(course) != course.ended:
        last = f"{drug_class}_last_dose"
        shown.append(Evidence(last, course.name, None, course.last_given, course.refs[-1], substance=what))
    return shown


def current_chain(context: Features, drug_class: str) -> tuple[CourseFact, ...]:
    """The courses that make up the current use without a break, the earliest first; empty if none is running."""
    counted = courses(context, drug_class)
    running = [course for course in counted if course.status is CourseStatus.CURRENT]
    earlier = [course for course in counted if course.status is CourseStatus.PAST and course.ended is not None]
    return _joined(running, earlier)


def last_ended_chain(context: Features, drug_class: str) -> tuple[CourseFact, ...]:
    """The ended courses that make up the last use without a break, the earliest first; empty if none has ended."""
    ended = [course for course in courses(context, drug_class) if course.status is CourseStatus.PAST]
    dated = [course for course in ended if course.ended is not None]
    if not dated:
        return tuple(ended)
    last = max(dated, key=lambda course: (course.ended.latest if course.ended else date.min, course.refs))
    return _joined([last], [course for course in dated if course is not last])


def _joined(chain: list[CourseFact], earlier: list[CourseFact]) -> tuple[CourseFact, ...]:
    """A use and the ended courses that lead up to it without a break, the earliest first.

    Courses that reach the first day of the use so far are taken newest start first; each can move that day back. The
    time is that of sorting. A course without a recorded start may have begun at any time: it is taken last.
    """
    starts = [course.started.earliest for course in chain if course.started is not None]
    if not chain or len(starts) < len(chain):
        return tuple(sorted(chain, key=_order, reverse=True))
    first = min(starts)
    waiting = sorted(((_reach(course), number) for number, course in enumerate(earlier)), reverse=True)
    at = 0
    reaching: list[tuple[int, int]] = []
    undated: list[int] = []
    while True:
        while at < len(waiting) and waiting[at][0] >= first:
            number = waiting[at][1]
            start = earlier[number].started
            if start is None:
                undated.append(number)
            else:
                heappush(reaching, (-start.earliest.toordinal(), number))
            at += 1
        if not reaching:
            break
        negative, number = heappop(reaching)
        if -negative < first.toordinal():
            chain.append(earlier[number])
            first = date.fromordinal(-negative)
    if undated:
        chain.append(earlier[min(undated)])
    return tuple(sorted(chain, key=_order, reverse=True))


def _reach(course: CourseFact) -> date:
    """The last day on which the next course can begin without a break."""
    if course.ended is None:
        return date.min
    return add_days(course.ended.latest, interval_days(course) + GRACE_DAYS)


def current_start(context: Features, drug_class: str) -> DateRange | None:
    """When the current continuous use began; None if nothing runs or the first start is not recorded."""
    chain = current_chain(context, drug_class)
    starts = [course.started for course in chain]
    if not starts or any(start is None for start in starts):
        return None
    return min(start for start in starts if start is not None)
