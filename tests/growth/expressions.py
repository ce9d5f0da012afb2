"""Every regular expression of app/ and guidelines/, and which of them can backtrack more than once over a text.

An expression is looked at in the form that Python's own parser gives. Two forms are found:

* nested: an unbounded repetition in an unbounded repetition, where the end of one round and the begin of the next can
  take the same character, `(a+)*`;
* adjacent: two unbounded repetitions one after the other, where both take the same character and nothing that is
  certain to stand between them tells them apart, `a*b?a*`.

Possessive repetitions and atomic groups give nothing back and are in no such form.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import app

APP = Path(app.__file__).parent
ALPHABET = frozenset(map(chr, range(1, 256))) | frozenset("Āıſ一々、。；μ½¼−–—≤≥‐\u2028\u3000")
_READERS = {"match", "search", "fullmatch", "sub", "subn", "findall", "finditer", "split", "compile"}
_LOOPS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT}
_REPEATS = {*_LOOPS, _constants.POSSESSIVE_REPEAT}
Node = tuple[Any, Any]


def all_expressions() -> dict[tuple[str, int], str]:
    """The expressions (with flags) of the code and of the data, and the file that each is compiled in.

    What is compiled while the modules are loaded and the service is built is recorded; literal expressions of the code
    that are compiled later are read from its syntax. Run in a process of its own: modules are loaded once.
    """
    found: dict[tuple[str, int], str] = {}
    compile_ = _compiler.compile

    def record(pattern: Any, flags: int = 0) -> Any:
        frame = sys._getframe(1)
        while frame.f_back and Path(frame.f_code.co_filename).parent.name == "re":
            frame = frame.f_back
        if isinstance(pattern, str | bytes) and frame.f_code.co_filename.startswith(str(APP)):
            text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
            found[text, int(flags) & ~re.DEBUG] = frame.f_code.co_filename
        return compile_(pattern, flags)

    re.purge()
    _compiler.compile = record
    try:
        for module in pkgutil.walk_packages([str(APP)], "app."):
            importlib.import_module(module.name)
        from tests.growth.texts import read_one_chart

        read_one_chart()
    finally:
        _compiler.compile = compile_
    for path in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr in _READERS
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                text = node.args[0].value
                text = text if isinstance(text, str) else text.decode("latin-1")
                if not any(text == known for known, _ in found):
                    found[text, 0] = str(path)
    return found


def backtracking(expression: str, flags: int = 0) -> list[str]:
    """The forms of an expression that can backtrack over and over; empty where there are none."""
    parsed = _parser.parse(expression, flags)
    return list(_Analysis(parsed.state).forms(list(parsed)))


class _Analysis:
    def __init__(self, state: Any) -> None:
        self._state = state

    def forms(self, nodes: list[Node]) -> Iterator[str]:
        """The forms in a sequence and in everything within it."""
        flat = list(self._flat(nodes))
        for index, node in enumerate(flat):
            for inner in _parts(node):
                yield from self.forms(inner)
            if not _unbounded(node):
                continue
            body = list(node[1][2])
            if self._holds_loop(body) and self._last(body) & self._first(body):
                yield f"nested: {_shown(self._first(body) & self._last(body))}"
            yield from self._adjacent(node, flat[index + 1 :])

    def _adjacent(self, loop: Node, rest: list[Node]) -> Iterator[str]:
        both = self._last(list(loop[1][2]))
        for node in rest:
            if _unbounded(node) and both & self._first(list(node[1][2])):
                yield f"adjacent: {_shown(both & self._first(list(node[1][2])))}"
                return
            if not self._nullable([node]):
                if not self._first([node]) <= both:
                    return  # a character that the first loop cannot take stands between them
                both &= self._first([node])

    def _flat(self, nodes: list[Node]) -> Iterator[Node]:
        for node in nodes:
            if node[0] is _constants.SUBPATTERN:
                yield from self._flat(list(node[1][3]))
            else:
                yield node

    def _holds_loop(self, nodes: list[Node]) -> bool:
        """Whether something in the sequence can give characters back without end."""
        kept = {_constants.ATOMIC_GROUP, _constants.POSSESSIVE_REPEAT}
        return any(_unbounded(n) or any(self._holds_loop(p) for p in _parts(n)) for n in nodes if n[0] not in kept)

    def _nullable(self, nodes: list[Node]) -> bool:
        return all(self._can_be_empty(node) for node in nodes)

    def _can_be_empty(self, node: Node) -> bool:
        op, argument = node
        if op in _REPEATS:
            return bool(argument[0] == 0) or self._nullable(list(argument[2]))
        if op is _constants.BRANCH:
            return any(self._nullable(list(branch)) for branch in argument[1])
        if op in {_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT, _constants.GROUPREF}:
            return True
        parts = _parts(node)
        return bool(parts) and all(self._nullable(part) for part in parts)

    def _first(self, nodes: list[Node]) -> frozenset[str]:
        return self._edge(nodes, 1)

    def _last(self, nodes: list[Node]) -> frozenset[str]:
        return self._edge(nodes, -1)

    def _edge(self, nodes: list[Node], step: int) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        for node in nodes[::step]:
            found |= self._edge_of(node, step)
            if not self._nullable([node]):
                break
        return found

    def _edge_of(self, node: Node, step: int) -> frozenset[str]:
        if node[0] in {_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT, _constants.GROUPREF}:
            return frozenset()
        parts = _parts(node)
        if parts:
            return frozenset().union(*(self._edge(part, step) for part in parts))
        one = _compiler.compile(_parser.SubPattern(self._state, [node]), self._state.flags)
        return frozenset(c for c in ALPHABET if one.fullmatch(c))


def _parts(node: Node) -> list[list[Node]]:
    op, argument = node
    if op in _REPEATS:
        return [list(argument[2])]
    if op is _constants.SUBPATTERN:
        return [list(argument[3])]
    if op is _constants.BRANCH:
        return [list(branch) for branch in argument[1]]
    if op is _constants.ATOMIC_GROUP:
        return [list(argument)]
    if op in {_constants.ASSERT, _constants.ASSERT_NOT}:
        return [list(argument[1])]
    return []


def _unbounded(node: Node) -> bool:
    return node[0] in _LOOPS and node[1][1] is _constants.MAXREPEAT


def _shown(characters: frozenset[str]) -> str:
    return repr("".join(sorted(characters, key=lambda c: (not c.isalnum(), c)))[:8])
