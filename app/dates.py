"""Calendar arithmetic over partial dates.

Months are calendar months (decision: contract section 2). A partial date is an interval of days, so the time since
it is an interval of months; a limit inside the interval is unknown.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from datetime import MAXYEAR, MINYEAR, date
from decimal import Decimal

from app.chart import DateRange

MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
SHORTEST_MONTH = 28


def add_months(day: date, months: int) -> date:
    """The same day of the month, `months` later (or earlier); the last day where the month is too short.

    Ends at the first and last day of the calendar: systems write 9999-12-31 for "open end".
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not MINYEAR <= year <= MAXYEAR:
        return date.min if year < MINYEAR else date.max
    if day.day <= SHORTEST_MONTH:
        return date(year, month + 1, day.day)
    longest = 29 if month == 1 and isleap(year) else MONTH_LENGTHS[month]
    return date(year, month + 1, min(day.day, longest))


def add_days(day: date, days: Decimal | int) -> date:
    """The day so many whole days later, ending at the first and last day of the calendar."""
    return date.fromordinal(min(max(day.toordinal() + int(days), date.min.toordinal()), date.max.toordinal()))


def months_between(start: date, end: date) -> Decimal:
    """Calendar months from `start` to `end`; negative if `end` is earlier.

    A whole number exactly on the calendar boundary (start day of the month), else the whole months that have passed
    plus the part of the running month: "more than 3 months" holds from the day after start + 3 months.
    """
    if end < start:
        return -months_between(end, start)
    whole = (end.year - start.year) * 12 + end.month - start.month
    anchor, following = add_months(start, whole), add_months(start, whole + 1)
    if anchor > end:
        whole -= 1
        anchor, following = add_months(start, whole), anchor
    if anchor == end:
        return Decimal(whole)
    length = (following - anchor).days or 1  # no days are left only at the very end of the calendar
    return whole + Decimal((end - anchor).days) / Decimal(length)


def years_between(start: date, end: date) -> int:
    """Completed calendar years from `start` to `end` (29 February counts as reached on 1 March)."""
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))


def months_since(when: DateRange, today: date) -> tuple[Decimal, Decimal]:
    """The least and the greatest number of months since an event that has happened.

    The part of a partial date that lies after today cannot be meant: "2026" read in March 2026 ends today.
    """
    latest = min(when.latest, today) if when.earliest <= today else when.latest
    return months_between(latest, today), months_between(when.earliest, today)


def within_months(when: DateRange | None, months: int, today: date) -> bool | None:
    """Whether an event is at most `months` old; None if its date does not tell.

    The limit is moved instead of the age worked out: it is equivalent, and cheaper for the many values.
    """
    if when is None:
        return None
    if today <= add_months(when.earliest, months):
        return True
    return False if today > add_months(min(when.latest, today), months) else None


def on_or_after(when: DateRange, reference: DateRange) -> bool | None:
    """Whether one date is the same as or later than another; None if the dates do not tell."""
    if when.earliest >= reference.latest:
        return True
    return False if when.latest < reference.earliest else None


def after(when: DateRange, reference: DateRange) -> bool | None:
    """Whether one date is later than another; None if the dates do not tell."""
    if when.earliest > reference.latest:
        return True
    return False if when.latest <= reference.earliest else None


def shifted(when: DateRange, *, months: int = 0, days: int = 0) -> DateRange:
    """A date moved by calendar months and days."""
    return DateRange(add_days(add_months(when.earliest, months), days), add_days(add_months(when.latest, months), days))


def newest_first(when: DateRange | None) -> tuple[int, int, int]:
    """Sort key: later dates first, undated last."""
    if when is None:
        return (1, 0, 0)
    return (0, -when.earliest.toordinal(), -when.latest.toordinal())


def plus_years(day: date, years: int) -> date:
    """The same day some years later; 29 February becomes 28 February. Beyond the calendar: its last day."""
    year = day.year + years
    if year > date.max.year:
        return date.max
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)


def minus_months(day: date, months: int) -> date:
    """The same day of the month some calendar months earlier, or the last day of that month."""
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def earliest(*dates: DateRange | None) -> DateRange | None:
    """The earliest of the dates that are known."""
    return min((when for when in dates if when is not None), default=None)


def latest(*dates: DateRange | None) -> DateRange | None:
    """The latest of the dates that are known, by their last possible day."""
    known = [when for when in dates if when is not None]
    return max(known, key=lambda when: (when.latest, when.earliest), default=None)
