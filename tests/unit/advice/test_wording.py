"""Words of cards: nothing from a record can become markup, numbers read as a person writes them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.cards.wording import Wording, escaped, number
from app.chart import DateRange
from app.engine.linker import load_knowledge
from app.features.model import Evidence
from app.features.notes import NoteCode, note


@pytest.mark.parametrize("text", ["<script>", "[link](http://x)", "**bold**", "a|b", "# head", "![i](u)", "`code`"])
def test_markup_from_a_record_is_escaped(text: str) -> None:
    shown = escaped(text)
    for mark in "*_[]<>#|`!":
        assert all(shown[i - 1] == "\\" for i, c in enumerate(shown) if c == mark)


def test_text_from_a_record_is_one_bounded_line() -> None:
    assert escaped("a\n\nb") == "a b"
    assert len(escaped("x" * 1000)) == 120


@pytest.mark.parametrize(
    ("value", "shown"), [("2.50", "2.5"), ("-3", "-3"), ("22.1538461", "22.15"), ("1E+2", "100"), ("0.10", "0.1")]
)
def test_numbers(value: str, shown: str) -> None:
    assert number(Decimal(value)) == shown


def test_a_fact_has_name_value_unit_date_and_note() -> None:
    wording = Wording(load_knowledge(), "en")
    day = DateRange(date(2026, 1, 1), date(2026, 12, 31))
    notes = (note(NoteCode.COCKCROFT_GAULT_MALE, 90, 70, 80),)
    fact = Evidence("creatinine_clearance", Decimal(28), "mL/min", day, "Observation/o1", notes)
    computed = "Cockcroft-Gault from creatinine 90 µmol/L, weight 70 kg, age 80 years, male"
    assert wording.fact(fact) == f"creatinine clearance: 28 mL/min (2026; {computed})"


def test_annotations_of_ucum_are_not_shown() -> None:
    fact = Evidence("falls", Decimal(3), "{count}")
    assert Wording(load_knowledge(), "en").value(fact) == "3"
