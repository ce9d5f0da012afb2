"""A safety rule acts on every product of an ingredient, unless the rule says why not (decision 48)."""

from __future__ import annotations

import pytest

from app.engine.knowledge import Rule
from app.engine.linker import load_knowledge
from app.engine.loader import default_folder, load


def products_by_ingredient() -> dict[str, dict[str, frozenset[str]]]:
    """For each drug file its products, each with its own name and its classes."""
    return {
        file.content.id: {name: frozenset({name, *product.classes}) for name, product in file.content.products.items()}
        for file in load(default_folder()).drugs
    }


def safety_rules() -> list[Rule]:
    return [rule for rule in load_knowledge().rules.values() if rule.block.safety and rule.block.drug_rule]


@pytest.mark.parametrize("rule", safety_rules(), ids=lambda rule: rule.id)
def test_a_safety_rule_acts_on_all_products_of_an_ingredient(rule: Rule) -> None:
    drug_rule = rule.block.drug_rule
    assert drug_rule is not None
    forgotten = []
    for ingredient, products in products_by_ingredient().items():
        reached = {name for name, classes in products.items() if not classes.isdisjoint(drug_rule.drugs)}
        if reached and reached != set(products):
            forgotten.append(f"{ingredient}: {', '.join(sorted(set(products) - reached))}")
    assert drug_rule.narrowed or not forgotten, f"{rule.id} forgets {'; '.join(forgotten)}"
    assert forgotten or not drug_rule.narrowed, f"{rule.id} forgets nothing: delete `narrowed`"


def test_there_are_safety_rules() -> None:
    assert len(safety_rules()) > 15
