"""What is wrong with a case file: an unknown key, id or concept, each with file and line.

A key that nothing reads and a concept that nothing knows would make a case, above all a control, pass for no reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import yaml

from app.cases.builder import FINDING, FRACTURES, SERVICE, kebab, vocabulary
from app.cases.expectations import BISPHOSPHONATES, INDICATORS, KNOWN, SERVICES
from app.engine.knowledge import Knowledge
from app.engine.linker import load_knowledge
from app.terminology.codes import meaning_of
from app.vocabulary import TOPICS

DOSE = {"dose_mg", "dose_ug", "dose_iu", "dose_basis", "times_per_day", "every_days", "duration_days", "route"}
CONDITION = {
    "concept",
    "days_ago",
    "recorded_days_ago",
    "site",
    "level",
    "low_energy",
    "clinical_status",
    "verification_status",
}
FACTS: Mapping[str, set[str]] = {
    "observations": {"concept", "value", "unit", "days_ago", "site", "status", "comparator"}
    | {"interpretation", "reference_low", "reference_high"},
    "medications": {"concept", "status", "started_days_ago", "ended_days_ago", "asserted_days_ago", "stop_reason"}
    | {"last_given_days_ago", "given_days_ago", *DOSE},
    "draft_orders": {"concept", "status", "selected", "times", "replaces_medication", *DOSE},
    "conditions": CONDITION,
    "new_conditions": CONDITION,
    "procedures": {"concept", "days_ago", "planned_in_days"},
    "family": {"concept", "relative"},
    "allergies": {"concept", "reaction"},
    "new_allergies": {"concept", "reaction"},
}
"""The lists of facts of a case and the keys of a fact (app/cases/builder.py reads them)."""
KEYS = {"id", "title", "tags", "profile", "hook", "patient", "provided", "expect", "records", *FACTS}
NEEDED = {"id", "title", "profile", "patient", "expect"}
PATIENT = {"sex", "age", "born"}

TAGS = {
    "limit": "at a limit of a recommendation or one step beside it (test_limits.py moves every limit)",
    "red-team": "found by a reader who wrote cases from the sources alone; the service was wrong once",
}

Line = tuple[int, str]


def problems(path: Path, knowledge: Knowledge | None = None) -> list[str]:
    """One line for each mistake: "uppsala/dxa.yaml:12: unknown key 'observation', did you mean observations?".

    `knowledge`: with the profiles and recommendations that cases can name; by default what ships.
    """
    document = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    found = _File(knowledge or load_knowledge()).check(document)
    return [f"{path.parent.name}/{path.name}:{line}: {message}" for line, message in sorted(found)]


class _File:
    """One file. Every method gives pairs of line and message."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.words = vocabulary()

    def check(self, document: yaml.Node | None) -> Iterator[Line]:
        if not isinstance(document, yaml.SequenceNode):
            yield (1, "a list of cases is expected")
            return
        for case in document.value:
            yield from self.case(case)

    def case(self, node: yaml.Node) -> Iterator[Line]:
        yield from _keys(node, KEYS)
        parts = _members(node)
        for name in sorted(NEEDED - set(parts)):
            yield (_line(node), f"{name} is missing")
        allowed: Mapping[str, Collection[str]] = {
            "profile": self.knowledge.profiles,
            "hook": SERVICE,
            "tags": TAGS,
            "provided": FACTS,
        }
        for name, known in allowed.items():
            if name in parts:
                yield from _each_of(parts[name], name.removesuffix("s"), known)
        if "patient" in parts:
            yield from _keys(parts["patient"], PATIENT)
        for name, keys in FACTS.items():
            for fact in _items(parts.get(name)):
                yield from _keys(fact, keys)
                yield from self.fact(name, _members(fact))
        if "expect" in parts:
            yield from self.expectations(parts["expect"])

    def fact(self, kind: str, fact: Mapping[str, yaml.Node]) -> Iterator[Line]:
        concept = fact.get("concept")
        if concept is None:
            return
        name, words = str(concept.value), self.words
        if kind in {"medications", "allergies", "draft_orders"}:
            known = {*words["drugs"], *(words["procedures"] if kind == "draft_orders" else ())}
            yield from _each_of(concept, "drug", known)
        elif kind in {"conditions", "new_conditions"} and name in FRACTURES:
            if "site" in fact:
                yield from _each_of(fact["site"], "site of a fracture", words["fractures"])
        elif kind == "observations":
            site = fact.get("site")
            named = {*words["measures"], *words["asked"], *(key.partition(".")[0] for key in words["measures"])}
            if site is not None and not {name, f"{name}.{site.value}"} & set(words["measures"]):
                yield (_line(site), f"no code for {name} of site {site.value!r}")
            yield from _known_concept(concept, named)
        elif kind == "family":
            sites = {f"{site}_fracture" for site in (*words["fractures"], "vertebral")}
            yield from _known_concept(concept, {*words["conditions"], *sites})
            if "relative" in fact:
                yield from _each_of(fact["relative"], "relative", words["relatives"])
        else:
            yield from _known_concept(concept, words["procedures" if kind == "procedures" else "conditions"])

    def expectations(self, node: yaml.Node) -> Iterator[Line]:
        yield from _keys(node, KNOWN)
        expected = _members(node)
        offered = {"bisphosphonate", *BISPHOSPHONATES, *SERVICES, *self.words["drugs"]}
        for name, what, known in (
            ("fire", "recommendation", self.knowledge.rules),
            ("not_fire", "recommendation", self.knowledge.rules),
            ("topics", "topic", TOPICS),
            ("no_topics", "topic", TOPICS),
            ("no_suggest", "concept", offered),
        ):
            if name in expected:
                yield from _each_of(expected[name], what, known)
        for suggestion in _items(expected.get("suggest")):
            yield from _keys(suggestion, {"topic", "concept"})
            members = _members(suggestion)
            for key, known in (("topic", TOPICS), ("concept", offered)):
                if key in members:
                    yield from _each_of(members[key], key, known)
        for name in ("indicator", "below_indicator"):
            if name in expected:
                yield from _keys(expected[name], TOPICS, "topic")
                for value in _members(expected[name]).values():
                    yield from _each_of(value, "indicator", INDICATORS)


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1


def _members(node: yaml.Node) -> dict[str, yaml.Node]:
    return {str(key.value): value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _keys(node: yaml.Node, known: Collection[str], what: str = "key") -> Iterator[Line]:
    """Keys that are not known or stand twice."""
    if not isinstance(node, yaml.MappingNode):
        yield (_line(node), "a mapping is expected")
        return
    seen: set[str] = set()
    for key, _ in node.value:
        yield from _each_of(key, what, known)
        if key.value in seen:
            yield (_line(key), f"key {key.value!r} stands twice")
        seen.add(str(key.value))


def _each_of(node: yaml.Node, what: str, known: Collection[str]) -> Iterator[Line]:
    """A scalar, or the scalars of a list, that are not known."""
    for one in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        if one.value not in known:
            yield (_line(one), f"unknown {what} {one.value!r}{_hint(str(one.value), tuple(known))}")


def _known_concept(node: yaml.Node, named: Collection[str]) -> Iterator[Line]:
    """A concept with a code in vocabulary.yaml, or one that `urn:osteon:finding` knows."""
    if node.value not in named and meaning_of(FINDING, kebab(str(node.value))) is None:
        yield (_line(node), f"unknown concept {node.value!r}{_hint(str(node.value), tuple(named))}")


@lru_cache(maxsize=1024)
def _hint(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, n=1)
    return f", did you mean {close[0]}?" if close else ""
