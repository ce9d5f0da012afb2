"""The clinical cases by the statements that they test, from the files of tests/clinical.

A case names the statements that it expects on a card (`fire`) or not on one (`not_fire`). The text of a case is shown
as it is written: it is made to be read by clinicians.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from app.data_files import data_path

NO_CASES = frozenset({"personas", "outlines", "dosage"})
"""Folders beside those of the cases: stories over years, results, dosages."""
_ENTRY = re.compile(r"(?m)^- ")
_ALIAS = re.compile(r": +[*&]\w")


@dataclass(frozen=True, slots=True)
class Case:
    """A case: `text` is its entry in the file `file`, below tests/clinical."""

    id: str
    title: str
    profile: str
    hook: str
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class CasesOf:
    """The cases of a statement: those in which it is cited, and those in which it must not be."""

    cited: tuple[Case, ...] = ()
    not_cited: tuple[Case, ...] = ()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.cited) + len(self.not_cited)


def case_files() -> list[Path] | None:
    """The files of the cases, sorted; None where the installation has none."""
    try:
        folder = data_path("tests", "clinical")
    except FileNotFoundError:
        return None
    return [path for path in sorted(folder.glob("*/*.yaml")) if path.parent.name not in NO_CASES]


@cache
def cases_by_statement() -> Mapping[str, CasesOf] | None:
    """The cases by the ids of statements; None where the installation has no cases. Takes about a second."""
    paths = case_files()
    if paths is None:
        return None
    cited: defaultdict[str, list[Case]] = defaultdict(list)
    not_cited: defaultdict[str, list[Case]] = defaultdict(list)
    for path in paths:
        text = path.read_text(encoding="utf-8")
        entries = yaml.load(text, Loader=yaml.CSafeLoader) or []
        starts = [found.start() for found in _ENTRY.finditer(text)]
        if len(starts) != len(entries):
            raise ValueError(f"{path.name}: {len(entries)} cases, and {len(starts)} lines that begin one")
        for entry, start, end in zip(entries, starts, [*starts[1:], len(text)], strict=True):
            expect = entry["expect"]
            case = Case(
                id=str(entry["id"]),
                title=str(entry["title"]),
                profile=str(entry["profile"]),
                hook=str(entry.get("hook", "patient-view")),
                file=f"{path.parent.name}/{path.name}",
                text=_readable(text[start:end].rstrip(), entry),
            )
            for name in expect.get("fire") or ():
                cited[name].append(case)
            for name in expect.get("not_fire") or ():
                not_cited[name].append(case)
    return {name: CasesOf(tuple(cited[name]), tuple(not_cited[name])) for name in {*cited, *not_cited}}


def _readable(text: str, entry: Mapping[str, Any]) -> str:
    """The text of a case; where it repeats parts of another one, with these parts in their place."""
    if not _ALIAS.search(text):  # an alias of YAML, or its anchor
        return text
    return yaml.dump([dict(entry)], Dumper=_WithoutAliases, allow_unicode=True, sort_keys=False, width=100).rstrip()


class _WithoutAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # PyYAML's hook
        return True
