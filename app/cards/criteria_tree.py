"""Criteria as a tree, with the truth of each part for one patient and the facts behind it.

For people who ask why a recommendation holds or does not: a part is marked `decides` where the truth of the whole
above it rests on it.
"""

from __future__ import annotations

from typing import Any

from app.cards.explanation import EvidenceRenderer
from app.cards.wording import Wording, number
from app.engine.criteria import All, AnyOf, Constant, IsKnown, IsTrue, Limit, Named, Node, Not, Truth, WordIs
from app.engine.knowledge import Knowledge
from app.features.evaluation import catalogue
from app.features.model import Evidence, Features
from app.vocabulary import Language

SIGNS = {"at_least": "≥", "above": ">", "at_most": "≤", "below": "<", "equals": "="}
HOLDS: dict[Truth, str] = {True: "true", False: "false", None: "unknown"}


class CriteriaTrees:
    """Makes the trees of one patient. A named criterion is told once (`named`), a fact once (`facts`)."""

    def __init__(self, knowledge: Knowledge, features: Features, wording: Wording, facts: EvidenceRenderer) -> None:
        self._knowledge, self._features, self._wording = knowledge, features, wording
        self._renderer = facts
        self._places: dict[int, int] = {}
        self._kept: list[Evidence] = []
        self.facts: list[dict[str, Any]] = []
        self.named: dict[str, dict[str, Any]] = {}

    def tree(self, node: Node) -> dict[str, Any]:
        """The tree of a criterion; `holds` is "true", "false" or "unknown" in each part."""
        match node:
            case All() | AnyOf():
                truth = node.truth(self._features)
                parts = [self._part(child, truth) for child in node.children]
                return {"kind": "all" if isinstance(node, All) else "any", "holds": HOLDS[truth], "parts": parts}
            case Not():
                truth = node.truth(self._features)
                part = {**self.tree(node.child), "decides": True}
                return {"kind": "not", "holds": HOLDS[truth], "parts": [part]}
            case Named():
                return self._of_name(node)
            case Constant():
                return {"kind": "constant", "holds": HOLDS[node.value]}
            case _:
                return self._leaf(node)

    def place(self, evidence: Evidence) -> int:
        """Where a fact stands in `facts`."""
        key = id(evidence)
        if key not in self._places:
            rendered = self._renderer.rendered(evidence)
            self._places[key] = len(self.facts)
            self._kept.append(evidence)  # its id() must not be given to another one
            self.facts.append({"line": rendered.line, **rendered.members})
        return self._places[key]

    def _part(self, node: Node, whole: Truth) -> dict[str, Any]:
        """A part of a group. It decides where the group has its truth from it."""
        part = self.tree(node)
        return {**part, "decides": True} if part["holds"] == HOLDS[whole] else part

    def _of_name(self, node: Named) -> dict[str, Any]:
        if node.name not in self.named:
            self.named[node.name] = {}  # a criterion cannot contain itself; this keeps the order of first use
            entry = self._knowledge.criteria.get(node.name)
            self.named[node.name] = {
                "meaning": entry.meaning if entry else node.name.replace("-", " "),
                **self.tree(node.child),
            }
        return {"kind": "named", "name": node.name, "holds": HOLDS[node.truth(self._features)]}

    def _leaf(self, node: Node) -> dict[str, Any]:
        outcome = node.evaluate(self._features)
        return {
            "kind": "criterion",
            "text": self._said(node),
            "holds": HOLDS[outcome.truth],
            "facts": [self.place(one) for one in dict.fromkeys(outcome.evidence)],
            "why": list(outcome.why),
            "missing": [self._wording.name(name) for name in outcome.missing],
            "written": node.written if isinstance(node, Limit) else None,
            "limitOfThisHospital": (isinstance(node, Limit) and node.local is not None) or None,
        }

    def _said(self, node: Node) -> str:
        """A criterion in words."""
        wording = self._wording
        match node:
            case Limit():
                limit = number(node.limit).replace(".", wording.locale.decimal_mark)
                return f"{self._name(node.name)} {SIGNS[node.operator]} {limit} {wording.unit(node.unit)}".rstrip()
            case WordIs():
                return f"{self._name(node.name)}: {' / '.join(wording.word(word) for word in sorted(node.words))}"
            case IsKnown():
                return f"{self._name(node.name)}: known"
            case IsTrue():
                return self._name(node.name)
            case _:
                return str(node)

    def _name(self, feature: str) -> str:
        """A feature as cards call it; in English by its meaning where cards have no name for it."""
        names = self._wording.locale.names
        if feature not in names and self._wording.language == Language.EN and catalogue().has(feature):
            return catalogue().spec(feature).meaning.rstrip(".")
        return self._wording.name(feature)
