"""The tables of the guideline data agree with facts that do not come from them, and a wrong table is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.cds_hooks.discovery import discovery
from app.engine.knowledge import Knowledge
from app.engine.linker import load_knowledge
from app.terminology.code_sets import Terminology, terminology
from tests.facts import drugs, units
from tests.facts.discovery import PREFETCH, SERVICES


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def test_every_factor_and_range_of_a_unit_agrees_with_molar_masses_and_definitions() -> None:
    assert list(units.wrong_units()) == []


def test_every_order_is_the_one_of_its_source_and_its_texts_say_the_same(knowledge: Knowledge) -> None:
    assert list(drugs.wrong_orders(knowledge)) == []


def test_every_equivalent_and_depot_interval_agrees_with_its_fact() -> None:
    assert list(drugs.wrong_equivalents()) == []


def test_services_and_prefetch_are_literally_these() -> None:
    found = discovery()["services"]
    assert [(one["id"], one["hook"]) for one in found] == SERVICES
    for one in found:
        assert one["prefetch"] == PREFETCH, one["id"]


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("dose", Decimal(700), "dose 700, the source has 70"),
        ("unit", "g", "unit g, the source has mg"),
        ("period", Decimal(2), "interval 1 per 2 wk"),
        ("frequency", 7, "interval 7 per 1 wk"),
        ("route", "intravenous", "route intravenous"),
        ("from_recommendation", "uppsala.dose.denosumab-60mg", "does not quote 'veckotablett (70 mg/vecka)'"),
    ],
)
def test_a_wrong_order_is_seen(knowledge: Knowledge, member: str, value: object, message: str) -> None:
    drug = knowledge.drugs["alendronate"]
    order = drug.orders["any"].model_copy(update={member: value})
    planted = {**knowledge.drugs, drug.id: drug.model_copy(update={"orders": {"any": order}})}
    assert any(message in line for line in drugs.wrong_orders(replace(knowledge, drugs=planted)))


def test_a_wrong_code_of_a_drug_that_is_only_named_is_seen(knowledge: Knowledge) -> None:
    drug = knowledge.drugs["raloxifene"]
    planted = {**knowledge.drugs, drug.id: drug.model_copy(update={"codes": [{"code": "G03XC02"}]})}
    assert any("raloxifene: codes ['G03XC02']" in line for line in drugs.wrong_codes(replace(knowledge, drugs=planted)))


def test_a_text_in_another_unit_is_seen(knowledge: Knowledge) -> None:
    language, locale = next(iter(knowledge.locales.items()))
    texts = locale.drugs["alendronate"]
    dose = texts.orders["any"]
    wrong = dose.model_copy(update={"text": dose.text.replace(" mg", " g")})
    changed = {**locale.drugs, "alendronate": texts.model_copy(update={"orders": {"any": wrong}})}
    locales = {**knowledge.locales, language: locale.model_copy(update={"drugs": changed})}
    assert any("not in mg" in line for line in drugs.wrong_orders(replace(knowledge, locales=locales)))


@pytest.mark.parametrize(
    ("quantity", "member", "value", "message"),
    [
        ("creatinine", "from", {"umol/L": "1", "mg/dL": "8.84"}, "mg/dL is 88.4"),
        ("vitamin_d", "from", {"ng/mL": "1", "nmol/L": "2.496"}, "nmol/L is 0.40064"),
        ("creatinine", "from", {"umol/L": "1", "mol/L": "1000000", "furlong": "1"}, "no fact about furlong"),
        ("height", "possible", ["1", "250"], "1.48 cm does not occur"),
        ("haemoglobin", "possible", ["90", "260"], "70 g/L occurs"),
    ],
)
def test_a_wrong_factor_or_range_is_seen(
    monkeypatch: pytest.MonkeyPatch, quantity: str, member: str, value: object, message: str
) -> None:
    raw: Mapping[str, Any] = terminology().raw
    entries = raw["units"]["quantities"]
    planted = {**entries, quantity: {**entries[quantity], member: value}}
    changed: Terminology = replace(terminology(), raw={**raw, "units": {**raw["units"], "quantities": planted}})
    monkeypatch.setattr(units, "terminology", lambda: changed)
    assert any(message in line for line in units.wrong_units())
