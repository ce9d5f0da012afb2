"""What codings mean, in every national notation."""

from __future__ import annotations

import pytest

from app.terminology.codes import match, meaning_of
from app.terminology.names import read_text
from app.terminology.word_lists import Sense, TextKind
from tests.support.wire import concept
from tests.unit.fhir.builders import ATC, FINDING, ICD10, ICD10CM, ICD10CN, ICD10SE, LOINC, RXNORM, SKS, SNOMED, coded


def match_text(text: str, kind: TextKind) -> frozenset[str]:
    """The concepts that a text affirms."""
    words = read_text(text, kind)
    return words.named if words.understood and words.sense is Sense.AFFIRMED else frozenset()


def concepts(system: str, code: str) -> frozenset[str]:
    meaning = meaning_of(system, code)
    return meaning.concepts if meaning else frozenset()


@pytest.mark.parametrize(
    ("system", "code", "concept"),
    [
        (ICD10, "S72.1", "fracture_hip"),
        (ICD10, " s72.10 ", "fracture_hip"),
        (SKS, "DS721+TUL1", "fracture_hip"),
        (SKS, "DM819", "osteoporosis_without_fracture"),
        (ICD10SE, "M819", "osteoporosis_without_fracture"),
        ("urn:oid:1.2.752.116.1.1.1.1.8", "K900", "coeliac"),
        ("1.2.752.116.1.1.1.1.3", "C795", "bone_metastasis"),
        ("http://hl7.org/fhir/sid/icd-10-se/", "M819", "osteoporosis_without_fracture"),
        (ICD10CN, "M81.900", "osteoporosis_without_fracture"),
        (ICD10CN, "M45.x00", "ankylosing_spondylitis"),
        (ICD10CN, "S72.001", "fracture_hip"),
        (SNOMED, "71620000:272741003=7771000", "fracture_other_unspecified"),
        ("http://snomed.info/sct/45991000052106", "396331005", "coeliac"),
        ("https://loinc.org", "38267-1", "dxa_tscore_lumbar_spine"),
        ("http://npu-terminology.org", "npu18016", "creatinine_serum_molar"),
        (ATC, "M05BA04", "alendronate"),
        (FINDING, "low-energy-fracture", "low_energy_fracture"),
    ],
)
def test_a_code_is_understood_in_its_notation(system: str, code: str, concept: str) -> None:
    assert concept in concepts(system, code)


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (ICD10, ""),
        ("", "S72.0"),
        ("urn:oid:9.9.9", "S72.0"),
        (SKS, "KNFB40"),  # a procedure, not a diagnosis
        (ICD10, "E83.5"),  # hypo- and hypercalcaemia alike
        (ICD10, "C44.9"),  # skin, not melanoma
        (LOINC, "38267-9"),
        (FINDING, "no-such-finding"),
    ],
)
def test_what_is_not_known_or_says_too_little_means_nothing(system: str, code: str) -> None:
    assert not concepts(system, code)


def test_icd10_and_icd10cm_are_kept_apart() -> None:
    assert "fracture_distal_radius" in concepts(ICD10, "S52.6")
    assert "fracture_distal_radius" not in concepts(ICD10CM, "S52.6")  # ulna only
    assert "drug_induced_osteoporosis" in concepts(ICD10, "M81.4")
    assert "drug_induced_osteoporosis" not in concepts(ICD10CM, "M81.8")


def test_the_longest_prefix_decides_where_the_shorter_is_only_the_rest() -> None:
    assert concepts(ICD10, "S52.5") == {"fracture_distal_radius"}
    assert concepts(ICD10, "S52.2") == {"fracture_other_unspecified"}
    assert concepts(ICD10, "S02.2") == {"fracture_not_counted_nose"}


def test_a_kind_of_cancer_is_a_cancer() -> None:
    assert concepts(ICD10, "C50.9") == {"breast_cancer", "malignancy_any"}
    assert concepts(ICD10, "C79.8") == {"malignancy_any"}  # decision 11


def test_a_danish_suffix_and_a_sixth_character_give_the_side() -> None:
    assert (meaning := meaning_of(SKS, "DS720+TUL2"))
    assert meaning.side == "left"
    assert (meaning := meaning_of(ICD10CM, "S72.001A"))
    assert meaning.side == "right"
    assert not meaning.follow_up
    assert (meaning := meaning_of(ICD10CM, "S72.009D"))
    assert meaning.side is None
    assert meaning.follow_up


def test_history_codes_say_so() -> None:
    assert match(concept(coded(ICD10, "Z85.3")), TextKind.CONDITION).history
    assert not match(concept(coded(ICD10, "C50.9")), TextKind.CONDITION).history


def test_every_coding_is_looked_at() -> None:
    both = {"coding": [{"system": "urn:local", "code": "99999999"}, {"system": ICD10, "code": "S72.0"}]}
    assert "fracture_hip" in match(concept(both), TextKind.CONDITION).concepts


def test_text_speaks_only_where_no_code_does() -> None:
    by_text = match(concept({"text": "Höftfraktur vänster"}), TextKind.CONDITION)
    assert by_text.concepts == {"fracture_hip"}
    assert by_text.by_text
    by_code = match(concept(coded(ICD10, "M81.9", text="hip fracture")), TextKind.CONDITION)
    assert by_code.concepts == {"osteoporosis_without_fracture"}
    assert not by_code.by_text


@pytest.mark.parametrize(
    "text",
    [
        "Application of composite dental filling to dentin of tooth following fracture of tooth",
        "Family history of osteoporosis",
        "No evidence of fracture",
    ],
)
def test_words_that_look_like_a_diagnosis_are_none(text: str) -> None:
    assert match_text(text, TextKind.CONDITION) == frozenset()


@pytest.mark.parametrize(
    ("text", "drug"),
    [
        ("Alendronat Teva 70 mg", "alendronate"),
        ("地诺单抗注射液", "denosumab"),
        ("ゾレドロン酸", "zoledronic_acid"),
        ("Zoledronsyra infusion", "zoledronic_acid"),
        ("Calcichew-D3", "calcium_vitamin_d_combo"),
        ("Calcium/Vitamin D", "calcium_vitamin_d_combo"),
        ("甲泼尼龙片", "gc_methylprednisolone"),
    ],
)
def test_drug_names_in_the_languages_of_the_sources(text: str, drug: str) -> None:
    assert match_text(text, TextKind.MEDICATION) == {drug}


def test_methylprednisolone_is_not_prednisolone() -> None:
    assert match_text("Methylprednisolone 16 mg", TextKind.MEDICATION) == {"gc_methylprednisolone"}


def test_a_code_and_words_that_name_different_drugs_are_a_conflict() -> None:
    wrong = coded(ATC, "M05BA04", text="Prednisolone 5 mg")
    right = coded(RXNORM, "46041", text="Fosamax 70 mg")
    assert match(concept(wrong), TextKind.MEDICATION, check_text=True).conflict
    assert not match(concept(right), TextKind.MEDICATION, check_text=True).conflict
