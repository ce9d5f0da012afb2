"""Reads the YAML files of `guidelines/`: plain values with their lines, and file and line for whatever is wrong.

libyaml parses; this module builds the values, by the core schema of YAML 1.2: `yes`, `no` and dates are texts. It
refuses what a reader of the file would take for something else: a key that is given twice, a number with a leading zero
(a code that lost its quotes), a tag. Nesting, aliases and the size of a file with its aliases expanded are bounded, so
that no file can exhaust the process.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

MAX_DEPTH: Final = 40
MAX_ALIASES: Final = 200
MAX_VALUES: Final = 500_000
"""How many values a file may hold, each alias counted with all that it expands to."""

_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?P<point>\.[0-9]*)?)(?P<power>[eE][-+]?[0-9]+)?")
_MISLEADING: Final = re.compile(r"[-+]?0[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAY_BE_NUMBER: Final = frozenset("+-.0123456789")

Place = tuple[str | int, ...]
"""The way to a value: keys of tables and positions in lists."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class FilesError(ValueError):
    """Files that cannot be used; `problems` lists everything that is wrong with them."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


class Table(dict[str, Any]):
    """A mapping of a file. `line`: where it begins; `lines`: the line of each key, in their order. Lines begin at 1."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []

    def line_of_step(self, step: str | int) -> int | None:
        """The line of a key, None where there is no such key."""
        return next((line for key, line in zip(self, self.lines, strict=True) if key == step), None)


class Rows(list[Any]):
    """A list of a file. `line`: where it begins; `lines`: the line of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []

    def line_of_step(self, step: str | int) -> int | None:
        """The line of an item, None where there is no such item."""
        return self.lines[step] if isinstance(step, int) and 0 <= step < len(self.lines) else None


def read_yaml(path: Path, name: str | None = None) -> Table:
    """The mapping that a file holds. Raises FilesError, which calls the file `name` (by default its last part)."""
    name = name or path.name
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FilesError([Problem(name, 1, error.strerror or str(error))]) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FilesError([Problem(name, line, "not UTF-8")]) from error
    content = parse_yaml(text, name)
    if not isinstance(content, Table):
        raise FilesError([Problem(name, 1, "a mapping is expected (key: value)")])
    return content


def parse_yaml(text: str, name: str) -> Any:
    """The value that a text holds: Table, Rows, str, int, float, bool or None. Raises FilesError."""
    try:
        return _Builder(text, name).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FilesError([Problem(name, mark.line + 1 if mark else 1, error.problem or str(error))]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise FilesError([Problem(name, line, f"a character that YAML does not allow: {error.reason}")]) from error


def line_of(content: object, place: Place) -> int:
    """The line of a place; of its nearest parent where the place itself is not in the file."""
    line = content.line if isinstance(content, Table | Rows) else 1
    node = content
    for step in place:
        found = node.line_of_step(step) if isinstance(node, Table | Rows) else None
        if found is None:
            break
        line, node = found, node[step]  # type: ignore[index]  # a Table or Rows that has the step
    return line


class _Open:
    """A mapping or list that is being built. `size`: how many values it holds so far, aliases expanded."""

    __slots__ = ("anchor", "content", "key", "key_line", "size")

    def __init__(self, content: Table | Rows, anchor: str | None) -> None:
        self.content = content
        self.anchor = anchor
        self.key: str | None = None
        self.key_line = 0
        self.size = 1


class _Builder:
    """Builds the value of one text from the events of libyaml, without recursion."""

    def __init__(self, text: str, name: str) -> None:
        self._next: Callable[[], Any] = yaml.CSafeLoader(text).get_event
        self._name = name
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._aliases = 0
        self._documents = 0
        self._value: Any = None

    def build(self) -> Any:
        """The value of the one document of the text, None where it is empty."""
        while (event := self._next()) is not None:
            kind, line = type(event), event.start_mark.line + 1
            if kind is ScalarEvent:
                self._scalar(event, line)
            elif kind is MappingStartEvent:
                self._begin(Table(line), event, line)
            elif kind is SequenceStartEvent:
                self._begin(Rows(line), event, line)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._end(line)
            elif kind is AliasEvent:
                self._alias(event.anchor, line)
            elif kind is yaml.DocumentStartEvent:
                self._documents += 1
                if self._documents > 1:
                    raise self._problem(line, "one document per file is expected")
        return self._value

    def _problem(self, line: int, message: str) -> FilesError:
        return FilesError([Problem(self._name, line, message)])

    def _scalar(self, event: Any, line: int) -> None:
        if event.tag is not None:
            raise self._problem(line, f"tags are not used here: {event.tag}")
        text: str = event.value
        if self._open and type(self._open[-1].content) is Table and self._open[-1].key is None:
            if event.anchor:
                raise self._problem(line, "a key has no anchor")
            self._key(text, line)
            return
        value = text if event.style else self._plain(text, line)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._add(value, 1, line)

    def _plain(self, text: str, line: int) -> Any:
        """The value of a text without quotes."""
        if text[:1] in _MAY_BE_NUMBER:
            if _MISLEADING.fullmatch(text):
                raise self._problem(line, f"{text} can be taken for a number: write '{text}' if it is a text")
            found = _NUMBER.fullmatch(text)
            if found:
                return float(text) if found["point"] or found["power"] or "." in text else int(text)
            return text
        return _WORDS.get(text, text)

    def _key(self, text: str, line: int) -> None:
        table = self._open[-1]
        if text in table.content:
            first = table.content.line_of_step(text)
            raise self._problem(line, f"the key {text!r} is already given in line {first}")
        table.key, table.key_line = sys.intern(text), line

    def _begin(self, content: Table | Rows, event: Any, line: int) -> None:
        if event.tag is not None:
            raise self._problem(line, f"tags are not used here: {event.tag}")
        if len(self._open) >= MAX_DEPTH:
            raise self._problem(line, f"nested more than {MAX_DEPTH} levels deep")
        if self._open and type(self._open[-1].content) is Table and self._open[-1].key is None:
            raise self._problem(line, "a key is a text")
        self._open.append(_Open(content, event.anchor))

    def _end(self, line: int) -> None:
        done = self._open.pop()
        if done.anchor:
            self._anchors[done.anchor] = (done.content, done.size)
        self._add(done.content, done.size, done.content.line if self._open else line)

    def _alias(self, name: str, line: int) -> None:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise self._problem(line, f"more than {MAX_ALIASES} aliases")
        if name not in self._anchors:
            raise self._problem(line, f"*{name}: no anchor &{name} is complete above this line")
        if self._open and type(self._open[-1].content) is Table and self._open[-1].key is None:
            raise self._problem(line, "a key is a text, not an alias")
        value, size = self._anchors[name]
        self._add(value, size, line)

    def _add(self, value: Any, size: int, line: int) -> None:
        if not self._open:
            self._value = value
            return
        parent = self._open[-1]
        parent.size += size
        if parent.size > MAX_VALUES:
            raise self._problem(line, f"more than {MAX_VALUES} values")
        content = parent.content
        if isinstance(content, Table):
            content[parent.key or ""] = value
            content.lines.append(parent.key_line)
            parent.key = None
        else:
            content.append(value)
            content.lines.append(line)
