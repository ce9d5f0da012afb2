"""Doses: what can be told for sure, and why not where it cannot."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.chart import Dose
from tests.unit.fhir.builders import ATC, RXNORM, chart, coded, dosage, statement

PREDNISOLONE = coded(ATC, "H02AB06", text="prednisolone")


def dose(*instructions: dict[str, Any], drug: dict[str, Any] = PREDNISOLONE) -> Dose:
    return chart(statement(drug, dosage=list(instructions))).courses[0].dose


@pytest.mark.parametrize(
    ("instruction", "daily"),
    [
        (dosage(10), "10"),
        (dosage(5, repeat={"frequency": 2}), "10"),
        (dosage(70, every_days=7), "10"),
        (dosage(70, repeat={"period": 1, "periodUnit": "wk"}), "10"),
        (dosage(10_000, "ug"), "10"),
        (dosage(0.01, "g"), "10"),
        (
            {
                "doseAndRate": [{"doseQuantity": {"value": 5, "code": "mg"}}],
                "timing": {"code": {"coding": [{"code": "BID"}]}},
            },
            "10",
        ),
        (
            {
                "doseAndRate": [{"doseQuantity": {"value": 35, "unit": "mg"}}],
                "timing": {"repeat": {"dayOfWeek": ["mon", "thu"]}},
            },
            "10",
        ),
        ({"text": "10 mg daily"}, "10"),
        ({"text": "5 mg, 2 gånger dagligen"}, "10"),
        ({"text": "70 mg varje vecka"}, "10"),
        ({"text": "10mg 每日一次"}, "10"),
    ],
)
def test_a_dose_per_day(instruction: dict[str, Any], daily: str) -> None:
    found = dose(instruction)
    assert found.daily_mg == Decimal(daily)
    assert found.unknown_because is None


@pytest.mark.parametrize(
    ("instruction", "because"),
    [
        (dosage(10, asNeededBoolean=True), "as needed"),
        ({"doseAndRate": [{"doseQuantity": {"value": 10, "unit": "mg"}}]}, "no period"),
        ({"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}, "no amount"),
        (dosage(10, "spoonful"), "unit not known"),
        (dosage(1, "tablet"), "unit not known"),  # of which strength?
        ({"text": "10 mg daily, then 5 mg"}, "free text only"),
        ({"text": "10-20 mg daily"}, "a range"),
        ({"text": "as directed"}, "free text only"),
        ({"doseAndRate": [{"doseRange": {"low": {"value": 5}, "high": {"value": 10}}}]}, "a range"),
    ],
)
def test_a_dose_that_is_not_known_says_why(instruction: dict[str, Any], because: str) -> None:
    found = dose(instruction)
    assert found.daily_mg is None
    assert found.unknown_because == because


def test_no_dosage_at_all_is_said() -> None:
    assert chart(statement(PREDNISOLONE)).courses[0].dose == Dose(unknown_because="no dosage")


def test_tablets_count_by_the_strength_of_the_product() -> None:
    assert dose(dosage(2, "tablet"), drug=coded(RXNORM, "198142")).daily_mg == Decimal(10)
    assert dose(dosage(2, "st"), drug=coded(ATC, "H02AB06", text="Prednisolon 5 mg tablett")).daily_mg == Decimal(10)
    assert dose(dosage(2, "mL"), drug=coded(RXNORM, "249066")).daily_mg == Decimal(10)


def test_morning_and_evening_add_up() -> None:
    assert dose(dosage(7.5), dosage(2.5)).daily_mg == Decimal(10)


def test_tapering_is_the_average_where_every_step_has_its_time() -> None:
    steps = [
        dosage(20, sequence=1, repeat={"boundsDuration": {"value": 10, "unit": "d"}}),
        dosage(10, sequence=2, repeat={"boundsDuration": {"value": 30, "unit": "d"}}),
    ]
    assert dose(*steps).daily_mg == Decimal("12.5")
    assert dose(dosage(20, sequence=1), dosage(10, sequence=2)).unknown_because == "tapering"


def test_elemental_calcium_and_international_units() -> None:
    calcium = chart(statement(coded(ATC, "A12AA04"), dosage=[dosage(500, "mg (elemental)")])).courses[0]
    assert calcium.dose.elemental
    assert calcium.dose.daily_mg == Decimal(500)
    vitamin = chart(statement(coded(ATC, "A11CC05"), dosage=[dosage(800, "IU")])).courses[0]
    assert vitamin.dose.daily_mg == Decimal("0.02")


def test_the_planned_time_is_kept() -> None:
    course = chart(statement(PREDNISOLONE, dosage=[dosage(10, repeat={"boundsDuration": {"value": 4, "code": "wk"}})]))
    assert course.courses[0].planned_days == Decimal(28)
