"""The code sets of guidelines/ as ValueSets: which codes make the service recognise a concept.

Codes less specific than the concept (`coarse`) are never read as it and left out. A code with `*` covers all codes
below it: a filter, because the lower codes of ICD-10 and ATC are not listed here. A concept that others are kinds of
includes their value sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.published.code_systems import FINDING
from app.published.header import Resource, canonical, computable_name, fhir_id, header
from app.terminology.code_sets import CONCEPT_FILES, concept_file, drug_files
from app.terminology.code_tables import listed_codes, table_sources

MEDICATIONS: Final = "medications"
FILES: Final = (*CONCEPT_FILES, MEDICATIONS)
COMMENT: Final = "http://hl7.org/fhir/StructureDefinition/valueset-concept-comments"


def load_concepts() -> dict[str, Any]:
    """The concept files by name, with the codes of the code tables; the products of all drug files are one of them.

    Raises FilesError where one cannot be read.
    """
    content: dict[str, Any] = {name: concept_file(name) for name in ("findings", "systems")}
    for name in CONCEPT_FILES:
        file = concept_file(name)
        content[name] = {
            **file,
            "concepts": _copied(file["concepts"]),
            "evidence": file.get("evidence", {}) | table_sources(),
        }
    drugs = drug_files().values()
    products = {name: entry for drug in drugs for name, entry in drug["products"].items() if "codes" in entry}
    evidence = {key: text for drug in drugs for key, text in drug.get("evidence", {}).items()}
    content[MEDICATIONS] = {"evidence": evidence | table_sources(), "concepts": _copied(products)}
    homes = {concept: entry for name in FILES for concept, entry in content[name]["concepts"].items()}
    for listed in listed_codes():
        homes[listed.concept]["codes"].setdefault(listed.system, {}).setdefault(listed.code, listed.entry)
    return content


def _copied(concepts: Mapping[str, Any]) -> dict[str, Any]:
    """Concepts whose codes can be added to: what the files hold is shared and stays as it is."""
    return {
        name: {**entry, "codes": {system: dict(rows) for system, rows in entry["codes"].items()}}
        for name, entry in concepts.items()
    }


def value_sets(content: Mapping[str, Any], version: str) -> dict[str, Resource]:
    """A ValueSet for every concept, by FHIR id."""
    systems = {name: next(iter(entry["uris"])) for name, entry in content["systems"]["systems"].items()}
    findings = content["findings"]["findings"]
    concepts = {name: (file, entry) for file in FILES for name, entry in content[file]["concepts"].items()}
    children: dict[str, list[str]] = {}
    for name, (_, entry) in concepts.items():
        for parent in entry.get("parents", ()):
            children.setdefault(parent, []).append(name)
    names = dict.fromkeys([*concepts, *(code.replace("-", "_") for code in findings), *children])
    made: dict[str, Resource] = {}
    for name in names:
        file, entry = concepts.get(name, ("findings", {"codes": {}}))
        finding = findings.get(name.replace("_", "-"))
        includes = list(_includes(entry, systems, content[file].get("evidence", {})))
        if finding:
            includes.append({"system": FINDING, "concept": [{"code": name.replace("_", "-")}]})
        includes += [{"valueSet": [canonical("ValueSet", fhir_id(child))]} for child in children.get(name, ())]
        if includes:
            excludes = list(_excludes(entry, systems))
            compose = {"include": includes} | ({"exclude": excludes} if excludes else {})
            made[fhir_id(name)] = _head(name, file, entry, finding, version) | _notices(includes) | {"compose": compose}
    return made


_NOTICES: Final = {
    "http://loinc.org": "This material contains content from LOINC (http://loinc.org). LOINC is copyright Regenstrief "
    "Institute, Inc. and the LOINC Committee, and is available at no cost under the license at "
    "http://loinc.org/license.",
    "http://snomed.info/sct": "This value set includes content from SNOMED CT, which is copyright of the International "
    "Health Terminology Standards Development Organisation (IHTSDO), and distributed by agreement. Users need a "
    "licence; it is free of charge in member countries.",
    "http://www.whocc.no/atc": "ATC codes: copyright WHO Collaborating Centre for Drug Statistics Methodology, Oslo; "
    "terms at https://www.whocc.no/use_of_atc_ddd/.",
    "http://www.ama-assn.org/go/cpt": "CPT is copyright American Medical Association. Only code numbers are given "
    "here, with meanings in our own words; use needs a licence of the AMA.",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10 is copyright World Health Organization.",
}
"""The notices that code system owners require on each set with their codes."""


def _notices(includes: list[Resource]) -> Resource:
    """The `copyright` of a value set, by the systems in it."""
    systems = {include.get("system") for include in includes}
    notes = [text for system, text in _NOTICES.items() if system in systems]
    return {"copyright": " ".join(notes)} if notes else {}


def _head(name: str, file: str, entry: Mapping[str, Any], finding: Mapping[str, Any] | None, version: str) -> Resource:
    notes = [f"Codes by which Osteon recognises {name.replace('_', ' ')} ({file})."]
    if finding:
        notes.append(f"{finding['meaning'][:1].upper()}{finding['meaning'][1:]}.")
    if entry.get("residual"):
        notes.append("Holds only where no more specific code of another concept is given.")
    if entry.get("note"):
        notes.append(f"Note: {entry['note']}")
    return header(
        "ValueSet",
        id=fhir_id(name),
        url=canonical("ValueSet", fhir_id(name)),
        version=version,
        name=computable_name("Osteon", name),
        title=name.replace("_", " ").capitalize(),
        description=" ".join(notes),
    )


def _includes(entry: Mapping[str, Any], systems: Mapping[str, str], evidence: Mapping[str, str]) -> Iterator[Resource]:
    for system, rows in entry["codes"].items():
        meant = {code: row for code, row in rows.items() if "coarse" not in row}
        single = [_concept(code, row, evidence) for code, row in meant.items() if not code.endswith("*")]
        if single:
            yield {"system": systems[system], "concept": single}
        for code in meant:
            if code.endswith("*"):
                yield {"system": systems[system], "filter": [_below(code.rstrip("*"))]}


def _excludes(entry: Mapping[str, Any], systems: Mapping[str, str]) -> Iterator[Resource]:
    for system, rows in entry["codes"].items():
        included = [code.rstrip("*") for code, row in rows.items() if "coarse" not in row]
        for row in rows.values():
            for code in row.get("except", ()):
                # what another row of the concept lists by itself is in the set after all
                if "coarse" not in row and not any(other.startswith(code) for other in included):
                    yield {"system": systems[system], "filter": [_below(code)]}


def _below(code: str) -> Resource:
    return {"property": "concept", "op": "is-a", "value": code}


def _concept(code: str, row: Mapping[str, Any], evidence: Mapping[str, str]) -> Resource:
    notes = [f"confidence {row['conf']}"] if row.get("conf") else []
    notes += [evidence.get(row["from"], row["from"])] if row.get("from") else []
    notes += ["says that it was once so"] if row.get("history") else []
    made: Resource = {"extension": [{"url": COMMENT, "valueString": "; ".join(notes)}]} if notes else {}
    made["code"] = code
    return made | ({"display": row["display"]} if row.get("display") else {})
