"""The code sets of `guidelines/concepts` and `guidelines/drugs`, loaded once into frozen look-up tables.

The meaning of codes, names, units and doses is data; this module only brings it into a form in which
a coding is found with a few dictionary look-ups. A mistake in a file raises `TerminologyError` with file and line,
so that the service stops at start-up and not at a patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from app.data_files import data_path
from app.terminology.code_tables import ListedCode, listed_codes
from app.terminology.drug_table import DrugTable, drug_table
from app.yaml_files import FilesError, Place, Problem, Table, line_of, read_yaml

CONCEPT_FILES = ("observations", "conditions")
"""The files of `guidelines/concepts` that define concepts; the code tables add codes to them."""
MEDICATION = "medication"
"""The group of the concepts of `guidelines/drugs`."""
_ESCAPE = re.compile(r"\\.")
_SHOWN = 80
_TEXTS = "text-patterns"


class TerminologyError(FilesError):
    """Code set files that cannot be used; `problems` names file, line and entry."""


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One code of one concept. `prefix`: every longer code is covered too, save those that begin as in `excluded`."""

    concept: str
    prefix: bool
    residual: bool = False
    coarse: bool = False
    history: bool = False
    site: str | None = None
    level: str | None = None
    side: str | None = None
    strength_mg: str | None = None
    mg_per_ml: str | None = None
    excluded: tuple[str, ...] = ()


class TextPattern:
    """Expressions of which any is looked for in a text, in capitals or not.

    Text and expressions are compared in lower case: an expression that ignores case takes more than twice as long.
    Raises ValueError for an expression in capitals.
    """

    __slots__ = ("_search",)

    def __init__(self, expressions: Iterable[str]) -> None:
        joined = "|".join(f"(?:{expression})" for expression in expressions)
        plain = _ESCAPE.sub("", joined)
        if plain != plain.lower():
            raise ValueError(f"text patterns are written in lower case: {joined[:_SHOWN]}")
        self._search = re.compile(joined).search

    def found_in(self, text: str) -> bool:
        """Whether one of the expressions is in the text."""
        return self._search(text.lower()) is not None


@dataclass(frozen=True, slots=True)
class Finding:
    """One code of `urn:osteon:finding`."""

    concept: str
    value: str | None  # valueBoolean, valueQuantity, valueCodeableConcept or None: the coding itself is the statement
    answers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Terminology:
    """All code sets. Mappings are read-only; codes of prefix systems are stored without dots."""

    systems: Mapping[str, tuple[str, str]]  # URI (lower case) -> (system, shape of its codes)
    system_families: tuple[tuple[str, tuple[str, str]], ...]  # the same for every URI that begins so
    prefix_systems: frozenset[str]
    complete_systems: frozenset[str]  # a code without an entry means something that no rule asks for
    codes: Mapping[str, Mapping[str, tuple[CodeRow, ...]]]
    groups: Mapping[str, str]  # concept -> observation | condition | medication
    parents: Mapping[str, frozenset[str]]  # transitive
    sites: Mapping[str, str]  # concept -> fracture site
    findings: Mapping[str, Finding]
    answers: frozenset[str]
    supersedes: Mapping[str, frozenset[str]]
    drugs: DrugTable
    raw: Mapping[str, Any]  # the smaller tables, by file stem, for the modules that read them


@cache
def concept_file(stem: str) -> Table:
    """A file of `guidelines/concepts`, or "drugs/NAME", parsed once per process; callers do not change it.

    Raises FilesError.
    """
    return read_yaml(data_path(*file_name(stem).split("/")), file_name(stem))


def file_name(stem: str) -> str:
    """How messages name a file of `guidelines/concepts`, or "drugs/NAME"."""
    return f"guidelines/{stem}.yaml" if "/" in stem else f"guidelines/concepts/{stem}.yaml"


@cache
def drug_files() -> Mapping[str, Table]:
    """The drug files by "drugs/NAME". Raises FilesError where one cannot be read."""
    stems = sorted(path.stem for path in data_path("guidelines", "drugs").glob("*.yaml"))
    return MappingProxyType({f"drugs/{stem}": concept_file(f"drugs/{stem}") for stem in stems})


def wrong(stem: str, place: Place, message: str) -> TerminologyError:
    """The error for a place of a file."""
    return TerminologyError([Problem(file_name(stem), line_of(concept_file(stem), place), message)])


@cache
def terminology() -> Terminology:
    """The code sets of `guidelines/concepts` and `guidelines/drugs`, read once per process.

    Raises TerminologyError for a mistake in them.
    """
    systems_file = concept_file("systems")
    systems, families = _systems(systems_file)
    prefix_systems = _systems_with(systems_file, "match", "prefix")
    codes: dict[str, dict[str, list[CodeRow]]] = {}
    groups: dict[str, str] = {}
    direct: dict[str, list[str]] = {}
    sites: dict[str, str] = {}
    for name in CONCEPT_FILES:
        content = concept_file(name)
        for concept, entry in content["concepts"].items():
            groups[concept] = content["group"]
            direct[concept] = list(entry.get("parents", ()))
            if "site" in entry:
                sites[concept] = entry["site"]
            _add_rows(codes, concept, entry, prefix_systems, name)
    products: dict[str, Any] = {}
    for file, drug in drug_files().items():
        for product, entry in drug["products"].items():
            products[product] = entry
            if "codes" in entry:  # the others are found by dose or brand only
                groups[product], direct[product] = MEDICATION, []
                _add_rows(codes, product, entry, prefix_systems, file)
    _add_listed(codes, set(groups), sites, prefix_systems)
    findings_file = concept_file("findings")
    texts = concept_file(_TEXTS)
    supersedes = dict(texts["supersedes"])
    supersedes |= {name: entry["supersedes"] for name, entry in products.items() if "supersedes" in entry}
    return Terminology(
        systems=MappingProxyType(systems),
        system_families=families,
        prefix_systems=prefix_systems,
        complete_systems=_systems_with(systems_file, "complete", True),
        codes=MappingProxyType(
            {s: MappingProxyType({c: tuple(rows) for c, rows in by.items()}) for s, by in codes.items()}
        ),
        groups=MappingProxyType(groups),
        parents=MappingProxyType({concept: _ancestors(concept, direct) for concept in direct}),
        sites=MappingProxyType(sites),
        findings=MappingProxyType(_findings(findings_file)),
        answers=frozenset(str(word).replace("-", "_") for word in findings_file["answers"]),
        supersedes=MappingProxyType({name: frozenset(rest) for name, rest in supersedes.items()}),
        drugs=drug_table(concept_file("drug-classes")["classes"], drug_files().values()),
        raw=MappingProxyType(
            {
                "text-patterns": texts,
                "units": concept_file("units"),
                "dosage": concept_file("dosage"),
            }
        ),
    )


def _systems_with(content: Any, key: str, value: object) -> frozenset[str]:
    return frozenset(name for name, entry in content["systems"].items() if entry.get(key) == value)


def _systems(content: Any) -> tuple[dict[str, tuple[str, str]], tuple[tuple[str, tuple[str, str]], ...]]:
    """Systems by their addresses, and by the beginning of addresses that end in *."""
    systems: dict[str, tuple[str, str]] = {}
    families: list[tuple[str, tuple[str, str]]] = []
    for name, entry in content["systems"].items():
        target = (entry.get("reads_as", name), entry.get("shape", ""))
        for uri in entry["uris"]:
            address = uri.lower()
            if address.endswith("*"):
                families.append((address.rstrip("*"), target))
                continue
            systems[address] = target
            if address.startswith("urn:oid:"):
                systems[address.removeprefix("urn:oid:")] = target
    return systems, tuple(families)


def _add_rows(
    codes: dict[str, dict[str, list[CodeRow]]], concept: str, entry: Any, prefix_systems: frozenset[str], file: str
) -> None:
    for system, by_code in entry["codes"].items():
        for key, row in by_code.items():
            if key.endswith("*") and system not in prefix_systems:
                place = ("products" if "/" in file else "concepts", concept, "codes", system, key)
                raise wrong(file, place, f"{concept}: {key}: {system} has no hierarchy in its codes")
            site = row.get("site", entry.get("site"))
            _add_row(codes, concept, system, key, row, prefix_systems, site, residual=bool(entry.get("residual")))


def _add_listed(
    codes: dict[str, dict[str, list[CodeRow]]],
    concepts: set[str],
    sites: Mapping[str, str],
    prefix_systems: frozenset[str],
) -> None:
    """Add the codes of the code tables, save those that a concept file already gives the concept."""
    problems: list[Problem] = []
    for listed in listed_codes():
        if listed.concept not in concepts:
            problems.append(Problem(listed.file, listed.line, f"no concept {listed.concept}"))
        elif listed.code.endswith("*") and listed.system not in prefix_systems:
            problems.append(Problem(listed.file, listed.line, f"{listed.system} has no hierarchy in its codes"))
        elif not _has_row(codes, listed, prefix_systems):
            site = listed.entry.get("site", sites.get(listed.concept))
            _add_row(codes, listed.concept, listed.system, listed.code, listed.entry, prefix_systems, site)
    if problems:
        raise TerminologyError(problems)


def _has_row(
    codes: Mapping[str, Mapping[str, list[CodeRow]]], listed: ListedCode, prefix_systems: frozenset[str]
) -> bool:
    rows = codes.get(listed.system, {}).get(_key(listed.system, listed.code, prefix_systems), ())
    return any(row.concept == listed.concept for row in rows)


def _key(system: str, code: str, prefix_systems: frozenset[str]) -> str:
    code = code.rstrip("*")
    return code.replace(".", "") if system in prefix_systems else code


def _add_row(
    codes: dict[str, dict[str, list[CodeRow]]],
    concept: str,
    system: str,
    code: str,
    row: Mapping[str, Any],
    prefix_systems: frozenset[str],
    site: str | None,
    *,
    residual: bool = False,
) -> None:
    made = CodeRow(
        concept,
        code.endswith("*"),
        residual=residual,
        coarse="coarse" in row,
        history=bool(row.get("history")),
        site=site,
        level=row.get("level"),
        side=row.get("side"),
        strength_mg=row.get("strength_mg"),
        mg_per_ml=row.get("mg_per_ml"),
        excluded=tuple(other.replace(".", "") for other in row.get("except", ())),
    )
    codes.setdefault(system, {}).setdefault(_key(system, code, prefix_systems), []).append(made)


def _ancestors(concept: str, direct: Mapping[str, list[str]]) -> frozenset[str]:
    found: set[str] = set()
    todo = list(direct.get(concept, ()))
    while todo:
        parent = todo.pop()
        if parent not in found:
            found.add(parent)
            todo += direct.get(parent, ())
    return frozenset(found)


def _findings(content: Any) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for code, entry in content["findings"].items():
        concept = code.replace("-", "_")
        answers = frozenset(str(answer).replace("-", "_") for answer in entry.get("answers", ()))
        found[concept] = Finding(concept, entry.get("value"), answers)
    return found
