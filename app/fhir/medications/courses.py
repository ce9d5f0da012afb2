"""Repeated records of one fact are one fact: medication records of one drug, route, dose and time are one course.

Contract, section 2: one ingredient, route and dose with overlapping periods is one course, whatever the resource type;
different strengths at the same time stay separate, so that they add up. Decision 34: a record that is "active" without
any sign of life for a time makes current use unknown. Decision 45: an order that is replaced ends when its successor
starts. Decision 49: an administration of a depot drug covers its interval, whatever the status of its order.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from app.chart import CourseFact, CourseStatus, DateRange, Dose
from app.dates import add_months, earliest, latest, minus_months, shifted
from app.fhir.medications.course_index import CourseIndex, Key, key_of
from app.fhir.medications.given import courses_of_doses, covers, depot_months, lapse_months
from app.fhir.medications.records import CourseRecord
from app.fhir.resource import Reading

_STOP_MATTERS = frozenset({"denosumab"})
"""Drugs whose stop is a danger of its own: recorded as stopped they count as stopped, while they still act."""


def merge_courses(records: list[CourseRecord], reading: Reading) -> tuple[CourseFact, ...]:
    """The courses that the records tell: courses first, then what was given or handed out joins them.

    The time is that of sorting: n log n for n records.
    """
    today = reading.today
    ordered = _replaced(records, today)
    courses = _merged([record for record in ordered if not record.gives and not record.ordered_only], today)
    doses = sorted((record for record in ordered if record.gives or record.ordered_only), key=_end_order)
    left = _join_doses(courses, doses, today)
    handed = [record for record in left if record.dispensed and depot_months(record) is None]
    limit = minus_months(today, reading.settings.active_record_months)
    found = [_as_it_acts(course.record(), today) for course in courses]
    return (
        *[_without_sign_of_life(course, today, limit) for course in found],
        *_alone([record for record in left if not (record.dispensed and depot_months(record) is None)], today),
        *[course.record().course for course in _merged(handed, today)],
    )


class _Course:
    """A course under construction: its references are collected, and joined once."""

    __slots__ = ("fact", "given", "ingredients", "refs", "source")

    def __init__(self, record: CourseRecord) -> None:
        self.source = record
        self.fact = record.course
        self.ingredients = record.ingredients
        self.refs = dict.fromkeys(record.course.refs)
        self.given: set[date] = set()

    def add(self, course: CourseFact) -> None:
        """Take in another record of the course."""
        self.refs.update(dict.fromkeys(course.refs))
        self.fact = _of_both(self.fact, course)

    def add_dose(self, course: CourseFact) -> None:
        """Take in a dose that was given or handed out."""
        self.refs.update(dict.fromkeys(course.refs))
        when = course.last_given or course.started
        if when is not None:
            self.given.add(when.latest)
        self.fact = replace(
            self.fact,
            last_given=latest(self.fact.last_given, course.last_given),
            last_seen=latest(self.fact.last_seen, course.last_seen),
        )

    def record(self) -> CourseRecord:
        """The course as it has become."""
        fact = replace(self.fact, refs=tuple(self.refs), given=tuple(sorted(self.given)))
        return replace(self.source, course=fact)

    def span(self, today: date) -> tuple[date, date]:
        """The days that the course may cover."""
        start, end = _span(self.fact, today)
        if self.fact.status is CourseStatus.PAST and self.fact.ended is None:
            months = lapse_months(replace(self.source, course=self.fact))
            seen = latest(self.fact.last_seen, self.fact.last_given)
            if months is not None and seen is not None:
                end = max(end, add_months(seen.latest, months))
        return start, end


def _start_order(record: CourseRecord) -> tuple[date, date, tuple[str, ...]]:
    start = record.course.started
    day = (start.earliest, start.latest) if start else (date.max, date.max)
    return (*day, record.course.refs)


def _end_order(record: CourseRecord) -> tuple[date, tuple[str, ...]]:
    start = record.course.started
    return (start.latest if start else date.max, record.course.refs)


def _replaced(records: list[CourseRecord], today: date) -> list[CourseRecord]:
    """The records, with each order that another one replaces ended at the start of its successor (decision 45)."""
    ends: dict[str, DateRange] = {}
    for record in records:
        start = record.course.started
        if record.replaces is not None and start is not None and record.course.status is not CourseStatus.PLANNED:
            ref = f"MedicationRequest/{record.replaces}"
            ends[ref] = min(ends.get(ref, start), start)
    if not ends:
        return records
    return [_ended(record, ends[record.course.refs[0]], today) if record.course.refs[0] in ends else record
            for record in records]  # fmt: skip


def _ended(record: CourseRecord, successor: DateRange, today: date) -> CourseRecord:
    course = record.course
    if course.status is CourseStatus.PLANNED or (course.ended is not None and course.ended <= successor):
        return record
    end = shifted(successor, days=-1)
    if course.started is not None and end.latest < course.started.earliest:
        end = course.started
    past = CourseStatus.PAST if end.latest < today else course.status
    return replace(record, course=replace(course, ended=end, status=past))


def _merged(records: Iterable[CourseRecord], today: date) -> list[_Course]:
    """Records of one course made one, the earliest start first."""
    merged: list[_Course] = []
    index = CourseIndex()
    dated = sorted(records, key=_start_order)
    undated = [record for record in dated if record.course.started is None]
    for record in dated[: len(dated) - len(undated)]:
        start = record.course.started.earliest if record.course.started else date.min

        def runs_on(number: int, day: date = start) -> bool:
            return merged[number].span(today)[1] >= day

        _take(merged, index, record, index.latest(_key(record), runs_on))
    whole = CourseIndex()
    for number, course in enumerate(merged):
        whole.file(number, key_of(course.fact, course.ingredients))
    for record in undated:
        found = whole.latest(_key(record), lambda _: True)
        if found is not None and not _overlap(merged[found].fact, record.course, today):
            found = None
        _take(merged, whole, record, found)
    return merged


def _key(record: CourseRecord) -> Key:
    return key_of(record.course, record.ingredients)


def _take(merged: list[_Course], index: CourseIndex, record: CourseRecord, number: int | None) -> None:
    """Add a record to a course, or as a course of its own."""
    if number is None:
        number = len(merged)
        merged.append(_Course(record))
    else:
        merged[number].add(record.course)
    index.file(number, key_of(merged[number].fact, merged[number].ingredients))


def _join_doses(courses: list[_Course], doses: list[CourseRecord], today: date) -> list[CourseRecord]:
    """Give each dose to the course that it belongs to; those that belong to none are left.

    A dose belongs to a course of its drug and route while it may have run, first to one of the same dose. `doses` are
    in the order of their days.
    """
    index, filed, left = CourseIndex(), 0, []
    for dose in doses:
        when = dose.course.started or dose.course.last_given
        day = when.latest if when is not None else date.max
        while filed < len(courses) and courses[filed].span(today)[0] <= day:
            if courses[filed].fact.status is not CourseStatus.PLANNED:
                index.file(filed, key_of(courses[filed].fact, courses[filed].ingredients))
            filed += 1
        first = when.earliest if when is not None else date.min

        def fits(number: int, first: date = first) -> bool:
            return courses[number].span(today)[1] >= first

        key = _key(dose)
        number = index.latest(key, fits)
        if number is None:
            number = index.latest(Key(key.fixed, (dose.course.route, None, None)), fits)
        if number is None:
            left.append(dose)
        else:
            courses[number].add_dose(dose.course)
    return left


def _alone(doses: list[CourseRecord], today: date) -> list[CourseFact]:
    """The courses of doses without an order or statement, by drug and route."""
    groups: dict[tuple[object, ...], list[CourseRecord]] = {}
    for dose in doses:
        groups.setdefault((dose.ingredients, dose.course.code_text_conflict, dose.course.route), []).append(dose)
    for key in [key for key in groups if key[-1] is None]:
        routes = [other for other in groups if other[:-1] == key[:-1] and other[-1] is not None]
        if len(routes) == 1:
            groups[routes[0]] += groups.pop(key)
    return [course for group in groups.values() for course in courses_of_doses(group, today)]


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
    CourseStatus.UNCLEAR,
    CourseStatus.ON_HOLD,
    CourseStatus.UNKNOWN,
    CourseStatus.PAST,
    CourseStatus.PLANNED,
)


def _decides(one: CourseFact, other: CourseFact) -> CourseFact:
    """Of two records of one course the one whose status holds: the later assertion, else the more specific one."""
    seen_one, seen_other = one.last_seen, other.last_seen
    same_start = one.started == other.started or one.started is None or other.started is None
    if same_start and seen_one and seen_other and seen_one.latest != seen_other.latest:
        return one if seen_one.latest > seen_other.latest else other
    return min((one, other), key=lambda course: _RANK.index(course.status))


def _of_both(one: CourseFact, other: CourseFact) -> CourseFact:
    """One course of two records; the references are joined elsewhere."""
    decides = _decides(one, other)
    ended = decides.ended
    if ended is None and decides.status is CourseStatus.PAST:
        ended = latest(one.ended, other.ended)
    if one.status is other.status and one.ended and other.ended:
        ended = latest(one.ended, other.ended)
    knows = one if _knows_more(one.dose, other.dose) else other
    return replace(
        decides,
        drugs=one.drugs | other.drugs,
        started=earliest(one.started, other.started),
        ended=ended,
        last_given=latest(one.last_given, other.last_given),
        last_seen=latest(one.last_seen, other.last_seen),
        planned_days=decides.planned_days if decides.planned_days is not None else one.planned_days,
        route=one.route or other.route,
        dose=knows.dose,
        doses=knows.doses,
        stop_reason=one.stop_reason or other.stop_reason,
        reason_concepts=one.reason_concepts | other.reason_concepts,
        matched_by_text=one.matched_by_text and other.matched_by_text,
    )


def _knows_more(one: Dose, other: Dose) -> bool:
    return (one.daily_mg is not None, one.single_mg is not None) >= (
        other.daily_mg is not None,
        other.single_mg is not None,
    )


def _as_it_acts(record: CourseRecord, today: date) -> CourseFact:
    """A course, current while the last dose of a depot drug acts, whatever its recorded status (decision 49)."""
    course = record.course
    if course.status not in {CourseStatus.PAST, CourseStatus.UNKNOWN, CourseStatus.ON_HOLD}:
        return course
    if course.status is CourseStatus.PAST and not record.ingredients.isdisjoint(_STOP_MATTERS):
        return course
    return replace(course, status=CourseStatus.CURRENT) if covers(record, today) else course


def _without_sign_of_life(course: CourseFact, today: date, limit: date) -> CourseFact:
    """Decision 34. A record without any date has no known age and is left as it is."""
    if course.status is not CourseStatus.CURRENT or (course.ended is not None and course.ended.latest >= today):
        return course
    seen = latest(course.last_seen, course.last_given)
    if seen is None or seen.latest >= limit:
        return course
    return replace(course, status=CourseStatus.UNKNOWN)
