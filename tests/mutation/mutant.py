"""A mutant: one or several edits of the parsed guideline files."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
DROP = object()
"""As a new value: the key, or the item of the list, is removed."""


@dataclass(frozen=True)
class Edit:
    """A new value at a place of a file (its name below guidelines/). `DROP` removes what stands there."""

    file: str
    path: Path
    value: Any


@dataclass(frozen=True)
class Mutant:
    """`kind`: the class of mutation. `change`: what it does, for a reader; with the place, its identity."""

    kind: str
    place: str
    change: str
    edits: tuple[Edit, ...]
    words: frozenset[str] = frozenset()  # codes and names by which the cases that it can reach are found

    @property
    def id(self) -> str:
        """Names the mutant in reports and in accepted.yaml."""
        return f"{self.kind}: {self.place}: {self.change}"


def at(tree: Any, path: Path) -> Any:
    """The value at a place of a tree."""
    for step in path:
        tree = tree[step]
    return tree


def edited(tree: Any, edits: Sequence[tuple[Path, Any]]) -> Any:
    """A copy of a tree with the edits made. An alias is copied for each of its uses, so that only one changes."""
    made = _plain(tree)
    for path, value in edits:
        parent = at(made, path[:-1])
        if value is DROP:
            del parent[path[-1]]
        else:
            parent[path[-1]] = copy.deepcopy(value)
    return made


def _plain(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_plain(value) for value in tree]
    return tree
