"""Dates, partial dates and instants."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chart import DateRange
from app.dates import minus_months
from app.fhir.dates import age_to_dates, read_date
from app.fhir.observations.read import ObservationFacts, read_observation
from app.fhir.resource import Reading, ReadSettings
from app.wire.elements import Quantity
from app.wire.observations import Observation
from tests.support.wire import record

UTC, STOCKHOLM = ZoneInfo("UTC"), ZoneInfo("Europe/Stockholm")


def span(first: date, last: date | None = None) -> DateRange:
    return DateRange(first, last or first)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2015", span(date(2015, 1, 1), date(2015, 12, 31))),
        ("2016-02", span(date(2016, 2, 1), date(2016, 2, 29))),
        ("2015-03-07", span(date(2015, 3, 7))),
        ("2015-03-07T23:30:00Z", span(date(2015, 3, 8))),  # already the next day in Stockholm
        ("2015-03-07T23:30:00.041088-08:00", span(date(2015, 3, 8))),
        ("2015-03-07T23:30:00", span(date(2015, 3, 7))),  # no offset: the day that it says
    ],
)
def test_dates_are_days_in_the_time_zone_of_the_service(text: str, expected: DateRange) -> None:
    assert read_date(text, STOCKHOLM) == expected


@pytest.mark.parametrize("value", [None, "", "soon", "2015-13", "2015-02-30", "0001-01-01", "0001"])
def test_what_is_no_date_is_none(value: str | None) -> None:
    assert read_date(value, UTC) is None


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    found = read_date(text, STOCKHOLM)
    assert found is None or found.earliest <= found.latest


@given(st.dates(min_value=date(1900, 1, 1)))
def test_a_full_date_is_itself(day: date) -> None:
    assert read_date(day.isoformat(), UTC) == span(day)


def test_months_are_calendar_months() -> None:
    assert minus_months(date(2026, 5, 31), 3) == date(2026, 2, 28)
    assert minus_months(date(2026, 1, 15), 13) == date(2024, 12, 15)


def test_an_age_at_onset_is_a_year_of_days() -> None:
    born = span(date(1950, 3, 2))
    assert age_to_dates(born, Quantity(value=45, code="a")) == span(date(1995, 3, 2), date(1996, 3, 1))
    assert age_to_dates(None, Quantity(value=45)) is None


def test_the_later_value_of_a_day_has_the_larger_position() -> None:
    def position(effective: str, issued: str | None = None) -> int:
        reading, facts = Reading("p1", date(2026, 5, 2), STOCKHOLM, ReadSettings()), ObservationFacts()
        weight = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
        resource = {"resourceType": "Observation", "id": "w", "status": "final", "code": weight, "issued": issued}
        result = record({**resource, "effectiveDateTime": effective})
        assert isinstance(result, Observation)
        read_observation(result, reading, facts)
        return facts.observations[0].order

    morning = position("2026-05-01T08:00:00+02:00")
    noon = position("2026-05-01T12:00:00+02:00")
    corrected = position("2026-05-01T08:00:00+02:00", "2026-05-01T15:00:00Z")
    assert 0 < morning < corrected < noon
    assert position("2026-05-01") == 0
