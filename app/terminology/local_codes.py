"""Codes of a hospital: CSV files and FHIR ConceptMaps and ValueSets in the folder of OSTEON_LOCAL_CODES.

Read once at start. A CSV file has the columns system, code, concept and, where wanted, unit, strength_mg and note. A
ConceptMap or ValueSet names the concept in its target or url (`urn:osteon:valueset:{concept}`, or a code of
`urn:osteon:finding`); only mappings whose source means the same as the concept, or less than it, are taken. What the
service itself knows of a code is never replaced: a file that contradicts it is refused.

`unit` is the unit of results that are sent without one; a unit that is sent decides.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from app.terminology.code_sets import terminology
from app.terminology.units import rule_for, ucum_of
from app.yaml_files import FilesError, Problem

VALUE_SET, FINDING = "urn:osteon:valueset:", "urn:osteon:finding"
_REQUIRED = ("system", "code", "concept")
_TAKEN = frozenset({"equal", "equivalent", "wider", "subsumes", "source-is-narrower-than-target"})
"""Equivalences of R4 and relationships of R5 in which the source is the concept, or a kind of it."""


class LocalCode(Struct, frozen=True):
    """One code of a hospital and the concept that it means."""

    system: str
    code: str
    concept: str
    strength_mg: Decimal | None
    file: str
    line: int
    unit: str | None = None  # of results that are sent without one, in UCUM


def read_local_codes(folder: Path) -> dict[tuple[str, str], LocalCode]:
    """The codes of a folder, by system (lower case) and code. Raises FilesError with everything that is wrong."""
    if not folder.is_dir():
        raise FilesError([Problem(str(folder), 1, "no such folder (OSTEON_LOCAL_CODES)")])
    problems: list[Problem] = []
    found: dict[tuple[str, str], LocalCode] = {}
    known = {*terminology().groups, *terminology().findings, *terminology().drugs.products}
    for path in sorted(folder.iterdir()):
        try:
            for local in _codes_of(path):
                key = (local.system.strip().rstrip("/").lower(), local.code.strip())
                other = found.get(key)
                if local.concept not in known:
                    problems.append(Problem(local.file, local.line, _no_concept(local.concept, known)))
                elif message := _wrong_unit(local):
                    problems.append(Problem(local.file, local.line, message))
                elif other is not None and other.concept != local.concept:
                    problems.append(Problem(local.file, local.line, f"{local.code} means {other.concept} elsewhere"))
                else:
                    found[key] = local
        except FilesError as error:
            problems += error.problems
    if problems:
        raise FilesError(problems)
    return found


def fingerprint(codes: Mapping[tuple[str, str], LocalCode]) -> str:
    """A short hash of what the codes mean: the same for the same mapping, whatever files it stands in."""
    digest = hashlib.sha256()
    for key, local in sorted(codes.items()):
        digest.update(repr((key, local.concept, str(local.strength_mg), local.unit)).encode())
    return digest.hexdigest()[:8]


def _no_concept(named: str, known: Collection[str]) -> str:
    """The message for a concept that is not known, with the nearest one."""
    close = get_close_matches(named, known, n=1)
    return f"no concept {named}" + (f", did you mean {close[0]}?" if close else "")


def _wrong_unit(local: LocalCode) -> str | None:
    """Why results of the concept cannot be in the unit; None where they can, or no unit is named."""
    if local.unit is None:
        return None
    rule = rule_for(frozenset({local.concept}))
    if rule is None:
        return f"{local.concept} has no number, so no unit"
    if ucum_of(local.unit) not in rule.factors:
        return f"{local.concept} is not measured in {local.unit}: one of {', '.join(rule.factors)}"
    return None


def _codes_of(path: Path) -> Iterator[LocalCode]:
    if path.suffix == ".csv":
        yield from _of_csv(path)
    elif path.suffix == ".json":
        yield from _of_json(path)


def _of_csv(path: Path) -> Iterator[LocalCode]:
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FilesError([Problem(path.name, 1, str(error))]) from error
    columns = [name.strip().lower() for name in rows[0]] if rows else []
    if missing := [name for name in _REQUIRED if name not in columns]:
        raise FilesError([Problem(path.name, 1, f"no column {', '.join(missing)}")])
    for line, cells in enumerate(rows[1:], start=2):
        row = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
        if not any(row.values()):
            continue
        if not all(row.get(name) for name in _REQUIRED):
            raise FilesError([Problem(path.name, line, "system, code and concept are needed")])
        yield LocalCode(
            row["system"],
            row["code"],
            _concept(row["concept"]),
            _strength(row, path, line),
            path.name,
            line,
            row.get("unit") or None,
        )


def _strength(row: Mapping[str, str], path: Path, line: int) -> Decimal | None:
    text = row.get("strength_mg", "")
    try:
        return Decimal(text) if text else None
    except InvalidOperation as error:
        raise FilesError([Problem(path.name, line, f"strength_mg is no number: {text}")]) from error


def _of_json(path: Path) -> Iterator[LocalCode]:
    try:
        resource: Any = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise FilesError([Problem(path.name, 1, str(error))]) from error
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if kind == "ConceptMap":
        yield from _of_concept_map(resource, path.name)
    elif kind == "ValueSet":
        yield from _of_value_set(resource, path.name)
    else:
        raise FilesError([Problem(path.name, 1, "a ConceptMap or a ValueSet is expected")])


def _of_concept_map(resource: dict[str, Any], file: str) -> Iterator[LocalCode]:
    for group in resource.get("group", ()):
        target = str(group.get("target") or resource.get("targetUri") or resource.get("targetCanonical") or "")
        for element in group.get("element", ()):
            for mapped in element.get("target", ()):
                if (mapped.get("equivalence") or mapped.get("relationship")) not in _TAKEN:
                    continue
                named = target.removeprefix(VALUE_SET) if target.startswith(VALUE_SET) else mapped.get("code")
                yield LocalCode(
                    str(group.get("source") or resource.get("sourceUri") or ""),
                    str(element.get("code") or ""),
                    _concept(str(named or "")),
                    None,
                    file,
                    1,
                )


def _of_value_set(resource: dict[str, Any], file: str) -> Iterator[LocalCode]:
    url = str(resource.get("url") or "").partition("|")[0]
    if not url.startswith(VALUE_SET):
        raise FilesError([Problem(file, 1, f"the url of a ValueSet here begins with {VALUE_SET}")])
    concept = _concept(url.removeprefix(VALUE_SET))
    includes = resource.get("compose", {}).get("include", ())
    listed = [(include.get("system"), coded) for include in includes for coded in include.get("concept", ())]
    listed += [(item.get("system"), item) for item in resource.get("expansion", {}).get("contains", ())]
    for system, coded in listed:
        yield LocalCode(str(system or ""), str(coded.get("code") or ""), concept, None, file, 1)


def _concept(name: str) -> str:
    return name.strip().lower().replace("-", "_")
