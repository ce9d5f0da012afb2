"""Compiles the criterion trees of guideline files into nodes, and reports their errors.

The grammar is in docs/guideline-language.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Protocol

from app.engine.criteria import (
    COMPARISONS,
    All,
    AnyOf,
    Constant,
    IsKnown,
    IsTrue,
    Limit,
    Named,
    Node,
    Not,
    WordIs,
)
from app.engine.local import LocalLimit
from app.features.model import FeatureSpec, Kind

ANNOTATIONS = frozenset({"unit", "written", "basis", "note", "reviewed", "from"})
LOCAL = "local"
"""Where the overlay puts the decision behind a changed limit. A file cannot hold it."""
_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_DATE = re.compile(rf"\d{{4}}(?:-(?:0[1-9]|1[0-2]))?|{_DAY.pattern}")
BASES = frozenset({"as-written", "adjusted", "inherited", "inferred", "setting"})


class CriterionError(ValueError):
    """A criterion that cannot be compiled; `path` leads to it inside the block."""

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


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
        operators = [key for key in value if key not in ANNOTATIONS and key != LOCAL]
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
        reviewed, since = str(value.get("reviewed") or ""), str(value.get("from") or "")
        if reviewed and not _DAY.fullmatch(reviewed):
            raise CriterionError("reviewed: is the day on which a person checked the limit, YYYY-MM-DD", path)
        if since and not _DATE.fullmatch(since):
            raise CriterionError("from: is the date from which the limit holds, YYYY, YYYY-MM or YYYY-MM-DD", path)
        local = value.get(LOCAL)
        if local is not None and not isinstance(local, LocalLimit):
            raise CriterionError("a limit of a hospital stands in its overlay.yaml, under limits", path)
        written = str(value["written"])
        return Limit(spec.name, operator, limit, spec.unit or "", written, basis, reviewed, since, local)

    @staticmethod
    def _words(spec: FeatureSpec, operator: str, wanted: object, path: tuple[str | int, ...]) -> Node:
        if operator not in {"is", "one_of", "includes"}:
            raise CriterionError(f"{spec.name}: use is, one_of or includes", path)
        words = frozenset(str(w) for w in wanted) if isinstance(wanted, list) else frozenset({str(wanted)})
        wrong = sorted(words - spec.words) if spec.words else []
        if wrong:
            raise CriterionError(f"{spec.name} is never {wrong[0]!r}: one of {', '.join(sorted(spec.words))}", path)
        return WordIs(spec.name, words)
