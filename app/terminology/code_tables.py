"""The code tables of `guidelines/concepts/codes`: codes that are too many for the concept files.

One tab-separated file a theme. Lines that begin with # say where the codes come from ("# s1: ..."); then one line a
code: concept, system, code (* covers every longer code), flags (side=left, level=L1, history), sources, meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from app.data_files import data_path
from app.yaml_files import FilesError, Problem

_COLUMNS = 6
_SHOWN = 80


class ListedCode(Struct, frozen=True):
    """One code of a table. `entry`: display, from, conf and flags, as a code of the concept files has them."""

    concept: str
    system: str
    code: str
    entry: dict[str, Any]
    file: str
    line: int


@cache
def listed_codes() -> tuple[ListedCode, ...]:
    """The codes of all tables. Raises FilesError where a table cannot be read."""
    return tuple(listed for path in _paths() for listed in _codes_of(path))


@cache
def table_sources() -> dict[str, str]:
    """The source behind each letter, by table and letter ("diseases-snomed:s1")."""
    found: dict[str, str] = {}
    for path in _paths():
        for _, line in _lines(path):
            letter, _, text = line.removeprefix("#").strip().partition(": ")
            if line.startswith("#") and text and " " not in letter:
                found[f"{path.stem}:{letter}"] = text
    return found


def _paths() -> list[Path]:
    return sorted(data_path("guidelines", "concepts", "codes").glob("*.tsv"))


def _name(path: Path) -> str:
    return f"guidelines/concepts/codes/{path.name}"


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FilesError([Problem(_name(path), 1, str(error))]) from error
    yield from enumerate(text.splitlines(), start=1)


def _codes_of(path: Path) -> Iterator[ListedCode]:
    rows = [(number, line) for number, line in _lines(path) if line and not line.startswith("#")]
    for number, line in rows[1:]:  # the first names the columns
        cells = line.split("\t")
        if len(cells) != _COLUMNS:
            raise FilesError([Problem(_name(path), number, f"{_COLUMNS} columns expected: {line[:_SHOWN]}")])
        concept, system, code, flags, sources, meaning = cells
        entry: dict[str, Any] = {"display": meaning, "from": f"{path.stem}:{sources.split(' ')[0]}", "conf": "high"}
        for flag in flags.split():
            key, _, value = flag.partition("=")
            entry[key] = value or True
        yield ListedCode(concept, system, code, entry, _name(path), number)
