"""Random patients, and the criteria on which engine and oracle differ."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.engine.compiler import Compiler
from app.engine.criteria import Node
from app.engine.knowledge import Rule
from app.engine.linker import Linker
from app.engine.loader import default_folder, load
from app.features import catalogue
from app.features.model import Feature, FeatureSpec, Kind
from tests.oracle.plain import Between, Oracle, Tree, Value

ASKED = 80
"""Criteria that are asked of one random patient."""


class RandomFeatures:
    """The features of a patient who never was, as the engine asks for them (`Features`)."""

    def __init__(self, values: dict[str, Value]) -> None:
        self.values = values
        self.memos: dict[Any, dict[Any, Any]] = {}

    def feature(self, name: str) -> Feature:
        """The feature of that name."""
        value = self.values[name]
        if isinstance(value, Between):
            ends = {"low": value.low, "high": value.high, "low_open": value.low_open, "high_open": value.high_open}
            return Feature(why_unknown="random", missing=(name,), **ends)  # type: ignore[arg-type]
        return Feature(value) if value is not None else Feature(why_unknown="random", missing=(name,))

    def settled(self, _: object, decide: Callable[[Any], bool | None]) -> bool | None:
        """The truth of a criterion, not kept."""
        return decide(self)

    def shown_for(self, _: object) -> tuple[()]:
        """Nothing is on record."""
        return ()


@dataclass(frozen=True)
class Criterion:
    """A criterion as written, and as compiled by the engine."""

    place: str
    tree: Tree
    node: Node


class Comparison:
    """All criteria of the guideline files, and random values for their features."""

    def __init__(self) -> None:
        loaded = load(default_folder())
        linker = Linker(loaded, catalogue())
        self.rules = linker.build("oracle").rules
        self.named = {name: block.when for name, block in linker.criteria.items()}
        self.raw_rules = {
            raw["id"]: raw
            for file in loaded.files
            for raw in file.raw.get("recommendations") or ()
            if raw["id"] in self.rules
        }
        compiler = Compiler(catalogue(), self.named)
        self.criteria: list[Criterion] = []
        for file in loaded.files:
            for place, tree in _trees(file.raw, file.name):
                self.criteria.append(Criterion(place, tree, compiler.compile(tree)))
        self.limits: dict[str, list[Decimal]] = defaultdict(list)
        self.names: set[str] = set()
        for criterion in self.criteria:
            self._features_of(criterion.tree)
        self.specs: dict[str, FeatureSpec] = {name: catalogue().spec(name) for name in sorted(self.names)}

    def _features_of(self, tree: Tree) -> None:
        if isinstance(tree, bool):
            return
        if isinstance(tree, str):
            if tree not in self.named:
                self.names.add(tree)
            return
        ((key, content),) = tree.items()
        if key in {"all", "any"}:
            for child in content:
                self._features_of(child)
        elif key == "not":
            self._features_of(content)
        elif key == "known":
            self.names.add(content)
        else:
            self.names.add(key)
            self.limits[key] += [
                Decimal(str(v)) for v in content.values() if isinstance(v, int | float) and not isinstance(v, bool)
            ]

    def patient(self, drawn: random.Random) -> dict[str, Value]:
        """Random values: often unknown, numbers at and beside the limits of the criteria, intervals around them."""
        unknown = drawn.choice((0.05, 0.3, 0.6))
        return {name: self._value(spec, drawn, unknown) for name, spec in self.specs.items()}

    def _value(self, spec: FeatureSpec, drawn: random.Random, unknown: float) -> Value:
        if drawn.random() < unknown:
            return None
        if spec.kind is Kind.TRUTH:
            return drawn.random() < 0.5
        if spec.kind is Kind.NUMBER:
            low, high = sorted((self._number(spec.name, drawn), self._number(spec.name, drawn)))
            if low == high or drawn.random() < 0.6:
                return low
            return Between(
                low if drawn.random() < 0.7 else None,
                high if drawn.random() < 0.7 else None,
                drawn.random() < 0.5,
                drawn.random() < 0.5,
            )
        words = sorted(spec.words) or ["word"]
        if spec.kind is Kind.WORD:
            return drawn.choice(words)
        return frozenset(drawn.sample(words, drawn.randint(0, min(3, len(words)))))

    def _number(self, name: str, drawn: random.Random) -> Decimal:
        limit = drawn.choice(self.limits.get(name) or [Decimal(0)])
        return limit + drawn.choice((Decimal(0), Decimal(0), Decimal("0.1"), Decimal("-0.1"), Decimal(1), Decimal(-1)))

    def differences(self, sets: int, seed: int) -> Iterator[str]:
        """Where engine and oracle differ on that many random patients."""
        drawn = random.Random(seed)  # test data
        rules = list(self.rules.values())
        for number in range(sets):
            values = self.patient(drawn)
            oracle = Oracle(values, self.named)
            for criterion in drawn.sample(self.criteria, min(ASKED, len(self.criteria))):
                expected = oracle.truth(criterion.tree)
                yield from _compared(criterion, values, expected, f"seed {seed}, set {number}")
            for rule in drawn.sample(rules, min(ASKED // 4, len(rules))):
                yield from self._rule(rule, values, oracle, f"seed {seed}, set {number}")

    def _rule(self, rule: Rule, values: dict[str, Value], oracle: Oracle, where: str) -> Iterator[str]:
        raw = self.raw_rules[rule.id]
        expected = oracle.stands(raw.get("when", True), list(raw.get("unless") or ()))
        found = rule.truth(RandomFeatures(values)) is True  # type: ignore[arg-type]
        if found is not expected:
            yield f"{where}: {rule.id} stands: {found}, by the oracle {expected}"


def _compared(criterion: Criterion, values: dict[str, Value], expected: bool | None, where: str) -> Iterator[str]:
    features: Any = RandomFeatures(values)
    for way, found in (
        ("truth", criterion.node.truth(features)),
        ("evaluate", criterion.node.evaluate(RandomFeatures(values)).truth),  # type: ignore[arg-type]
    ):
        if found is not expected:
            yield f"{where}: {criterion.place}: {way} {found}, by the oracle {expected}: {criterion.tree}"


def _trees(raw: Any, file: str) -> Iterator[tuple[str, Tree]]:
    """Every criterion of a file with its place: what stands under a key that holds one."""
    todo: list[tuple[str, Any]] = [(file, raw)]
    while todo:
        place, node = todo.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if key in {"when", "rides_when", "indicator_when", "opens", "opens_when", "answered_by", "lead_when"}:
                    yield f"{place}.{key}", value
                else:
                    todo.append((f"{place}.{key}", value))
        elif isinstance(node, list):
            todo += [(f"{place}.{_name(item, index)}", item) for index, item in enumerate(node)]


def _name(item: Any, index: int) -> str:
    return str(item.get("id", index)) if isinstance(item, dict) else str(index)
