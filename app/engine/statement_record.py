"""What one statement says and does, as plain values: for its version, for reviews, and to compare two releases.

The version of a statement is a hash over everything that decides what it does on its own account: quotation, strength,
use, effects, criteria with the named criteria behind them, and its English texts. It does not cover what statements
share: the codes of concepts and drugs, the gates of an advice, the functions of features. Comments (`note`) and the
order of keys do not change it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from app.data_files import data_path
from app.engine.criteria import All, AnyOf, Named, Node, Not
from app.engine.knowledge import Knowledge, Rule

RELEASES = "releases"
"""The folder of guidelines/ with the record of each release."""

Fields = dict[str, str]
"""The readable parts of a statement by their names; empty ones are left out."""

_CRITERIA = {"when", "unless", "rides_when", "indicator_when", "ask_when"}
_COMMENTS = {"note"}


@lru_cache(maxsize=16)
def versions(knowledge: Knowledge) -> Mapping[str, str]:
    """The version of each statement: twelve hexadecimal digits."""
    return {rule.id: version_of_statement(rule, knowledge) for rule in knowledge.rules.values()}


def version_of_statement(rule: Rule, knowledge: Knowledge) -> str:
    """A short hash over what the statement says and does."""
    block = rule.block.model_dump(mode="json", exclude_defaults=True, exclude=_CRITERIA | _COMMENTS)
    if rule.block.option:
        block["option"].pop("opens", None)
    texts = knowledge.locale("en").statements.get(rule.id)
    content = {
        "block": block,
        "when": expanded(rule.when),
        "unless": [(expanded(unless.node), unless.unknown) for unless in rule.unless],
        "others": [expanded(node) for node in (rule.rides_when, rule.opens, rule.indicator_when, rule.ask_when)],
        "texts": texts.model_dump(mode="json", exclude_defaults=True) if texts else {},
    }
    written = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()[:12]


def expanded(node: Node) -> str:
    """A criterion as one line, with what stands behind the names of named criteria."""
    match node:
        case Named(name=name, child=child):
            return f"{name} = ({expanded(child)})"
        case Not(child=child):
            return f"not ({expanded(child)})"
        case All(children=children):
            return "all of (" + "; ".join(map(expanded, children)) + ")"
        case AnyOf(children=children):
            return "any of (" + "; ".join(map(expanded, children)) + ")"
        case _:
            return str(node)


def fields_of(rule: Rule, knowledge: Knowledge) -> Fields:
    """The readable parts of a statement, in the order in which a reviewer reads them."""
    block = rule.block
    texts = knowledge.locale("en").statements.get(rule.id)
    rest = block.model_dump(mode="json", exclude_defaults=True, exclude=_CRITERIA | _COMMENTS | _NAMED)
    if block.option:
        rest["option"].pop("opens", None)
    made = {
        "statement": texts.statement if texts else "",
        "quotation": " … ".join(block.source.quote),
        "strength": block.strength.value,
        "use": block.use.value,
        "advice": block.advise or "",
        "holds when": expanded(rule.when),
        "does not hold when": "; ".join(f"{expanded(one.node)} (unknown: {one.unknown})" for one in rule.unless),
        "other settings": json.dumps(rest, sort_keys=True, ensure_ascii=False) if rest else "",
    }
    return {name: text for name, text in made.items() if text}


_NAMED = {"id", "source", "strength", "use", "advise"}


def record_of(knowledge: Knowledge, release: str) -> dict[str, Any]:
    """The record of a release, as it is shipped in guidelines/releases: all statements with version and fields."""
    known = versions(knowledge)
    return {
        "release": release,
        "knowledge": knowledge.version,
        "statements": {
            rule.id: {"version": known[rule.id], "fields": fields_of(rule, knowledge)}
            for rule in sorted(knowledge.rules.values(), key=lambda rule: rule.id)
        },
    }


def shipped_records() -> list[dict[str, Any]]:
    """The records of the releases before this one, oldest first; none before the first release."""
    try:
        folder = data_path("guidelines", RELEASES)
    except FileNotFoundError:
        return []
    found = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    return sorted(found, key=lambda record: [int(part) for part in str(record["release"]).split(".")])


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements that differ between two records: added, removed, or changed with the fields old and new."""
    before, after = old["statements"], new["statements"]
    for name in sorted({*before, *after}):
        if name not in before:
            yield {"statement": name, "change": "added", "fields": _both({}, after[name]["fields"])}
        elif name not in after:
            yield {"statement": name, "change": "removed", "fields": _both(before[name]["fields"], {})}
        elif before[name]["version"] != after[name]["version"]:
            yield {
                "statement": name,
                "change": "changed",
                "fields": _both(before[name]["fields"], after[name]["fields"]),
            }


def _both(old: Fields, new: Fields) -> dict[str, tuple[str, str]]:
    """The fields that differ, old and new."""
    names = dict.fromkeys([*old, *new])
    return {name: (old.get(name, ""), new.get(name, "")) for name in names if old.get(name) != new.get(name)}
