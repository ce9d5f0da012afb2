"""The guideline files against the inventories, the roles and the source texts."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from app.commands.check import quote_problems
from app.engine.linker import load_knowledge
from tests.support.open_rows import open_roles

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


Role = tuple[object, ...]


def differing_roles(shared: Path) -> dict[str, list[tuple[Role, Role]]]:
    """Per statement, where the guideline files and the table differ: (ours, theirs)."""
    table, knowledge = roles(shared), load_knowledge()
    differing: dict[str, list[tuple[Role, Role]]] = {}
    for rule in knowledge.rules.values():
        row, block = table[rule.id], rule.block
        use = OWN_OCCASION.get(rule.id, row["use"])
        ours: Role = (str(block.use), block.safety, block.default_on)
        theirs: Role = (use, row["safety_in_every_profile"] == "yes", row["default_on"] == "yes")
        if (rule.citable and ours != theirs) or str(block.use) != use:
            differing.setdefault(rule.id, []).append((ours, theirs))
        if row["use"] == "card" and not block.drug_rule:
            topic = block.topic or (knowledge.advice[block.advise].block.topic if block.advise else None)
            if (block.advise, topic) != (row["advice"], row["topic"]):
                differing.setdefault(rule.id, []).append(((block.advise, topic), (row["advice"], row["topic"])))
    return differing


def test_use_advice_topic_safety_and_default_are_those_of_the_roles(shared: Path) -> None:
    found = differing_roles(shared)
    assert {name: found[name] for name in found if name not in open_roles()} == {}


def test_an_open_role_still_differs(shared: Path) -> None:
    assert open_roles() <= set(differing_roles(shared)), "implemented: delete it from tests/support/open-rows.yaml"
