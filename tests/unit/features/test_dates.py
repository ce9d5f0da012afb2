"""Calendar months: exact at the boundary, intervals where a date is partial."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dates import add_days, add_months, months_between, months_since, within_months, years_between

from .charts import TODAY, on

days = st.dates(date(1950, 1, 1), date(2090, 1, 1))


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2026-03-15", "2026-06-15", 3),
        ("2026-01-31", "2026-02-28", 1),
        ("2024-02-29", "2025-02-28", 12),
        ("2025-12-15", "2026-01-15", 1),
        ("2026-06-15", "2026-06-15", 0),
    ],
)
def test_the_calendar_boundary_is_a_whole_number(start: str, end: str, months: int) -> None:
    assert months_between(date.fromisoformat(start), date.fromisoformat(end)) == months


def test_more_than_three_months_holds_from_the_day_after() -> None:
    start = date(2026, 3, 15)
    assert months_between(start, date(2026, 6, 14)) < 3 < months_between(start, date(2026, 6, 16))


@given(days, days)
def test_time_runs_the_same_way_back(first: date, second: date) -> None:
    assert months_between(first, second) == -months_between(second, first)


@given(days, days, st.integers(0, 400))
def test_a_later_day_is_never_fewer_months_away(start: date, end: date, more: int) -> None:
    assert months_between(start, end + timedelta(days=more)) >= months_between(start, end)


@given(days, st.integers(-600, 600))
def test_adding_months_is_what_months_between_counts(start: date, months: int) -> None:
    if start.day <= 28:
        assert months_between(start, add_months(start, months)) == months


def test_a_partial_date_is_an_interval_and_never_reaches_into_the_future() -> None:
    low, high = months_since(on("2026"), TODAY)
    assert (low, high) == (Decimal(0), months_between(date(2026, 1, 1), TODAY))


def test_a_limit_inside_a_partial_date_is_unknown() -> None:
    assert within_months(on("2025-06"), 12, TODAY) is None
    assert within_months(on("2025-05"), 12, TODAY) is False
    assert within_months(on("2025-07"), 12, TODAY) is True
    assert within_months(None, 12, TODAY) is None


def test_years_are_completed_years() -> None:
    assert years_between(date(1960, 6, 16), TODAY) == 65
    assert years_between(date(1960, 6, 15), TODAY) == 66


def test_arithmetic_ends_where_the_calendar_ends() -> None:
    """Systems write 9999-12-31 for an open end, and orders carry absurd durations."""
    assert add_months(date.max, 1) == date.max
    assert add_months(date.min, -1) == date.min
    assert add_days(TODAY, Decimal("1E+300")) == date.max
    assert add_days(TODAY, -4_000_000) == date.min
    assert months_between(date(9999, 12, 15), date.max) <= 1
    assert months_between(date.max, date.max) == 0
    assert months_between(TODAY, date.max) > 95_000
