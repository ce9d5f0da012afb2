from __future__ import annotations

import re
from typing import Any

import pytest

from app.published import PublishedKnowledge
from app.published.header import computable_name, fhir_id
from app.published.value_sets import load_concepts, value_sets
from app.terminology.code_sets import terminology
from app.terminology.codes import meaning_of

CONTENT: dict[str, Any] = {
    "systems": {
        "systems": {"icd10": {"uris": {"http://icd": {}, "urn:oid:1": {}}}, "snomed": {"uris": {"http://sct": {}}}}
    },
    "findings": {"findings": {"height-loss": {"meaning": "loss of height"}, "whole": {"meaning": "said by hand"}}},
    "observations": {"concepts": {}},
    "medications": {"concepts": {}},
    "conditions": {
        "evidence": {"e1": "a table"},
        "concepts": {
            "whole": {
                "note": "take care",
                "codes": {
                    "icd10": {
                        "A1*": {"except": ["A1.2", "A1.3"]},
                        "A1.3*": {},
                        "B2": {"display": "b two", "from": "e1", "conf": "high"},
                        "C3": {"coarse": "too wide"},
                    }
                },
            },
            "part_of": {"parents": ["whole"], "codes": {"snomed": {"1234567": {"history": True}}}},
        },
    },
}


def test_codes_filters_exceptions_and_kinds_are_published() -> None:
    made = value_sets(CONTENT, "v1")
    assert set(made) == {"whole", "part-of", "height-loss"}
    assert made["whole"]["compose"] == {
        "include": [
            {
                "system": "http://icd",
                "concept": [
                    {
                        "extension": [
                            {
                                "url": "http://hl7.org/fhir/StructureDefinition/valueset-concept-comments",
                                "valueString": "confidence high; a table",
                            }
                        ],
                        "code": "B2",
                        "display": "b two",
                    }
                ],
            },
            {"system": "http://icd", "filter": [{"property": "concept", "op": "is-a", "value": "A1"}]},
            {"system": "http://icd", "filter": [{"property": "concept", "op": "is-a", "value": "A1.3"}]},
            {"system": "urn:osteon:finding", "concept": [{"code": "whole"}]},
            {"valueSet": ["urn:osteon:valueset:part-of"]},
        ],
        "exclude": [{"system": "http://icd", "filter": [{"property": "concept", "op": "is-a", "value": "A1.2"}]}],
    }
    assert "take care" in made["whole"]["description"]
    assert made["height-loss"]["compose"]["include"] == [
        {"system": "urn:osteon:finding", "concept": [{"code": "height-loss"}]}
    ]


def test_every_concept_and_every_finding_has_a_value_set(small: PublishedKnowledge) -> None:
    terms = terminology()
    missing = [name for name in (*terms.groups, *terms.findings) if small.read("ValueSet", fhir_id(name)) is None]
    # a concept whose codes are all coarse is never read from a code, and an empty value set would say "all of them"
    content = load_concepts()
    files = ("observations", "conditions", "medications")
    entries = {name: entry for file in files for name, entry in content[file]["concepts"].items()}
    for name in missing:
        assert all("coarse" in row for rows in entries[name]["codes"].values() for row in rows.values()), name


def _listed(value_set: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (include["system"], concept["code"])
        for include in value_set["compose"]["include"]
        for concept in include.get("concept", ())
    ]


def test_a_listed_code_is_read_as_the_concept_by_the_service_itself(small: PublishedKnowledge) -> None:
    """The published sets and the reading of charts come from the same files by different ways."""
    checked = 0
    for name in terminology().groups:
        value_set = small.read("ValueSet", fhir_id(name))
        if value_set is None or "Holds only where no more specific" in value_set["description"]:
            continue
        for system, code in _listed(value_set):
            meaning = meaning_of(system, code)
            assert meaning is not None, (name, system, code)
            assert name in meaning.concepts, (name, system, code)
            checked += 1
    assert checked > 500


def test_value_sets_refer_only_to_value_sets_that_are_there(small: PublishedKnowledge) -> None:
    bundle = small.search("ValueSet")
    assert bundle is not None
    urls = {entry["resource"]["url"] for entry in bundle["entry"]}
    for entry in bundle["entry"]:
        value_set = small.read("ValueSet", entry["resource"]["id"])
        assert value_set is not None
        for include in value_set["compose"]["include"]:
            assert set(include.get("valueSet", ())) <= urls


@pytest.mark.parametrize("name", ["a b", "", "x" * 65, "é"])
def test_a_name_that_cannot_be_an_id_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a FHIR id"):
        fhir_id(name)


def test_computable_names_are_identifiers() -> None:
    assert computable_name("Osteon", "dk-back-pain", "t_score") == "OsteonDkBackPainTScore"
    assert re.fullmatch(r"[A-Z]\w*", computable_name("osteon", "25-oh"))
