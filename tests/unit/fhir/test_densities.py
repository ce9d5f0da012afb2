"""Bone densitometry: which number, of which site."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.chart import DensityFact, DensityKind, DensitySite
from tests.unit.fhir.builders import FINDING, LOINC, SNOMED, chart, coded, observation, resource


def densities(*records: dict[str, Any]) -> tuple[DensityFact, ...]:
    return chart(*records).densities


@pytest.mark.parametrize(
    ("code", "body_site", "site"),
    [
        (coded(LOINC, "38267-1"), None, DensitySite.LUMBAR_SPINE),
        (coded(LOINC, "38264-8"), None, DensitySite.HIP),
        (coded(LOINC, "38264-8"), {"text": "total hip"}, DensitySite.TOTAL_HIP),
        (coded(LOINC, "38263-0"), coded(SNOMED, "29627003"), DensitySite.FEMORAL_NECK),
        (coded(LOINC, "38263-0", text="Femur neck left T-score"), None, DensitySite.FEMORAL_NECK),
        (coded(LOINC, "38263-0"), None, DensitySite.FEMUR),
        (coded(LOINC, "38265-5", display="DXA [T-score] Bone density"), None, DensitySite.FOREARM),
        (coded(LOINC, "38266-3"), None, DensitySite.OTHER),
        ({"text": "T-score L1-L4"}, None, DensitySite.LUMBAR_SPINE),
        ({"text": "T-score"}, None, DensitySite.UNKNOWN),
    ],
)
def test_t_score_sites(code: dict[str, Any], body_site: Any, site: DensitySite) -> None:
    members = {"bodySite": body_site} if body_site else {}
    (density,) = densities(observation(code, -2.7, "{T-score}", **members))
    assert (density.kind, density.site, density.value) == (DensityKind.T_SCORE, site, Decimal("-2.7"))


def test_a_forearm_code_stays_forearm_whatever_the_words_say() -> None:
    (density,) = densities(observation(coded(LOINC, "38265-5", text="T-score lumbar spine"), -3.1, "{T-score}"))
    assert density.site is DensitySite.FOREARM
    assert density.conflict == (DensitySite.FOREARM, DensitySite.LUMBAR_SPINE)


def test_a_hip_code_with_forearm_words_is_of_no_known_site() -> None:
    (density,) = densities(observation(coded(LOINC, "38264-8", text="Radius 33 %"), -3.1, "{T-score}"))
    assert density.site is DensitySite.UNKNOWN
    assert density.conflict


def test_z_scores_and_densities_are_no_t_scores() -> None:
    found = densities(
        observation(coded(LOINC, "80940-0"), -0.2, "Z-Score"),
        observation(coded(LOINC, "24701-5"), 0.887, "g/cm²", bodySite=coded(SNOMED, "71341001:272741003=7771000")),
        observation(coded(FINDING, "qct-lumbar-bmd"), 75, "mg/cm3"),
    )
    assert [density.kind for density in found] == [DensityKind.Z_SCORE, DensityKind.BMD, DensityKind.QCT]
    assert found[1].side == "left"


def test_a_dxa_without_a_number_is_a_dxa_that_was_done() -> None:
    found = chart(observation(coded(LOINC, "38265-5")))
    assert found.densities == ()
    assert [fact.concepts for fact in found.observations] == [{"dxa_tscore_forearm"}]


def test_components_have_their_own_codes_and_the_site_of_the_whole() -> None:
    score = {"code": coded(LOINC, "38263-0"), "valueQuantity": {"value": -2.1}}
    panel = observation({"text": "DXA panel"}, component=[score], bodySite={"text": "femoral neck, right"})
    (density,) = densities(panel)
    assert (density.site, density.side) == (DensitySite.FEMORAL_NECK, "right")


def test_results_contained_in_a_report_are_read_with_its_date() -> None:
    inner = {
        "resourceType": "Observation",
        "id": "t",
        "status": "final",
        "code": coded(LOINC, "38267-1"),
        "valueQuantity": {"value": -2.8},
    }
    report = resource(
        "DiagnosticReport",
        "r",
        status="final",
        code=coded(LOINC, "38269-7"),
        effectiveDateTime="2026-04-02",
        contained=[inner],
    )
    found = chart(report)
    assert [(str(d.effective), d.ref) for d in found.densities] == [("2026-04-02", "DiagnosticReport/r")]
    assert [procedure.concepts for procedure in found.procedures] == [{"dxa_report"}]


@pytest.mark.parametrize("value", [-2.5, "-2,5"])
def test_scores_without_a_unit_are_scores(value: float | str) -> None:
    record = observation(coded(LOINC, "38267-1"))
    record["valueString" if isinstance(value, str) else "valueDecimal"] = value
    assert [density.value for density in densities(record)] == [Decimal("-2.5")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"valueString": "-2.7"}, "-2.7"),
        ({"valueString": "-2.7 SD"}, "-2.7"),
        ({"valueString": "−2,7 SD"}, "-2.7"),
        ({"valueString": "T-score: -2.7"}, "-2.7"),
        ({"valueString": "T = -2.7 SD"}, "-2.7"),
        ({"valueString": "-2.7 (osteoporosis)"}, "-2.7"),
        ({"valueCodeableConcept": {"text": "-2.7"}}, "-2.7"),
        ({"valueCodeableConcept": {"coding": [{"display": "-2.7 SD"}]}}, "-2.7"),
        ({"valueQuantity": {"value": "-2,7", "unit": "SD"}}, "-2.7"),
        ({"valueDecimal": -2.7}, "-2.7"),
        ({"valueInteger": -3}, "-3"),
    ],
)
def test_a_score_in_whatever_member(value: dict[str, Any], expected: str) -> None:
    (density,) = densities(observation(coded(LOINC, "38267-1"), **value))
    assert density.value == Decimal(expected)


@pytest.mark.parametrize(
    "value",
    [
        {"valueString": "osteoporosis"},
        {"valueString": "Z-score: -2.7"},
        {"valueString": "-2.7 to -2.5"},
        {"valueString": "-2.7 g/cm2 below mean"},
        {"valueCodeableConcept": {"text": "see report"}},
    ],
)
def test_words_that_are_no_score_are_noted(value: dict[str, Any]) -> None:
    found = chart(observation(coded(LOINC, "38267-1"), **value))
    assert found.densities == ()
    assert [item.ref for item in found.unusable] == ["Observation/x"]


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">="])
def test_a_limit_is_kept(comparator: str) -> None:
    quantity = {"value": -2.5, "comparator": comparator, "unit": "{T-score}"}
    (density,) = densities(observation(coded(LOINC, "38267-1"), valueQuantity=quantity))
    assert density.comparator == comparator


@pytest.mark.parametrize("reason", ["error", "unknown", "not-performed", "masked", "asked-declined"])
def test_a_value_beside_a_reason_for_its_absence_is_not_used_and_named(reason: str) -> None:
    absent = {"dataAbsentReason": {"coding": [{"code": reason}]}}
    found = chart(observation(coded(LOINC, "38267-1"), 0, "{T-score}", **absent))
    assert (found.densities, found.observations) == ((), ())
    assert [item.reason for item in found.unusable] == ["said to be absent beside a value"]


def test_a_value_that_is_absent_is_no_dxa_and_no_fault() -> None:
    absent = {"dataAbsentReason": {"coding": [{"code": "not-performed"}]}}
    found = chart(observation(coded(LOINC, "38267-1"), **absent))
    assert (found.densities, found.observations, found.unusable, found.set_aside) == ((), (), (), ())


@pytest.mark.parametrize(
    ("whole", "members", "site"),
    [
        (coded(LOINC, "24966-4"), {}, DensitySite.LUMBAR_SPINE),
        (coded(LOINC, "38261-4"), {}, DensitySite.HIP),
        ({"text": "DXA lumbar spine"}, {}, DensitySite.LUMBAR_SPINE),
        ({"text": "BMD femoral neck"}, {}, DensitySite.FEMORAL_NECK),
        ({"text": "DXA"}, {"bodySite": {"text": "total hip"}}, DensitySite.TOTAL_HIP),
        ({"text": "Spirometry"}, {}, DensitySite.UNKNOWN),
        ({"text": "Femur length"}, {}, DensitySite.UNKNOWN),
        ({"text": "BMI"}, {}, DensitySite.UNKNOWN),
    ],
)
def test_the_site_of_a_component(whole: dict[str, Any], members: dict[str, Any], site: DensitySite) -> None:
    score = {"code": {"text": "T-score"}, "valueQuantity": {"value": -2.7}}
    (density,) = densities(observation(whole, component=[score], **members))
    assert density.site is site


def test_a_score_without_a_site_is_named() -> None:
    found = chart(observation({"text": "T-score"}, -2.7))
    assert [item.reason for item in found.set_aside] == ["site of the score not named"]


def test_a_score_of_an_earlier_examination_is_named_also_beside_a_code() -> None:
    found = chart(observation(coded(LOINC, "38267-1", text="Lumbar T-score, previous exam"), -3.1))
    assert found.densities == ()
    assert [item.reason for item in found.set_aside] == ["of an earlier examination, or a difference"]
