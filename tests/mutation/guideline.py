"""Mutants of recommendations, named criteria, advice, orderables, profiles, disagreement lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from app.engine.loader import Loaded
from tests.mutation.criteria import of_tree
from tests.mutation.mutant import DROP, Edit, Mutant, Path

NEXT_INDICATOR = {"info": "warning", "warning": "info", "critical": "info"}
NEXT_UNKNOWN = {"ask": "silent", "block": "ask", "withhold": "silent", "silent": "withhold"}
WEAKER_GATE = {"withhold": "caution", "no-suggestion": "caution", "replace": "caution", "caution": "no-suggestion"}
WEAKER_GATE |= {"ask": "withhold"}
NEXT_RUNNING = {"switch": "silent", "caution": "silent", "silent": "switch"}
MUST_KNOW = ("must_know", "block")


def guideline_mutants(loaded: Loaded) -> Iterator[Mutant]:
    """Every mutant of the guideline files, in the order of the files."""
    for file in loaded.files:
        name, raw = file.name, file.raw
        for index, block in enumerate(raw.get("recommendations") or ()):
            yield from _of_recommendation(name, ("recommendations", index), block, loaded)
        for key, block in (raw.get("criteria") or {}).items():
            yield from of_tree(name, ("criteria", key, "when"), block["when"], key)
        for index, block in enumerate(raw.get("advice") or ()):
            yield from _of_advice(name, ("advice", index), block)
        for index, block in enumerate(raw.get("orderables") or ()):
            yield from _of_orderable(name, ("orderables", index), block)
        for index, block in enumerate(raw.get("profiles") or ()):
            yield from _of_profile(name, ("profiles", index), block)
        for index, block in enumerate(raw.get("disagreements") or ()):
            yield from _of_disagreement(name, ("disagreements", index), block)
    yield from _everywhere(loaded)


def _items(file: str, here: Path, block: Any, kind: str, keys: tuple[str, ...], place: str) -> Iterator[Mutant]:
    """Each item of each list dropped; a list with one item, or one word, is removed."""
    for key in keys:
        value = block.get(key)
        if isinstance(value, list) and len(value) > 1:
            for index, item in enumerate(value):
                yield Mutant(kind, place, f"{key} without {item}", (Edit(file, (*here, key, index), DROP),))
        elif value:
            yield Mutant(kind, place, f"{key} without {value}", (Edit(file, (*here, key), DROP),))


def _flag(file: str, here: Path, block: Any, kind: str, keys: tuple[str, ...], place: str) -> Iterator[Mutant]:
    for key in keys:
        if key in block:
            yield Mutant(kind, place, f"{key} {block[key]} turned", (Edit(file, (*here, key), not block[key]),))


def _exchange(
    file: str, here: Path, block: Any, kind: str, key: str, others: dict[str, str], place: str, default: str = ""
) -> Iterator[Mutant]:
    value = block.get(key, default)
    if value in others:
        edit = Edit(file, (*here, key), others[value])
        yield Mutant(kind, place, f"{key} {value} as {others[value]}", (edit,))


def _of_recommendation(file: str, here: Path, block: Any, loaded: Loaded) -> Iterator[Mutant]:
    place, use = block["id"], block["use"]
    for key in ("when", "rides_when", "indicator_when"):
        if key in block:
            yield from of_tree(file, (*here, key), block[key], place)
    if use not in {"none", "text"}:
        written = block.get("when", True)  # kept beside the constant: texts name its limits
        for word, when in (("never", {"all": [written, False]}), ("always", {"any": [written, True]})):
            if written is not True or word == "never":
                yield Mutant(f"rule {word}", place, word, (Edit(file, (*here, "when"), when),))
    for index, unless in enumerate(block.get("unless") or ()):
        at = (*here, "unless", index)
        yield Mutant("exclusion removed", place, f"unless {index}", (Edit(file, at, DROP),))
        yield from _exchange(
            file, at, unless, "unknown behaviour", "unknown", NEXT_UNKNOWN, f"{place} unless {index}", "ask"
        )
        yield from of_tree(file, (*at, "when"), unless["when"], place)
    yield from _items(file, here, block, "ask", ("ask", "asks_for"), place)
    yield from _items(file, here, block, "must know", ("block",), place)
    yield from _items(file, here, block, "work-up test", ("tests",), place)
    yield from _items(file, here, block, "rider", ("rides_on", "rides_when"), place)
    yield from _items(file, here, block, "occasion", ("at_renewal_of",), place)
    yield from _flag(file, here, block, "safety flag", ("safety",), place)
    yield from _flag(file, here, block, "rider", ("rides_with_drug",), place)
    yield from _exchange(file, here, block, "indicator", "indicator", NEXT_INDICATOR, place)
    if use == "card":
        at = block.get("at", ["chart"])
        other = {("chart",): ["orders"], ("orders",): ["chart"]}.get(tuple(at), ["chart"])
        yield Mutant("occasion", place, f"at {at} as {other}", (Edit(file, (*here, "at"), other),))
    if rule := block.get("drug_rule"):
        yield from _of_drug_rule(file, (*here, "drug_rule"), rule, place)
    if option := block.get("option"):
        yield from _of_option(file, (*here, "option"), option, place, loaded)


def _of_drug_rule(file: str, here: Path, rule: Any, place: str) -> Iterator[Mutant]:
    effects = {"block": "caution", "caution": "block"}
    yield Mutant("contraindication", place, "removed", (Edit(file, here, DROP),))
    yield from _exchange(file, here, rule, "contraindication", "effect", effects, place)
    yield from _exchange(file, here, rule, "contraindication", "on_running", NEXT_RUNNING, place, "switch")
    yield from _exchange(
        file, here, rule, "contraindication", "on_order", {"card": "silent", "silent": "card"}, place, "card"
    )
    yield from _items(file, here, rule, "must know", ("must_know",), place)
    if len(rule["drugs"]) > 1 and isinstance(rule["drugs"], list):
        yield from _items(file, here, rule, "contraindication", ("drugs",), place)
    yield from _items(file, here, rule, "contraindication", ("with_malignancy", "effect_in"), place)
    yield from _flag(file, here, rule, "contraindication", ("demotes", "correctable"), place)


def _of_option(file: str, here: Path, option: Any, place: str, loaded: Loaded) -> Iterator[Mutant]:
    for rank in (option["rank"] + 15, option["rank"] - 15):
        yield Mutant("option rank", place, f"rank {option['rank']} to {rank}", (Edit(file, (*here, "rank"), rank),))
    if isinstance(option["purposes"], list) and len(option["purposes"]) > 1:
        yield from _items(file, here, option, "option purpose", ("purposes",), place)
    yield from _items(file, here, option, "must know", ("must_know",), place)
    yield from _items(file, here, option, "option purpose", ("opens",), place)
    yield from _flag(file, here, option, "option purpose", ("suggest", "beside"), place)
    drugs = [d.id for d in (file.content.drug() for file in loaded.drugs) if d is not None]
    other = drugs[(drugs.index(option["drug"]) + 1) % len(drugs)]
    yield Mutant("drug identity", place, f"{option['drug']} as {other}", (Edit(file, (*here, "drug"), other),))


def _of_advice(file: str, here: Path, block: Any) -> Iterator[Mutant]:
    place = block["id"]
    yield from _exchange(file, here, block, "indicator", "indicator", NEXT_INDICATOR, place, "info")
    topics = {"red-flag": "follow-up", "drug-safety": "treatment", "treatment": "drug-safety"}
    yield from _exchange(file, here, block, "topic", "topic", topics, place)
    yield from _items(file, here, block, "join", ("joins",), place)
    yield from _items(file, here, block, "withheld by", ("withheld_by",), place)
    yield from _items(file, here, block, "suggestion", ("suggests",), place)
    yield from _items(file, here, block, "ask", ("asks", "names_missing"), place)
    yield from _items(file, here, block, "rule never", ("purpose",), place)
    yield from _flag(file, here, block, "occasion", ("due_at_visit",), place)
    yield from _flag(file, here, block, "rider", ("opens_with_statement",), place)
    if "opens_when" in block:
        yield Mutant("rule never", place, "opens_when: False", (Edit(file, (*here, "opens_when"), False),))
        yield from of_tree(file, (*here, "opens_when"), block["opens_when"], place)
    for index, gate in enumerate(block.get("gates") or ()):
        at, name = (*here, "gates", index), f"{place} gate {index}"
        yield Mutant("gate removed", name, str(gate.get("effect", "withhold")), (Edit(file, at, DROP),))
        yield from _exchange(file, at, gate, "gate weakened", "effect", WEAKER_GATE, name, "withhold")
        yield from _exchange(file, at, gate, "unknown behaviour", "unknown", NEXT_UNKNOWN, name, "silent")
        yield from _items(file, at, gate, "gate cites", ("cites",), name)
        yield from of_tree(file, (*at, "when"), gate["when"], name)


def _of_orderable(file: str, here: Path, block: Any) -> Iterator[Mutant]:
    place = block["id"]
    for index, code in enumerate(block["codes"]):
        edit = Edit(file, (*here, "codes", index, "code"), code["code"] + "1")
        yield Mutant("orderable code", place, f"{code['code']} as {code['code']}1", (edit,))
    yield from _items(file, here, block, "orderable answered", ("answered_by",), place)
    categories = {"laboratory": "imaging", "imaging": "laboratory", "referral": "procedure", "procedure": "referral"}
    yield from _exchange(file, here, block, "orderable category", "category", categories, place)


def _of_profile(file: str, here: Path, block: Any) -> Iterator[Mutant]:
    place = block["id"]
    leads, fills = block["leads"], block.get("fills") or []
    if fills:
        edits = (Edit(file, (*here, "leads"), fills), Edit(file, (*here, "fills"), leads))
        yield Mutant("profile role", place, "lead and fill exchanged", edits)
    yield from _items(file, here, block, "profile role", ("fills", "lead_when"), place)


def _of_disagreement(file: str, here: Path, block: Any) -> Iterator[Mutant]:
    place = block["id"]
    yield Mutant("disagreement", place, "removed", (Edit(file, (*here, "when"), False),))
    if "when" in block:
        yield Mutant("disagreement", place, "always", (Edit(file, (*here, "when"), True),))
        yield from of_tree(file, (*here, "when"), block["when"], place)
    yield from _items(file, here, block, "disagreement", ("after",), place)
    for key in ("profiles", "advice"):
        if isinstance(block[key], list) and len(block[key]) > 1:
            yield from _items(file, here, block, "disagreement", (key,), place)
    yield from _flag(file, here, block, "disagreement", ("leads",), place)


def _everywhere(loaded: Loaded) -> Iterator[Mutant]:
    """One fact forgotten in all rules that must know it, and one gate gone from all advice."""
    facts: dict[str, list[Edit]] = defaultdict(list)
    gates: dict[str, list[Edit]] = defaultdict(list)
    for file in loaded.files:
        for index, block in enumerate(file.raw.get("recommendations") or ()):
            for part in ("", "option", "drug_rule"):
                inner = block.get(part) if part else block
                for key in MUST_KNOW:
                    names: Any = (inner or {}).get(key) or []
                    path: Path = ("recommendations", index, *([part] if part else []), key)
                    for name in [names] if isinstance(names, str) else names:
                        rest = [] if isinstance(names, str) else [other for other in names if other != name]
                        facts[name].append(Edit(file.name, path, rest))
        for index, block in enumerate(file.raw.get("advice") or ()):
            same: set[str] = set()
            for number, gate in enumerate(block.get("gates") or ()):
                if str(gate["when"]) not in same:
                    same.add(str(gate["when"]))
                    gates[str(gate["when"])].append(Edit(file.name, ("advice", index, "gates", number, "when"), False))
    for name, edits in facts.items():
        yield Mutant("must know everywhere", name, f"forgotten by {len(edits)} rules", tuple(edits))
    for when, edits in gates.items():
        if len(edits) > 1:
            yield Mutant("gate everywhere", when, f"gone from {len(edits)} advice entries", tuple(edits))
