"""Which dosages the process may keep between calls: those that hold no words about a person."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.fhir.medications.common import is_vocabulary
from app.wire.dosage import Dosage

COMMON: dict[str, Any] = {
    "text": "1 tablet daily",
    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["MORN"]}},
    "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral route"}]},
    "doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}}],
}


def _read(**changed: Any) -> Dosage:
    return msgspec.convert({**COMMON, **changed}, Dosage, strict=False)


@pytest.mark.parametrize("changed", [{}, {"text": None}, {"timing": None}, {"doseAndRate": []}, {"text": "as needed"}])
def test_codes_numbers_and_listed_words_are_vocabulary(changed: dict[str, Any]) -> None:
    assert is_vocabulary(_read(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "1 tablet daily for Ms Example"},
        {"route": {"text": "as Ms Example prefers"}},
        {"timing": {"repeat": {"when": ["before Ms Example sleeps"]}}},
        {"timing": {"code": {"text": "when Ms Example wakes"}}},
        {"asNeededCodeableConcept": {"text": "pain of Ms Example"}},
        {"asNeededFor": [{"text": "pain of Ms Example"}]},
        {"doseAndRate": [{"type": {"text": "of Ms Example"}}]},
        {"doseQuantity": {"value": 1, "unit": "tablets out of the box of Ms Example"}},
        {"maxDosePerPeriod": {"numerator": {"unit": "tablets out of the box of Ms Example"}}},
        {"doseQuantity": {"value": 1, "system": "Ms Example"}},
        {"_unreadable": ["doseAndRate"]},
    ],
)
def test_words_that_can_be_about_a_person_are_not(changed: dict[str, Any]) -> None:
    assert not is_vocabulary(_read(**changed))
