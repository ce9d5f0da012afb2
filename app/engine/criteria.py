"""Criteria: compiled once at start-up, evaluated against one patient's features.

Grammar (docs/guideline-language.md):
    name                                  a truth feature, or a named criterion
    all: [..] / any: [..] / not: ..       three-valued logic
    known: feature                        whether the value is known at all (never unknown itself)
    feature: {at_most: -2.5, unit: SD, written: "..."}   number: at_least, above, at_most, below, equals
    feature: {is: post} / {one_of: [..]} / {includes: x} words
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Protocol

from typing_extensions import override

from app.engine.truth import Truth, conjunction, disjunction, negate
from app.features.model import Evidence, Feature, FeatureSpec, Kind


class FeatureSource(Protocol):
    """Gives features of one patient by name."""

    def feature(self, name: str) -> Feature:
        """The feature of that name."""


class CriterionError(ValueError):
    """A criterion that cannot be compiled; `path` leads to it inside the block."""

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True)
class Outcome:
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
ANNOTATIONS = frozenset({"unit", "written", "basis", "note"})
BASES = frozenset({"as-written", "adjusted", "inherited", "inferred", "setting"})


class Node(ABC):
    """A compiled criterion."""

    @abstractmethod
    def evaluate(self, features: FeatureSource) -> Outcome:
        """The outcome for one patient."""

    def leaves(self) -> tuple[Node, ...]:
        """The leaves below, for listings and for tests that move limits."""
        return (self,)


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """Always, or never."""

    value: bool

    @override
    def evaluate(self, features: FeatureSource) -> Outcome:  # the constant needs no patient
        return TRUE if self.value else FALSE

    def __str__(self) -> str:
        return "always" if self.value else "never"


def _unknown(feature: Feature) -> Outcome:
    missing = feature.missing or (feature.name,)
    return Outcome(None, feature.evidence, missing, (feature.name,), (feature.why_unknown or "not recorded",))


@dataclass(frozen=True, slots=True)
class IsTrue(Node):
    """A truth feature holds."""

    name: str

    @override
    def evaluate(self, features: FeatureSource) -> Outcome:
        feature = features.feature(self.name)
        if feature.value is None:
            return _unknown(feature)
        return Outcome(bool(feature.value), feature.evidence)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class IsKnown(Node):
    """The value of a feature is known exactly, or within an interval."""

    name: str

    @override
    def evaluate(self, features: FeatureSource) -> Outcome:
        feature = features.feature(self.name)
        known = feature.value is not None
        return Outcome(known, feature.evidence if known else ())

    def __str__(self) -> str:
        return f"{self.name} is known"


@dataclass(frozen=True, slots=True)
class Limit(Node):
    """A number compared with a limit. An interval is decided where all of it lies on one side."""

    name: str
    operator: str
    limit: Decimal
    unit: str
    written: str
    basis: str

    @override
    def evaluate(self, features: FeatureSource) -> Outcome:
        feature = features.feature(self.name)
        truth = self.decide(feature)
        return _unknown(feature) if truth is None else Outcome(truth, feature.evidence)

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
class WordIs(Node):
    """A word is one of a list."""

    name: str
    words: frozenset[str]

    @override
    def evaluate(self, features: FeatureSource) -> Outcome:
        feature = features.feature(self.name)
        if feature.value is None:
            return _unknown(feature)
        value = feature.value
        held = bool(value & self.words) if isinstance(value, frozenset) else value in self.words
        return Outcome(held, feature.evidence)

    def __str__(self) -> str:
        return f"{self.name} is {' or '.join(sorted(self.words))}"


@dataclass(frozen=True, slots=True)
class Not(Node):
    """The opposite of a criterion."""

    child: Node

    @override
    def evaluate(self, features: FeatureSource) -> Outcome:
        inner = self.child.evaluate(features)
        return Outcome(negate(inner.truth), inner.evidence, inner.missing, inner.undecided, inner.why)

    @override
    def leaves(self) -> tuple[Node, ...]:
        return self.child.leaves()

    def __str__(self) -> str:
        return f"not ({self.child})"


def _joined(truth: Truth, outcomes: list[Outcome]) -> Outcome:
    """The outcome of a group: evidence of the children that decided it, missing of those that did not."""
    if truth is None:
        known = [outcome for outcome in outcomes if outcome.truth is not None]
        open_ = [outcome for outcome in outcomes if outcome.truth is None]
        return Outcome(
            None,
            tuple(dict.fromkeys(e for o in (*known, *open_) for e in o.evidence)),
            tuple(dict.fromkeys(m for o in open_ for m in o.missing)),
            tuple(dict.fromkeys(u for o in open_ for u in o.undecided)),
            tuple(dict.fromkeys(w for o in open_ for w in o.why)),
        )
    deciding = [outcome for outcome in outcomes if outcome.truth is truth]
    return Outcome(truth, tuple(dict.fromkeys(e for o in deciding for e in o.evidence)))


@dataclass(frozen=True, slots=True)
class All(Node):
    """Every child holds. A false child ends the search: the rest cannot change it."""

    children: tuple[Node, ...]

    @override
    def evaluate(self, features: FeatureSource) -> Outcome:
        outcomes: list[Outcome] = []
        for child in self.children:
            outcome = child.evaluate(features)
            if outcome.truth is False:
                return outcome
            outcomes.append(outcome)
        return _joined(conjunction(o.truth for o in outcomes), outcomes)

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
    def evaluate(self, features: FeatureSource) -> Outcome:
        outcomes = [child.evaluate(features) for child in self.children]
        return _joined(disjunction(o.truth for o in outcomes), outcomes)

    @override
    def leaves(self) -> tuple[Node, ...]:
        return tuple(leaf for child in self.children for leaf in child.leaves())

    def __str__(self) -> str:
        return "any of (" + "; ".join(map(str, self.children)) + ")"


@dataclass(frozen=True, slots=True)
class Named(Node):
    """A named criterion, kept so that listings can say its name."""

    name: str
    child: Node

    @override
    def evaluate(self, features: FeatureSource) -> Outcome:
        return self.child.evaluate(features)

    @override
    def leaves(self) -> tuple[Node, ...]:
        return self.child.leaves()

    def __str__(self) -> str:
        return self.name


class Vocabulary(Protocol):
    """The feature catalogue, as far as the compiler needs it."""

    def spec(self, name: str) -> FeatureSpec:
        """The entry of that name; LookupError with a hint where there is none."""


@dataclass
class Compiler:
    """Compiles criterion trees of the files; named criteria are compiled on first use."""

    vocabulary: Vocabulary
    named: Mapping[str, object]

    def __post_init__(self) -> None:
        self._done: dict[str, Node] = {}
        self._open: list[str] = []

    def compile(self, tree: object, path: tuple[str | int, ...] = ()) -> Node:
        """The node for a tree. Raises CriterionError with the path to what is wrong."""
        if isinstance(tree, bool):
            return Constant(tree)
        if isinstance(tree, str):
            return self._name(tree, path)
        if not isinstance(tree, Mapping):
            raise CriterionError(f"a criterion is a name or a mapping, not {tree!r}", path)
        if len(tree) != 1:
            raise CriterionError(f"one key expected, found {', '.join(map(str, tree))}: use all: [...]", path)
        key, value = next(iter(tree.items()))
        inner = (*path, str(key))
        match key:
            case "all" | "any":
                return self._group(key, value, inner)
            case "not":
                return Not(self.compile(value, inner))
            case "always":
                return Constant(True)
            case "known":
                return IsKnown(self._spec(str(value), inner).name)
            case _:
                return self._comparison(str(key), value, inner)

    def _group(self, key: str, value: object, path: tuple[str | int, ...]) -> Node:
        if not isinstance(value, list) or not value:
            raise CriterionError(f"{key} needs a list of criteria", path)
        children = tuple(self.compile(child, (*path, index)) for index, child in enumerate(value))
        return All(children) if key == "all" else AnyOf(children)

    def _name(self, name: str, path: tuple[str | int, ...]) -> Node:
        if name in self.named:
            return self._named(name, path)
        spec = self._spec(name, path)
        if spec.kind is not Kind.TRUTH:
            raise CriterionError(f"{name} is a {spec.kind}, not a truth: compare it with something", path)
        return IsTrue(spec.name)

    def _named(self, name: str, path: tuple[str | int, ...]) -> Node:
        if name not in self._done:
            if name in self._open:
                raise CriterionError(f"criterion {name} uses itself", path)
            self._open.append(name)
            try:
                self._done[name] = Named(name, self.compile(self.named[name], path))
            finally:
                self._open.pop()
        return self._done[name]

    def _spec(self, name: str, path: tuple[str | int, ...]) -> FeatureSpec:
        try:
            return self.vocabulary.spec(name)
        except LookupError as error:
            hint = str(error.args[0]) if error.args else f"unknown feature {name}"
            close = get_close_matches(name, list(self.named), n=1)
            raise CriterionError(hint + (f" (or criterion {close[0]}?)" if close else ""), path) from None

    def _comparison(self, name: str, value: object, path: tuple[str | int, ...]) -> Node:
        spec = self._spec(name, path)
        if not isinstance(value, Mapping):
            raise CriterionError(f"{name}: a comparison is a mapping such as {{at_most: ...}}", path)
        operators = [key for key in value if key not in ANNOTATIONS]
        if len(operators) != 1:
            raise CriterionError(f"{name}: exactly one comparison expected, found {operators or 'none'}", path)
        operator = str(operators[0])
        if spec.kind is Kind.NUMBER:
            return self._limit(spec, operator, value, path)
        return self._words(spec, operator, value[operator], path)

    @staticmethod
    def _limit(spec: FeatureSpec, operator: str, value: Mapping[str, object], path: tuple[str | int, ...]) -> Node:
        if operator not in COMPARISONS:
            hint = get_close_matches(operator, COMPARISONS, n=1)
            raise CriterionError(f"{operator}: unknown comparison{f', did you mean {hint[0]}?' if hint else ''}", path)
        if str(value.get("unit", "")) != (spec.unit or ""):
            raise CriterionError(f"{spec.name} is in {spec.unit}: write unit: {spec.unit}", path)
        if not value.get("written"):
            raise CriterionError(
                f"{spec.name}: the source's own words are needed beside the limit (written: ...)", path
            )
        basis = str(value.get("basis", "as-written"))
        if basis not in BASES:
            raise CriterionError(f"basis is one of {', '.join(sorted(BASES))}", path)
        try:
            limit = Decimal(str(value[operator]))
        except InvalidOperation:
            raise CriterionError(f"{value[operator]!r} is not a number", path) from None
        return Limit(spec.name, operator, limit, spec.unit or "", str(value["written"]), basis)

    @staticmethod
    def _words(spec: FeatureSpec, operator: str, wanted: object, path: tuple[str | int, ...]) -> Node:
        if operator not in {"is", "one_of", "includes"}:
            raise CriterionError(f"{spec.name}: use is, one_of or includes", path)
        words = frozenset(str(w) for w in wanted) if isinstance(wanted, list) else frozenset({str(wanted)})
        wrong = sorted(words - spec.words) if spec.words else []
        if wrong:
            raise CriterionError(f"{spec.name} is never {wrong[0]!r}: one of {', '.join(sorted(spec.words))}", path)
        return WordIs(spec.name, words)
