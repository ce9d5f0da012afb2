"""Dosage as typed structs: what has its type is kept, what has not is named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.wire.dosage import Dosage, Repeat
from app.wire.medications import MedicationStatement
from app.wire.resources import Damaged
from tests.support.wire import record


def dosages_of(value: Any) -> tuple[Dosage, ...]:
    found = record({"resourceType": "MedicationStatement", "dosage": value})
    whole = found.record if isinstance(found, Damaged) else found
    assert isinstance(whole, MedicationStatement)
    return whole.dosage


def dosage_of(entry: dict[str, Any]) -> Dosage:
    return dosages_of([entry])[0]


def repeat_of(entry: dict[str, Any]) -> Repeat:
    found = dosage_of({"timing": {"repeat": entry}})
    assert found.timing is not None
    assert found.timing.repeat is not None
    return found.timing.repeat


def test_numbers_are_exact() -> None:
    found = repeat_of({"frequency": 1, "period": 7.5, "periodUnit": "d"})
    assert (found.frequency, found.period, found.period_unit) == (Decimal(1), Decimal("7.5"), "d")


@pytest.mark.parametrize(
    ("entry", "unreadable"),
    [
        ({"timing": {"repeat": {"frequency": "two", "period": 1}}}, ("timing.repeat.frequency",)),
        ({"timing": {"repeat": [1]}}, ("timing.repeat",)),
        ({"timing": "daily"}, ("timing",)),
        ({"text": 5}, ("text",)),
        ({"doseAndRate": [{"doseQuantity": {"value": True}}]}, ("doseAndRate.doseQuantity.value",)),
        ({"doseAndRate": ["5 mg"]}, ("doseAndRate",)),
        ({"asNeededBoolean": "sometimes"}, ("asNeededBoolean",)),
    ],
)
def test_a_member_of_the_wrong_type_is_named(entry: dict[str, Any], unreadable: tuple[str, ...]) -> None:
    assert dosage_of(entry).unreadable == unreadable


def test_the_other_members_are_kept() -> None:
    found = dosage_of({"text": "10 mg daily", "sequence": {}, "timing": {"repeat": {"period": 1, "count": "many"}}})
    assert found.text == "10 mg daily"
    assert found.timing is not None
    assert found.timing.repeat == Repeat(period=Decimal(1))
    assert found.unreadable == ("sequence", "timing.repeat.count")


def test_a_single_value_in_the_place_of_a_list_is_the_list() -> None:
    assert repeat_of({"dayOfWeek": "mon", "when": ["MORN"]}) == Repeat(day_of_week=("mon",), when=("MORN",))
    assert len(dosage_of({"doseAndRate": {"doseQuantity": {"value": 1}}}).dose_and_rate) == 1


def test_a_number_with_a_comma_is_read() -> None:
    found = dosage_of({"doseAndRate": [{"doseQuantity": {"value": "7,5", "unit": "mg"}}]})
    quantity = found.dose_and_rate[0].dose_quantity
    assert quantity is not None
    assert quantity.value == Decimal("7.5")
    assert found.unreadable == ()


def test_one_object_or_none_where_a_list_belongs() -> None:
    assert dosages_of({"text": "a"}) == (Dosage(text="a"),)
    assert dosages_of(None) == ()
    assert dosages_of(["a", 5]) == ()
