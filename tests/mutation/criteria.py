"""Mutants of criterion trees: limits, operators, groups, negations, words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.mutation.mutant import DROP, Edit, Mutant, Path

STRICT = {"at_least": "above", "above": "at_least", "at_most": "below", "below": "at_most"}
FLIPPED = {"at_least": "below", "above": "at_most", "at_most": "above", "below": "at_least", "equals": "above"}
STEPS = {"SD": "0.1", "{T-score}": "0.1", "{Z-score}": "0.1", "kg/m2": "0.1", "cm": "0.1", "mmol/L": "0.01"}
STEPS |= {"mg/d": "0.5", "%": "1"}
"""One step of a value by its unit: its last digit as it is reported; all else counts in ones."""
COARSE = Decimal(100)
"""mg/d at and above this limit count in hundreds: grams of calcium are not ordered by half milligrams."""


def of_tree(file: str, path: Path, tree: Any, place: str) -> Iterator[Mutant]:
    """The mutants of the tree that stands at `path` of a file; `place` names it for a reader."""
    if not isinstance(tree, dict) or len(tree) != 1:
        return
    key, value = next(iter(tree.items()))
    if key in {"all", "any"}:
        other = {"all": "any", "any": "all"}[key]
        if len(value) > 1:
            yield Mutant("all/any", place, f"{_short(tree)} as {other}", (Edit(file, path, {other: value}),))
            for index, child in enumerate(value):
                edit = Edit(file, (*path, key, index), DROP)
                yield Mutant("child dropped", place, f"{key} without {index}: {_short(child)}", (edit,))
        for index, child in enumerate(value):
            yield from of_tree(file, (*path, key, index), child, place)
    elif key == "not":
        yield Mutant("not removed", place, _short(value), (Edit(file, path, value),))
        yield from of_tree(file, (*path, key), value, place)
    elif isinstance(value, dict):
        yield from _of_comparison(file, path, key, value, place)


def _of_comparison(file: str, path: Path, feature: str, value: dict[str, Any], place: str) -> Iterator[Mutant]:
    for operator in [name for name in value if name in FLIPPED]:
        limit = value[operator]
        yield from _moved(
            file, (*path, feature, operator), limit, str(value.get("unit", "")), f"{feature} {operator}", place
        )
        for kind, exchanged in (("strict operator", STRICT), ("operator flipped", FLIPPED)):
            if operator in exchanged:
                new = {exchanged[operator] if name == operator else name: old for name, old in value.items()}
                change = f"{feature} {operator} {limit} as {exchanged[operator]}"
                yield Mutant(kind, place, change, (Edit(file, (*path, feature), new),))
    for operator in ("one_of", "includes", "is"):
        words = value.get(operator)
        if isinstance(words, list) and len(words) > 1:
            for index, word in enumerate(words):
                edit = Edit(file, (*path, feature, operator, index), DROP)
                yield Mutant("word dropped", place, f"{feature} {operator} without {word}", (edit,))


def _moved(file: str, path: Path, limit: Any, unit: str, what: str, place: str) -> Iterator[Mutant]:
    number = Decimal(str(limit))
    step = COARSE if unit == "mg/d" and abs(number) >= COARSE else Decimal(STEPS.get(unit, "1"))
    for moved in (number + step, number - step):
        edit = Edit(file, path, float(moved))
        yield Mutant("limit moved", place, f"{what} {number} to {moved}", (edit,))


def _short(tree: Any) -> str:
    """A tree in a few words."""
    if isinstance(tree, dict):
        return (
            "{" + ", ".join(f"{key}: {_short(value)}" for key, value in tree.items() if key not in _ANNOTATIONS) + "}"
        )
    if isinstance(tree, list):
        return "[" + ", ".join(_short(item) for item in tree) + "]"
    return str(tree)


_ANNOTATIONS = frozenset({"written", "unit", "basis", "note", "reviewed", "from"})
