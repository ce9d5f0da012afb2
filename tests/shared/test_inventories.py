"""The guideline files against the inventories, the roles and the source texts."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from app.commands.check import quote_problems
from app.engine.knowledge import load_knowledge

INVENTORIES = ("inventory-000-001.yaml", "inventory-002-003-004.yaml")
ROLES = ("roles-000-001.tsv", "roles-002-003-004.tsv")


@lru_cache(maxsize=4)
def inventory(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def roles(shared: Path) -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    for name in ROLES:
        with (shared / "sources" / name).open(encoding="utf-8", newline="") as file:
            rows |= {row["id"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    return rows


def test_every_entry_of_the_inventories_is_there_and_nothing_else(shared: Path) -> None:
    expected = {e["id"] for name in INVENTORIES for e in inventory(shared / "sources" / name)["entries"]}
    assert set(load_knowledge().rules) == expected


def test_every_derived_rule_says_where_it_lives(shared: Path) -> None:
    derived = inventory(shared / "sources" / INVENTORIES[1])["derived_rules"]
    assert set(load_knowledge().derived) == {rule["id"] for rule in derived}


def test_every_quotation_stands_in_its_source(shared: Path) -> None:
    assert list(quote_problems(load_knowledge(), shared / "sources")) == []


OWN_OCCASION = {
    # The table says rides; its own remark and decision 28 give them a card of their own beside a running bone drug
    # (calcium-1000) and under glucocorticoids (prevention-populations).
    "msd.calcium-vitd.calcium-1000": "card",
    "msd.calcium-vitd.prevention-populations": "card",
}


def test_use_advice_safety_and_default_are_those_of_the_roles(shared: Path) -> None:
    table, differing = roles(shared), []
    for rule in load_knowledge().rules.values():
        row, block = table[rule.id], rule.block
        ours = (str(block.use), block.safety, block.default_on)
        use = OWN_OCCASION.get(rule.id, row["use"])
        theirs = (use, row["safety_in_every_profile"] == "yes", row["default_on"] == "yes")
        if (rule.citable and ours != theirs) or str(block.use) != use:
            differing.append((rule.id, ours, theirs))
    assert differing == []


def test_a_card_has_the_topic_and_advice_of_the_roles(shared: Path) -> None:
    table, knowledge, differing = roles(shared), load_knowledge(), []
    for rule in knowledge.rules.values():
        row, block = table[rule.id], rule.block
        if row["use"] != "card" or block.drug_rule:
            continue
        topic = block.topic or (knowledge.advice[block.advise].block.topic if block.advise else None)
        if (block.advise, topic) != (row["advice"], row["topic"]):
            differing.append((rule.id, (block.advise, topic), (row["advice"], row["topic"])))
    assert differing == []
