"""The dose of a drug class over time: averages over calendar windows, out of all courses that were taken in them.

Decision 45: a criterion with a dose and a duration looks at the average over the time that its duration asks for;
tapers and alternate days are averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from msgspec import Struct

from app.chart import CourseFact, CourseStatus, DosePeriod
from app.dates import add_months, minus_months
from app.features.drugs.exposure import GRACE_DAYS, interval_days

DECIMALS = 9
"""Doses are compared to a millionth of a microgram: thirds and sevenths add up to whole numbers again."""

Factor = Callable[[CourseFact], Decimal | None]
"""What a mg of a course's drug counts as; None where that is not known."""


class Window(Struct, frozen=True, gc=False):
    """The average dose a day from one day to another, both included: at least `low`, at most `high` (None: open)."""

    first: date
    last: date
    low: Decimal
    high: Decimal | None


class DailyDoses:
    """What was taken on each day of some months up to today, in mg of a reference drug.

    Courses follow each other without a break where the next begins within the interval of a late refill: for these
    days the dose before counts on.
    """

    def __init__(self, courses: Iterable[CourseFact], factor: Factor, today: date, months: int) -> None:
        self.today = today
        self.first = minus_months(today, months) + timedelta(days=1)
        days = (today - self.first).days + 1
        self._low = [Fraction(0)] * (days + 1)
        self._high = [Fraction(0)] * (days + 1)
        self._open = [Fraction(0)] * (days + 1)
        for course, period in _periods(list(courses), today):
            self._add(course, period, factor(course))
        self._low = list(accumulate(accumulate(self._low[:-1]), initial=Fraction(0)))
        self._high = list(accumulate(accumulate(self._high[:-1]), initial=Fraction(0)))
        self._open = list(accumulate(accumulate(self._open[:-1]), initial=Fraction(0)))

    def _add(self, course: CourseFact, period: DosePeriod, factor: Decimal | None) -> None:
        """Note where a dose begins and ends. The parts of partial dates count for the upper end only."""
        begins, ends = course.started, course.ended
        surely = (
            period.first or (begins.latest if begins is not None else date.min),
            period.last or (ends.earliest if ends is not None else self.today),
        )
        perhaps = (
            period.first or (begins.earliest if begins is not None else date.min),
            period.last or (ends.latest if ends is not None else self.today),
        )
        if factor is not None:
            self._mark(self._low, surely, Fraction(period.least_mg) * Fraction(factor))
        if factor is None or period.most_mg is None:
            self._mark(self._open, perhaps, Fraction(1))
        else:
            self._mark(self._high, perhaps, Fraction(period.most_mg) * Fraction(factor))

    def _mark(self, line: list[Fraction], days: tuple[date, date], amount: Fraction) -> None:
        first, last = max(days[0], self.first), min(days[1], self.today)
        if first <= last:
            line[(first - self.first).days] += amount
            line[(last - self.first).days + 1] -= amount

    def average(self, months: int, last: date | None = None) -> Window:
        """The average over the calendar months that end on a day (today)."""
        last = last or self.today
        begin = max((minus_months(last, months) + timedelta(days=1) - self.first).days, 0)
        end = (last - self.first).days + 1
        return self._window(begin, end)

    def highest(self, months: int) -> Window:
        """The window of so many calendar months with the highest average that is certain."""
        days = (self.today - self.first).days
        lasts = (self.today - timedelta(days=back) for back in range(days))
        windows = [self.average(months, last) for last in lasts if add_months(self.first, months) <= last + _DAY]
        return max(windows or [self.average(months)], key=lambda window: window.low)

    def _window(self, begin: int, end: int) -> Window:
        days = end - begin
        low = (self._low[end] - self._low[begin]) / days
        is_open = self._open[end] > self._open[begin]
        high = None if is_open else _decimal((self._high[end] - self._high[begin]) / days)
        first = self.first + timedelta(days=begin)
        return Window(first, first + timedelta(days=days - 1), _decimal(low), high)


_DAY = timedelta(days=1)


def rounded(value: Decimal) -> Decimal:
    """A sum of doses without the traces of thirds and sevenths."""
    near = round(value, DECIMALS)
    return near if near != value else value


def _decimal(value: Fraction) -> Decimal:
    number = round(Decimal(value.numerator) / Decimal(value.denominator), DECIMALS)
    whole = number.to_integral_value()
    return Decimal(int(whole)) if number == whole else number.normalize()


def _periods(courses: list[CourseFact], today: date) -> Iterator[tuple[CourseFact, DosePeriod]]:
    """The doses of each course, and of the days between two courses that a late refill explains."""
    taken = [course for course in courses if course.status in {CourseStatus.CURRENT, CourseStatus.PAST}]
    for course in taken:
        for period in course.doses or (_constant(course),):
            yield course, period
    dated = sorted((_days(course, today), number) for number, course in enumerate(taken))
    reached: tuple[date, int] | None = None
    for (first, last), number in dated:
        if reached is not None and first > reached[0] + _DAY:
            before = taken[reached[1]]
            late = GRACE_DAYS + int(interval_days(before))
            if first <= reached[0] + timedelta(days=late):
                dose = before.doses[-1] if before.doses else _constant(before)
                gap = DosePeriod(reached[0] + _DAY, first - _DAY, dose.least_mg, dose.most_mg, dose.unknown_because)
                yield before, gap
        if reached is None or last > reached[0]:
            reached = last, number


def _days(course: CourseFact, today: date) -> tuple[date, date]:
    first = course.started.earliest if course.started is not None else date.min
    if course.status is CourseStatus.CURRENT and course.ended is None:
        return first, today
    return first, course.ended.latest if course.ended is not None else first


def _constant(course: CourseFact) -> DosePeriod:
    """The dose of a course that does not change; one that ended on an unknown day counts until its last sign."""
    dose = course.dose
    least, most = (dose.daily_mg, dose.daily_mg) if dose.daily_mg is not None else (dose.least_mg, dose.most_mg)
    last = None
    if course.status is CourseStatus.PAST and course.ended is None:
        seen = course.last_seen or course.started
        last = seen.latest if seen is not None else date.min
    return DosePeriod(None, last, least or Decimal(0), most, dose.unknown_because)
