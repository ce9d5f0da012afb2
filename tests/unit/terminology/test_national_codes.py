"""Codes of one disease in every national notation, and what a code without an entry means."""

from __future__ import annotations

import pytest

from app.terminology.codes import RULED_OUT, SUSPECTED, concepts_below, match, meaning_of
from app.terminology.drug_classes import with_members
from app.terminology.word_lists import TextKind
from tests.support.wire import concept
from tests.unit.fhir.builders import ATC, ICD10, ICD10CM, ICD10CN, ICD10SE, SKS, SNOMED

GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
NO = "urn:oid:2.16.578.1.12.4.1.1.7110"
NL = "http://hl7.org/fhir/sid/icd-10-nl"
FR = "https://smt.esante.gouv.fr/terminologie-cim-10"
AT = "https://termgit.elga.gv.at/CodeSystem/icd-10-bmsgpk-2025"
FI = "urn:oid:1.2.246.537.6.1.1999"
JP = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full"
AM = "http://hl7.org/fhir/sid/icd-10-am"
PCS, CPT, HCPCS = (
    "http://www.cms.gov/Medicare/Coding/ICD10",
    "http://www.ama-assn.org/go/cpt",
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
)


def concepts(system: str, code: str) -> frozenset[str]:
    meaning = meaning_of(system, code)
    return meaning.concepts if meaning else frozenset()


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (ICD10, "S72.0"),
        (ICD10CM, "S72.001A"),
        ("urn:oid:2.16.840.1.113883.6.90", "S72001A"),
        (ICD10SE, "S7200"),
        (SKS, "DS720"),
        (ICD10CN, "S72.000x001"),
        (GM, "S72.00"),
        (GM, "S72.00 G L"),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "S72.0-"),
        (NO, "S720"),
        ("2.16.578.1.12.4.1.1.7110", "S72.0"),
        (NL, "S72.0"),
        (FR, "S72.00+0"),
        (AT, "S72.0"),
        ("urn:oid:1.2.40.0.34.5.56", "S72.0"),
        (FI, "S72.0#"),
        (FI, "S72.0&W01"),
        (JP, "S7200"),
        (AM, "S72.03"),
    ],
)
def test_a_fracture_of_the_hip_is_one_in_every_national_form(system: str, code: str) -> None:
    assert "fracture_hip" in concepts(system, code)


@pytest.mark.parametrize(
    ("system", "code", "concept"),
    [
        (GM, "M81.98", "osteoporosis_without_fracture"),
        (GM, "K90.0", "coeliac"),
        (FR, "M81.90", "osteoporosis_without_fracture"),
        (FI, "M81.9", "osteoporosis_without_fracture"),
        (JP, "M8199", "osteoporosis_without_fracture"),
        (NL, "I61.9", "stroke"),
        (AM, "I21.4", "myocardial_infarction"),
        (ICD10, "†I63.9*", "stroke"),
        (CPT, "77080", "dxa_report"),
        (HCPCS, "G0130", "dxa_report"),
        (PCS, "BR09ZZ1", "dxa_report"),
        (PCS, "0SR9019", "hip_prosthesis"),
        (PCS, "0TY00Z0", "organ_transplant"),
        (CPT, "27236", "hip_fracture_surgery"),
        (CPT, "43644", "gastric_bypass_bariatric"),
        (CPT, "90935", "dialysis"),
        (HCPCS, "J0897", "denosumab"),
        (SNOMED, "87433001", "copd"),
        (SNOMED, "274100004", "stroke"),
        (SNOMED, "230690007", "stroke"),
    ],
)
def test_a_code_is_recognised_by_itself(system: str, code: str, concept: str) -> None:
    assert concept in concepts(system, code)


def test_a_snomed_fracture_code_tells_the_site_and_the_side_without_words() -> None:
    meaning = meaning_of(SNOMED, "10932641000119108")
    assert meaning is not None
    assert (meaning.site, meaning.side) == ("hip", "left")


def test_the_certainty_of_a_german_code_is_read() -> None:
    suspected, ruled_out, after = (meaning_of(GM, f"S72.0{sign}") for sign in "VAZ")
    assert suspected is not None
    assert suspected.certainty == SUSPECTED
    assert ruled_out is not None
    assert ruled_out.certainty == RULED_OUT
    assert after is not None
    assert after.history


@pytest.mark.parametrize(
    ("system", "code", "text", "kind"),
    [
        (ATC, "D07AC01", "Betnovat betametason 0,1 %", TextKind.MEDICATION),
        (ATC, "S01BA01", "dexamethasone", TextKind.MEDICATION),
        (ATC, "R03BA02", "budesonid", TextKind.MEDICATION),
        (ICD10, "I10", "Osteoporosis", TextKind.CONDITION),
        (ICD10CM, "Z76.82", "Awaiting organ transplant status", TextKind.CONDITION),
    ],
)
def test_a_code_without_an_entry_in_a_complete_system_is_not_read_from_its_words(
    system: str, code: str, text: str, kind: TextKind
) -> None:
    found = match(concept({"coding": [{"system": system, "code": code, "display": text}]}), kind)
    assert not found.concepts - {"budesonide_inhaled"}
    assert not found.by_text


def test_a_code_that_says_less_leaves_the_rest_to_the_words() -> None:
    """E83.5 of the WHO is low and high calcium alike."""
    found = match(
        concept({"coding": [{"system": ICD10, "code": "E83.5"}], "text": "Hypercalcaemia"}), TextKind.CONDITION
    )
    assert "hypercalcaemia" in found.concepts
    assert found.by_text


def test_a_text_in_the_place_of_a_code_is_no_code_of_the_system() -> None:
    assert meaning_of(ATC, "alendronate") is None
    assert meaning_of(ICD10, "fracture") is None
    assert meaning_of(ICD10, "S72.0" * 100) is None


def test_an_atc_group_holds_all_its_drugs() -> None:
    assert {"alendronate", "zoledronic_acid", "risedronate"} <= concepts_below(ATC, "M05BA")
    assert "denosumab" not in concepts_below(ATC, "M05BA")
    assert not concepts_below(ATC, "M")
    assert not concepts_below(ICD10, "M80")
    assert {"alendronate", "ibandronate"} <= with_members(frozenset({"bisphosphonate_unspecified"}))
    assert with_members(frozenset({"alendronate"})) == {"alendronate"}
