"""Criteria in words that a clinician reads, as a tree for nested lists."""

from __future__ import annotations

from dataclasses import dataclass

from app.cards.wording import Wording
from app.engine.criteria import All, AnyOf, Constant, IsKnown, IsTrue, Limit, Named, Node, Not, WordIs
from app.engine.knowledge import Knowledge
from app.features import catalogue

_COMPARED = {
    "at_least": "at least",
    "above": "more than",
    "at_most": "at most",
    "below": "less than",
    "equals": "exactly",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a criterion with the lines below it.

    `words`: the words of the source for a limit; `reviewed`: the day on which a person checked the limit; `local`: how
    a hospital has changed it. `folded`: the lines below belong to a named criterion, which a reader opens when needed.
    """

    text: str
    children: tuple[Part, ...] = ()
    words: str = ""
    reviewed: str = ""
    local: str = ""
    folded: bool = False


class CriteriaInWords:
    """Words criteria with the names of the locale and the meanings of the catalogue of features."""

    def __init__(self, knowledge: Knowledge, wording: Wording) -> None:
        self._criteria, self._wording = knowledge.criteria, wording
        self._known = catalogue()

    def part(self, node: Node) -> Part:
        """A criterion as a tree of lines."""
        match node:
            case Constant(value=value):
                return Part("always" if value else "never")
            case All(children=children):
                return Part("all of these hold", tuple(map(self.part, children)))
            case AnyOf(children=children):
                return Part("at least one of these holds", tuple(map(self.part, children)))
            case Not(child=child):
                return Part("this does not hold", (self.part(child),))
            case Named(name=name, child=child):
                return Part(self._criteria[name].meaning.rstrip("."), (self.part(child),), folded=True)
            case Limit():
                return self._limit(node)
            case IsTrue(name=name):
                return Part(self.meaning(name))
            case IsKnown(name=name):
                return Part(f"known: {self.meaning(name)}")
            case WordIs(name=name, words=words):
                listed = " or ".join(sorted(word.replace("_", " ") for word in words))
                return Part(f"{self.meaning(name)}: {listed}")
            case _:
                return Part(str(node))

    def meaning(self, name: str) -> str:
        """What a feature means: its sentence in the catalogue."""
        return self._known.spec(name).meaning.rstrip(".")

    def _limit(self, node: Limit) -> Part:
        unit = self._wording.locale.units.get(node.unit, node.unit)
        local = ""
        if node.local is not None:
            local = (
                f"limit of this hospital; the source has {node.local.source_limit}"
                f" ({node.local.because}; {node.local.by}, {node.local.date})"
            )
        return Part(
            f"{self.meaning(node.name)}: {_COMPARED[node.operator]} {node.limit} {unit}".rstrip(),
            words=node.written,
            reviewed=node.reviewed,
            local=local,
        )
