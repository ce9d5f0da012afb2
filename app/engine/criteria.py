"""Criteria: compiled once at start-up, evaluated against one patient's features.

Grammar (docs/guideline-language.md):
    name                                  a truth feature, or a named criterion
    all: [..] / any: [..] / not: ..       three-valued logic
    known: feature                        whether the value is known at all (never unknown itself)
    feature: {at_most: -2.5, unit: SD, written: "..."}   number: at_least, above, at_most, below, equals
    feature: {is: post} / {one_of: [..]} / {includes: x} words

Each criterion answers two questions. `truth`: whether it holds; the search ends at the first part that decides, and
nothing is made for it. `evaluate`: the same truth with the facts that decided it and those that would, for listings.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from msgspec import Struct
from typing_extensions import override

from app.engine.local import LocalLimit
from app.features.model import Evidence, Feature, Features, Memo

Truth = bool | None


def negate(value: Truth) -> Truth:
    """Not: unknown stays unknown."""
    return None if value is None else not value


def conjunction(values: Iterable[Truth]) -> Truth:
    """And: one false makes false, whatever is unknown."""
    result: Truth = True
    for value in values:
        if value is False:
            return False
        if value is None:
            result = None
    return result


def disjunction(values: Iterable[Truth]) -> Truth:
    """Or: one true makes true, whatever is unknown."""
    result: Truth = False
    for value in values:
        if value is True:
            return True
        if value is None:
            result = None
    return result


class Outcome(Struct, frozen=True, gc=False):
    """What came of a criterion: its truth, the facts that decided it, and what would decide it."""

    truth: Truth
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()  # names of the features that are unknown and matter
    why: tuple[str, ...] = ()  # one phrase per unknown, "not recorded"


TRUE = Outcome(True)
FALSE = Outcome(False)

COMPARISONS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "at_least": lambda value, limit: value >= limit,
    "above": lambda value, limit: value > limit,
    "at_most": lambda value, limit: value <= limit,
    "below": lambda value, limit: value < limit,
    "equals": lambda value, limit: value == limit,
}


class Node(ABC):
    """A compiled criterion."""

    @abstractmethod
    def truth(self, features: Features) -> Truth:
        """Whether it holds for one patient."""

    @abstractmethod
    def evaluate(self, features: Features) -> Outcome:
        """The outcome for one patient: the same truth, with its reasons."""

    def leaves(self) -> tuple[Node, ...]:
        """The leaves below, for listings and for tests that move limits."""
        return (self,)


class Leaf(Node):
    """A criterion that asks one feature."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """Always, or never."""

    value: bool

    @override
    def truth(self, features: Features) -> Truth:  # the constant needs no patient
        return self.value

    @override
    def evaluate(self, features: Features) -> Outcome:
        return TRUE if self.value else FALSE

    def __str__(self) -> str:
        return "always" if self.value else "never"


def _unknown(name: str, feature: Feature) -> Outcome:
    missing = feature.missing or (name,)
    return Outcome(None, feature.evidence, missing, (name,), (feature.why_unknown or "not recorded",))


@dataclass(frozen=True, slots=True)
class IsTrue(Leaf):
    """A truth feature holds."""

    name: str

    @override
    def truth(self, features: Features) -> Truth:
        value = features.feature(self.name).value
        return None if value is None else bool(value)

    @override
    def evaluate(self, features: Features) -> Outcome:
        feature = features.feature(self.name)
        if feature.value is None:
            return _unknown(self.name, feature)
        return Outcome(bool(feature.value), feature.evidence)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class IsKnown(Leaf):
    """The value of a feature is known exactly, or within an interval."""

    name: str

    @override
    def truth(self, features: Features) -> Truth:
        return features.feature(self.name).value is not None

    @override
    def evaluate(self, features: Features) -> Outcome:
        feature = features.feature(self.name)
        known = feature.value is not None
        return Outcome(known, feature.evidence if known else ())

    def __str__(self) -> str:
        return f"{self.name} is known"


@dataclass(frozen=True, slots=True)
class Limit(Leaf):
    """A number compared with a limit. An interval is decided where all of it lies on one side.

    `reviewed`: the day on which a person last checked the limit against the source, empty until one has. `since`: from
    when it holds (`from:` in the files), empty for the date of its source. `local`: the decision, where a hospital has
    changed the limit.
    """

    name: str
    operator: str
    limit: Decimal
    unit: str
    written: str
    basis: str
    reviewed: str = ""
    since: str = ""
    local: LocalLimit | None = None

    @override
    def truth(self, features: Features) -> Truth:
        return self.decide(features.feature(self.name))

    @override
    def evaluate(self, features: Features) -> Outcome:
        feature = features.feature(self.name)
        truth = self.decide(feature)
        return _unknown(self.name, feature) if truth is None else Outcome(truth, feature.evidence)

    def decide(self, feature: Feature) -> Truth:
        """Whether the comparison holds for this value, or interval."""
        if isinstance(feature.value, Decimal):
            return COMPARISONS[self.operator](feature.value, self.limit)
        if feature.low is None and feature.high is None:
            return None
        return self._interval(feature)

    def _interval(self, feature: Feature) -> Truth:
        low, high, limit = feature.low, feature.high, self.limit
        above = low is not None and (low > limit or (low == limit and feature.low_open))  # all of it > limit
        not_below = low is not None and low >= limit  # all of it >= limit
        below = high is not None and (high < limit or (high == limit and feature.high_open))
        not_above = high is not None and high <= limit
        match self.operator:
            case "at_least":
                return True if not_below else False if below else None
            case "above":
                return True if above else False if not_above else None
            case "at_most":
                return True if not_above else False if above else None
            case "below":
                return True if below else False if not_below else None
            case _:
                return False if above or below else None

    def __str__(self) -> str:
        words = {"at_least": ">=", "above": ">", "at_most": "<=", "below": "<", "equals": "="}
        return f"{self.name} {words[self.operator]} {self.limit} {self.unit}"


@dataclass(frozen=True, slots=True)
class WordIs(Leaf):
    """A word is one of a list."""

    name: str
    words: frozenset[str]

    @override
    def truth(self, features: Features) -> Truth:
        value = features.feature(self.name).value
        if value is None:
            return None
        return not value.isdisjoint(self.words) if isinstance(value, frozenset) else value in self.words

    @override
    def evaluate(self, features: Features) -> Outcome:
        feature, truth = features.feature(self.name), self.truth(features)
        return _unknown(self.name, feature) if truth is None else Outcome(truth, feature.evidence)

    def __str__(self) -> str:
        return f"{self.name} is {' or '.join(sorted(self.words))}"


@dataclass(frozen=True, slots=True)
class Not(Node):
    """The opposite of a criterion."""

    child: Node

    @override
    def truth(self, features: Features) -> Truth:
        return negate(self.child.truth(features))

    @override
    def evaluate(self, features: Features) -> Outcome:
        inner = self.child.evaluate(features)
        return Outcome(negate(inner.truth), inner.evidence, inner.missing, inner.undecided, inner.why)

    @override
    def leaves(self) -> tuple[Node, ...]:
        return self.child.leaves()

    def __str__(self) -> str:
        return f"not ({self.child})"


def _search(children: Sequence[Node], features: Features, *, decides: bool) -> Truth:
    """The truth of a group that one child can decide: asked in their order, and no further than that child."""
    together: Truth = not decides
    for child in children:
        truth = child.truth(features)
        if truth is decides:
            return decides
        if truth is None:
            together = None
    return together


def _joined(truth: Truth, outcomes: list[Outcome]) -> Outcome:
    """The outcome of a group: evidence of the children that decided it, missing of those that did not.

    Evidence may be repeated here; the caller that shows it removes repetitions (comparing on each level is expensive).
    """
    if truth is None:
        evidence: list[Evidence] = []
        open_evidence: list[Evidence] = []
        missing: list[str] = []
        undecided: list[str] = []
        why: list[str] = []
        for outcome in outcomes:
            if outcome.truth is None:
                open_evidence += outcome.evidence
                missing += outcome.missing
                undecided += outcome.undecided
                why += outcome.why
            else:
                evidence += outcome.evidence
        return Outcome(None, (*evidence, *open_evidence), _once(missing), _once(undecided), _once(why))
    deciding = [outcome for outcome in outcomes if outcome.truth is truth]
    if len(deciding) == 1:
        return deciding[0]
    return Outcome(truth, tuple(e for o in deciding for e in o.evidence))


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class All(Node):
    """Every child holds. A false child ends the search: the rest cannot change it."""

    children: tuple[Node, ...]

    @override
    def truth(self, features: Features) -> Truth:
        return _search(self.children, features, decides=False)

    @override
    def evaluate(self, features: Features) -> Outcome:
        outcomes: list[Outcome] = []
        for child in self.children:
            outcome = child.evaluate(features)
            if outcome.truth is False:
                return outcome
            outcomes.append(outcome)
        return _joined(conjunction([o.truth for o in outcomes]), outcomes)

    @override
    def leaves(self) -> tuple[Node, ...]:
        return tuple(leaf for child in self.children for leaf in child.leaves())

    def __str__(self) -> str:
        return "all of (" + "; ".join(map(str, self.children)) + ")"


@dataclass(frozen=True, slots=True)
class AnyOf(Node):
    """At least one child holds. All are evaluated: each that holds is a reason for the card."""

    children: tuple[Node, ...]

    @override
    def truth(self, features: Features) -> Truth:
        return _search(self.children, features, decides=True)

    @override
    def evaluate(self, features: Features) -> Outcome:
        outcomes = [child.evaluate(features) for child in self.children]
        return _joined(disjunction([o.truth for o in outcomes]), outcomes)

    @override
    def leaves(self) -> tuple[Node, ...]:
        return tuple(leaf for child in self.children for leaf in child.leaves())

    def __str__(self) -> str:
        return "any of (" + "; ".join(map(str, self.children)) + ")"


_OUTCOMES: Memo[str, Outcome] = Memo()
"""The outcomes of named criteria."""


@dataclass(frozen=True, slots=True)
class Named(Node):
    """A named criterion: listings show its name; it is evaluated once per patient for all rules that use it."""

    name: str
    child: Node

    @override
    def truth(self, features: Features) -> Truth:
        return features.settled(self, self.child.truth)

    @override
    def evaluate(self, features: Features) -> Outcome:
        outcomes = _OUTCOMES.of(features)
        outcome = outcomes.get(self.name)
        if outcome is None:
            outcome = outcomes[self.name] = self.child.evaluate(features)
        return outcome

    @override
    def leaves(self) -> tuple[Node, ...]:
        return self.child.leaves()

    def __str__(self) -> str:
        return self.name


def features_read(criteria: Iterable[Node]) -> frozenset[str]:
    """The names of the features that some criteria read, with their arguments."""
    return frozenset(leaf.name for node in criteria for leaf in node.leaves() if isinstance(leaf, Leaf))
