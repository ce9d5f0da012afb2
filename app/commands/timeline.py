"""Drug courses as text: one line for each course, over the last years, month by month.

    Prednisolon 5 mg             |...............................=====| current; 2026-07-03 -; 5 mg/d; ...
                                   2026-07-03 - 2026-09-30  10 mg/d
                                   2026-10-01 - ...  5 mg/d

A month is `=` where the course ran on any day of it, `-` where it is on hold, `?` where current use is uncertain, `.`
where it did not run, and `+` where the last recorded dose was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from app.chart import Chart, CourseFact, CourseStatus
from app.dates import add_months

MONTHS = 36
"""How far back the lines reach."""
_NAME_WIDTH = 28
_SHOWN_REFS = 3
_RUNS = {CourseStatus.CURRENT: "=", CourseStatus.PAST: "=", CourseStatus.ON_HOLD: "-", CourseStatus.UNKNOWN: "?"}


def timeline(chart: Chart) -> Iterator[str]:
    """The lines of the drawing: a heading, then the courses by name, each with its doses where they changed."""
    months = [add_months(chart.today.replace(day=1), back) for back in range(1 - MONTHS, 1)]
    yield f"{'':{_NAME_WIDTH}} {months[0]:%Y-%m} {'':{MONTHS - 14}} {months[-1]:%Y-%m}"
    for course in _ordered(chart.courses):
        drawn = "".join(_month(course, first, chart.today) for first in months)
        yield f"{course.name[:_NAME_WIDTH]:{_NAME_WIDTH}} |{drawn}| {_said(course)}"
        for period in course.doses:
            dose = _dose(period.least_mg, period.most_mg)
            time = f"{_day(period.first)} - {_day(period.last)}"
            yield f"{'':{_NAME_WIDTH}}   {time}  {dose}{_why(period.unknown_because)}"
    if not chart.courses:
        yield "no drug that matters here is on record"


def _ordered(courses: Iterable[CourseFact]) -> list[CourseFact]:
    return sorted(courses, key=lambda c: (c.name.lower(), c.started.earliest if c.started else date.min, c.refs))


def _month(course: CourseFact, first: date, today: date) -> str:
    """The sign of one month."""
    last = add_months(first, 1)
    given = course.last_given
    if given is not None and first <= given.latest < last:
        return "+"
    start = course.started.earliest if course.started is not None else None
    if course.status is CourseStatus.PLANNED or start is None:
        return "."
    open_end = today if course.status is not CourseStatus.PAST else start
    end = course.ended.latest if course.ended is not None else open_end
    return _RUNS[course.status] if start < last and end >= first else "."


def _said(course: CourseFact) -> str:
    """Standing, dates, dose and records of a course."""
    dose = course.dose
    daily = _dose(dose.daily_mg, dose.daily_mg) if dose.daily_mg is not None else _dose(dose.least_mg, dose.most_mg)
    parts = [str(course.status), f"{course.started or '?'} - {course.ended or ''}".rstrip()]
    parts.append(f"{daily}{_why(dose.unknown_because)}")
    if course.last_given is not None:
        parts.append(f"last given {course.last_given}")
    if course.stop_reason:
        parts.append(course.stop_reason)
    shown = ", ".join(course.refs[:_SHOWN_REFS])
    more = len(course.refs) - _SHOWN_REFS
    return "; ".join([*parts, shown + (f" and {more} more" if more > 0 else "")])


def _dose(least: Decimal | None, most: Decimal | None) -> str:
    if most is None:
        return f"at least {_number(least)} mg/d" if least else "dose not known"
    return f"{_number(most)} mg/d" if least == most else f"{_number(least or Decimal(0))}-{_number(most)} mg/d"


def _number(value: Decimal | None) -> str:
    return "?" if value is None else format(round(value, 2).normalize(), "f")


def _why(reason: str | None) -> str:
    return f" ({reason})" if reason else ""


def _day(day: date | None) -> str:
    return day.isoformat() if day is not None else "..."
