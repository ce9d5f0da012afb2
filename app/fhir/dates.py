"""FHIR dates, partial dates, instants and periods as ranges of calendar days.

An instant with an offset is the day that it was in the time zone of the service; one without is the day as written.
A text that is no date gives None: the record then has no date, which is not the same as being wrong.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.chart import DateRange
from app.dates import plus_years
from app.wire.elements import Quantity

_DATE_LENGTH = len("2015-03-07")
_MONTH_LENGTH = len("2015-03")
_YEAR_LENGTH = len("2015")
_EPOCH, _EPOCH_WITHOUT_ZONE = datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1)
_DAY_SECONDS = 86_400
_FIRST_YEAR = 1850
"""The earliest plausible birth; an earlier date is a filler such as 0001-01-01."""


def read_date(value: str | None, tz: ZoneInfo) -> DateRange | None:
    """A FHIR date, dateTime or instant. None: absent, not a text, not a date, or a filler year."""
    return read_moment(value, tz)[0] if value is not None else None


def read_moment(value: str, tz: ZoneInfo) -> tuple[DateRange | None, int]:
    """The day of a date, dateTime or instant, and its moment in seconds, 0 where it has no time of day."""
    text = value.strip()
    seconds = 0
    try:
        if len(text) > _DATE_LENGTH:
            moment = datetime.fromisoformat(text)
            seconds = _seconds(moment)
            day = moment.date() if moment.tzinfo is None else moment.astimezone(tz).date()
        elif len(text) == _DATE_LENGTH:
            day = date.fromisoformat(text)
        elif len(text) == _MONTH_LENGTH:
            return _month(int(text[:4]), int(text[5:])), 0
        elif len(text) == _YEAR_LENGTH:
            return _year(int(text)), 0
        else:
            return None, 0
    except (ValueError, OverflowError):
        return None, seconds
    return DateRange(day, day) if day.year >= _FIRST_YEAR else None, seconds


def moment_of(value: str | None) -> datetime | None:
    """The moment of a full date or an instant, without fractions of a second: enough to tell which of two is later.

    None for everything else. Whatever gives a moment here has a day by `read_moment`.
    """
    if value is None or len(value) < _DATE_LENGTH:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if not _FIRST_YEAR < moment.year < date.max.year:  # at the ends of the calendar another zone is another year
        return None
    return moment.replace(microsecond=0) if moment.microsecond else moment


def _year(year: int) -> DateRange | None:
    return DateRange(date(year, 1, 1), date(year, 12, 31)) if year >= _FIRST_YEAR else None


def _month(year: int, month: int) -> DateRange | None:
    if year < _FIRST_YEAR:
        return None
    return DateRange(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def seconds_of(text: str) -> int:
    """The moment as a number of seconds, to tell the order within a day; 0 where there is no time of day."""
    if len(text) <= _DATE_LENGTH:
        return 0
    try:
        return _seconds(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return 0


def _seconds(moment: datetime) -> int:
    since = moment - (_EPOCH if moment.tzinfo is not None else _EPOCH_WITHOUT_ZONE)
    return since.days * _DAY_SECONDS + since.seconds


def age_to_dates(birth: DateRange | None, age: Quantity | None) -> DateRange | None:
    """The days on which a person was of an age (FHIR Age in years); None where either is not known."""
    if birth is None or age is None:
        return None
    value, unit = age.value, age.code or age.unit or "a"
    if not isinstance(value, int | float) or unit not in {"a", "year", "years", "yr"} or not 0 <= value < 150:
        return None
    years = int(value)
    return DateRange(plus_years(birth.earliest, years), plus_years(birth.latest, years + 1) - timedelta(days=1))
