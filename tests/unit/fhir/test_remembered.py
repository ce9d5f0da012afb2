"""What a reading remembers of codes, and what nobody remembers: words about a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.fhir import remembered
from app.fhir.remembered import Remembered
from app.terminology.units import to_decimal
from tests.support.wire import concept
from tests.unit.fhir.builders import LOINC, chart, coded, facts_in, observation

CALCIUM = "17861-6"


class Counting:
    """A function of a concept that says how often it worked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, concept: object) -> str:
        self.calls += 1
        return repr(concept)


def test_a_concept_is_worked_out_once_in_a_reading() -> None:
    work = Counting()
    recall = Remembered(work)
    written = coded(LOINC, CALCIUM, text="calcium, fasting")
    assert recall(concept(written)) == recall(concept(written))
    assert work.calls == 1


@pytest.mark.parametrize(
    "other",
    [
        coded(LOINC, "2160-0", text="Calcium"),
        coded("http://other", CALCIUM, text="Calcium"),
        coded(LOINC, CALCIUM, text="No calcium"),
        coded(LOINC, CALCIUM, text="Calcium", display="Albumin"),
        {"coding": [*coded(LOINC, CALCIUM)["coding"], *coded(LOINC, "2160-0")["coding"]], "text": "Calcium"},
        {"text": "Calcium"},
    ],
)
def test_whatever_decides_the_meaning_tells_concepts_apart(other: dict[str, Any]) -> None:
    recall = Remembered(repr)
    assert recall(concept(coded(LOINC, CALCIUM, text="Calcium"))) != recall(concept(other))


def test_a_code_with_its_display_is_remembered_by_the_process_and_other_words_are_not() -> None:
    work = Counting()
    term = coded(LOINC, CALCIUM, text="Calcium", display="Calcium")
    spoken = coded(LOINC, CALCIUM, text="Calcium of Ms Example", display="Calcium")
    for _ in range(2):
        recall = Remembered(work)
        recall(concept(term))
        recall(concept(spoken))
    assert work.calls == 3
    assert remembered._of_term.cache_info().currsize <= remembered._CACHED_TERMS


@pytest.mark.parametrize("limit", [["2.5"], {"a": 1}, True, None, "about 2"])
def test_a_limit_of_a_range_that_is_no_number_does_not_cost_the_result(limit: object) -> None:
    ranges = [{"low": {"value": limit, "unit": "mmol/L"}, "high": {"value": 2.6, "unit": "mmol/L"}}]
    read = chart(observation(coded(LOINC, "2000-8"), 2.3, "mmol/L", referenceRange=ranges))
    assert [(f.reference_low, f.reference_high) for f in facts_in(read)] == [(None, Decimal("2.6"))]
    assert [item.resource for item in read.set_aside] == ["Observation/x"] * (
        limit is not None and not isinstance(limit, str)
    )


def test_equal_limits_of_different_results_keep_their_own_units() -> None:
    low = {"low": {"value": 2.1}}
    read = chart(
        observation(coded(LOINC, "2000-8"), 2.3, "mmol/L", id="a", referenceRange=[low]),
        observation(coded(LOINC, CALCIUM), 9.2, "mg/dL", id="b", referenceRange=[low]),
    )
    assert [(fact.unit, fact.reference_low) for fact in facts_in(read)] == [
        ("mmol/L", Decimal("2.1")),
        ("mmol/L", Decimal("0.52395")),  # 2.1 mg/dL
    ]


@pytest.mark.parametrize("value", [1e-12, 9.99e12, 1e13, 9e-13, 0.0, -1e13, -2.5, float("nan"), float("inf")])
def test_the_quick_way_to_a_decimal_has_the_limits_of_the_slow_one(value: float) -> None:
    assert str(to_decimal(value)) == str(to_decimal(Decimal(repr(value))))
