"""Mutants of the code tables: guidelines/concepts, the products of guidelines/drugs, word lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.terminology.code_sets import concept_file, drug_files
from app.terminology.code_tables import listed_codes
from tests.mutation.mutant import DROP, Edit, Mutant, Path

TABLES = "codes"
"""As the file of an edit: the code tables; the path is the position of the row, and a member of it."""


def concept_mutants() -> Iterator[Mutant]:
    """Every mutant of the code tables."""
    yield from _of_concepts()
    yield from _of_tables()
    yield from _of_products()
    yield from _of_units()
    yield from _of_classes()
    yield from _of_findings_and_systems()
    yield from _of_words()


def _one(kind: str, place: str, change: str, file: str, path: Path, value: Any, *words: str) -> Mutant:
    return Mutant(kind, place, change, (Edit(file, path, value),), frozenset(words))


def _codes(file: str, here: Path, name: str, codes: Any, other: str, section: str) -> Iterator[Mutant]:
    """Each code removed, and moved to the concept behind it in the file."""
    for system, by_code in codes.items():
        for code, row in by_code.items():
            path, plain = (*here, "codes", system, code), code.rstrip("*")
            yield _one("code removed", name, f"{system} {code}", file, path, DROP, plain)
            moved = Edit(file, (section, other, "codes", system), {code: row})
            yield Mutant(
                "code moved", name, f"{system} {code} to {other}", (Edit(file, path, DROP), moved), frozenset({plain})
            )


def _of_concepts() -> Iterator[Mutant]:
    for file in ("observations", "conditions"):
        concepts = concept_file(file)["concepts"]
        names = list(concepts)
        for number, (name, entry) in enumerate(concepts.items()):
            here, other = ("concepts", name), names[(number + 1) % len(names)]
            yield from _codes(file, here, name, entry["codes"], other, "concepts")
            codes = [code.rstrip("*") for by_code in entry["codes"].values() for code in by_code]
            for index, parent in enumerate(entry.get("parents", ())):
                yield _one("parent removed", name, parent, file, (*here, "parents", index), DROP, *codes)
            if "site" in entry:
                yield _one("site", name, f"{entry['site']} removed", file, (*here, "site"), DROP, *codes)


def _of_tables() -> Iterator[Mutant]:
    rows = listed_codes()
    for number, row in enumerate(rows):
        plain = row.code.rstrip("*")
        yield _one("code removed", row.concept, f"{row.system} {row.code}", TABLES, (number,), DROP, plain)
        other = next((one.concept for one in rows[number:] if one.concept != row.concept), rows[0].concept)
        change = f"{row.system} {row.code} to {other}"
        yield _one("code moved", row.concept, change, TABLES, (number, "concept"), other, plain)


def _of_products() -> Iterator[Mutant]:
    for file, drug in drug_files().items():
        for name, entry in drug["products"].items():
            here: Path = ("products", name)
            codes = [code.rstrip("*") for by_code in entry.get("codes", {}).values() for code in by_code]
            for system, by_code in entry.get("codes", {}).items():
                for code in by_code:
                    path = (*here, "codes", system, code)
                    yield _one("code removed", name, f"{system} {code}", file, path, DROP, code.rstrip("*"))
            for index, one in enumerate(entry.get("classes", ())):
                yield _one("drug class", name, f"without {one}", file, (*here, "classes", index), DROP, *codes)
            if "prednisolone_equivalent" in entry:
                value = entry["prednisolone_equivalent"]["equal_to_5_mg"]
                path = (*here, "prednisolone_equivalent", "equal_to_5_mg")
                yield _one("equivalent", name, f"{value} doubled", file, path, value * 2, *codes)
            if "iu_per_mg" in entry:
                value = entry["iu_per_mg"]["number"]
                yield _one(
                    "equivalent",
                    name,
                    f"{value} IU per mg tenfold",
                    file,
                    (*here, "iu_per_mg", "number"),
                    value * 10,
                    *codes,
                )
            if "acts" in entry:
                months = entry["acts"]["months"]
                yield _one(
                    "depot interval",
                    name,
                    f"{months} months doubled",
                    file,
                    (*here, "acts", "months"),
                    months * 2,
                    *codes,
                )
            for index, rule in enumerate(entry.get("by_dose", ())):
                yield _one("dose split", name, f"{dict(rule)} removed", file, (*here, "by_dose", index), DROP, *codes)
                for key in ("single_mg_at_most", "single_mg_at_least", "interval_days_at_most"):
                    if key in rule:
                        path = (*here, "by_dose", index, key)
                        yield _one("dose split", name, f"{key} {rule[key]} tenfold", file, path, rule[key] * 10, *codes)


def _of_units() -> Iterator[Mutant]:
    units = concept_file("units")
    for unit, spellings in units["aliases"].items():
        for index, spelling in enumerate(spellings):
            yield _one(
                "unit alias", unit, f"without {spelling}", "units", ("aliases", unit, index), DROP, str(spelling)
            )
    for name, entry in units["quantities"].items():
        for unit, factor in entry["from"].items():
            if unit != entry["unit"]:
                new = str(float(factor) * 10)
                yield _one(
                    "unit factor",
                    name,
                    f"{unit} {factor} tenfold",
                    "units",
                    ("quantities", name, "from", unit),
                    new,
                    unit,
                )
        for end, value in enumerate(entry["possible"]):
            new = str(float(value) * (10 if end else -1)) if float(value) else "-1000"
            yield _one(
                "range", name, f"{value} as {new}", "units", ("quantities", name, "possible", end), new, entry["unit"]
            )


def _of_classes() -> Iterator[Mutant]:
    file = "drug-classes"
    for name, entry in concept_file(file)["classes"].items():
        for key in ("for_bone", "oncological_with_metastasis", "intolerance_shared"):
            if key in entry:
                yield _one("drug class", name, f"{key} turned", file, ("classes", name, key), not entry[key])
        for key in ("any_of", "all_of", "routes", "not_routes"):
            for index, one in enumerate(entry.get(key, ())):
                yield _one("drug class", name, f"{key} without {one}", file, ("classes", name, key, index), DROP)


def _of_findings_and_systems() -> Iterator[Mutant]:
    for code in concept_file("findings")["findings"]:
        yield _one("finding code", code, "removed", "findings", ("findings", code), DROP, code)
    for system, entry in concept_file("systems")["systems"].items():
        for uri in entry["uris"]:
            yield _one("system URI", system, f"{uri} removed", "systems", ("systems", system, "uris", uri), DROP, uri)


def _of_words() -> Iterator[Mutant]:
    for kind in ("conditions", "observations", "procedures"):
        file = f"concepts/words/{kind}"
        for concept, notations in concept_file(file)["names"].items():
            for index, notation in enumerate(notations):
                yield _one("word", concept, f"without {notation}", file, ("names", concept, index), DROP, str(notation))
