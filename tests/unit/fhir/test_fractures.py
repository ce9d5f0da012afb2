"""Fractures: events are counted, not records."""

from __future__ import annotations

from typing import Any

import pytest

from app.chart import Energy, FractureFact, FractureSite
from tests.unit.fhir.builders import FINDING, ICD10, ICD10CM, SKS, SNOMED, chart, coded, condition


def fractures(*records: dict[str, Any]) -> tuple[FractureFact, ...]:
    return chart(*records).fractures


def broken(code: str, identifier: str = "x", day: str | None = "2024-03-01", system: str = ICD10, **more: Any) -> Any:
    content = {"onsetDateTime": day} if day else {}
    return condition(coded(system, code), identifier, "resolved", **(content | more))


@pytest.mark.parametrize(
    ("system", "code", "site"),
    [
        (ICD10, "S72.0", FractureSite.HIP),
        (SKS, "DS525+TUL1", FractureSite.DISTAL_FOREARM),
        (ICD10, "S42.2", FractureSite.PROXIMAL_HUMERUS),
        (ICD10, "S32.5", FractureSite.PELVIS),
        (ICD10, "S22.3", FractureSite.RIB),
        (ICD10, "S62.6", FractureSite.FINGER),
        (ICD10, "S82.2", FractureSite.OTHER),
        (SNOMED, "125605004", FractureSite.UNKNOWN),
    ],
)
def test_sites(system: str, code: str, site: FractureSite) -> None:
    assert [fracture.site for fracture in fractures(broken(code, system=system))] == [site]


def test_a_body_site_tells_what_a_vague_code_does_not() -> None:
    vague = broken("125605004", system=SNOMED, bodySite=[{"text": "left hip"}])
    assert [(f.site, f.side) for f in fractures(vague)] == [(FractureSite.HIP, "left")]


@pytest.mark.parametrize(("later", "count"), [("2024-05-30", 1), ("2024-05-31", 2)])
def test_records_of_one_site_within_ninety_days_are_one_fracture(later: str, count: int) -> None:
    assert len(fractures(broken("S72.0", "a"), broken("S72.1", "b", later))) == count


def test_both_hips_are_two_fractures() -> None:
    assert len(fractures(broken("DS720+TUL1", "a", system=SKS), broken("DS720+TUL2", "b", system=SKS))) == 2
    assert len(fractures(broken("DS720+TUL1", "a", system=SKS), broken("DS720", "b", system=SKS))) == 1


def test_follow_up_encounters_are_no_fractures_of_their_own() -> None:
    initial = broken("S72.001A", "a", "2023-01-05", ICD10CM)
    later = broken("S72.001D", "b", "2024-02-01", ICD10CM)
    assert [str(fracture.when) for fracture in fractures(initial, later)] == ["2023-01-05"]
    (alone,) = fractures(later)
    assert alone.when is None
    assert alone.healing_only


def test_two_vertebral_fractures_need_different_levels_or_dates() -> None:
    def level(name: str, identifier: str) -> Any:
        return broken("T08", identifier, bodySite=[{"text": f"vertebra {name}"}])

    assert len(fractures(level("L1", "a"), level("Th12", "b"))) == 2
    assert len(fractures(level("L1", "a"), level("L1", "b"))) == 1
    assert len(fractures(level("L1", "a"), broken("T08", "b"))) == 1
    assert [f.level for f in fractures(level("Th12", "a"))] == ["T12"]


def test_the_same_fracture_in_two_granularities_is_one() -> None:
    coarse = broken("S72.0", "a", "2024", ICD10CM)
    fine = broken("S72.009A", "b", "2024-03-01", ICD10CM)
    (fracture,) = fractures(coarse, fine)
    assert str(fracture.when) == "2024-03-01"
    assert len(fracture.refs) == 2


def test_osteoporosis_with_fracture_beside_the_fracture_is_the_same_event() -> None:
    (fracture,) = fractures(broken("M80.9", "a"), broken("S52.5", "b"))
    assert fracture.site is FractureSite.DISTAL_FOREARM
    assert fracture.energy is Energy.LOW


@pytest.mark.parametrize(
    ("second", "energy"),
    [
        ({"system": FINDING, "code": "low-energy-fracture"}, Energy.LOW),
        ({"system": FINDING, "code": "high-energy-fracture"}, Energy.HIGH),
        ({"system": SNOMED, "code": "704334005"}, Energy.LOW),
        ({"system": ICD10, "code": "V43.5"}, Energy.HIGH),
        ({"system": "urn:local", "code": "1"}, Energy.NOT_RECORDED),
    ],
)
def test_energy_stands_in_a_second_coding(second: dict[str, str], energy: Energy) -> None:
    code = {"coding": [{"system": ICD10, "code": "S72.0"}, second]}
    assert fractures(condition(code))[0].energy is energy


def test_the_osteoporotic_fracture_of_a_site_adds_no_diagnosis_of_osteoporosis() -> None:
    facts = chart(condition(coded(SNOMED, "431031001"))).conditions
    assert not {"osteoporosis_with_fracture", "osteoporosis_without_fracture"} & facts[0].concepts


def test_an_external_cause_of_the_same_day_makes_it_high_energy() -> None:
    assert fractures(broken("S72.0", "a"), broken("V03.1", "b"))[0].energy is Energy.HIGH
    assert fractures(broken("S72.0", "a"), broken("V03.1", "b", "2024-03-09"))[0].energy is Energy.NOT_RECORDED


@pytest.mark.parametrize(
    ("system", "code", "flag"),
    [
        (ICD10, "M90.7", "pathological_tumour"),
        (ICD10CM, "M84.750A", "atypical_femoral"),
        (ICD10, "M96.6", "periprosthetic"),
        (ICD10, "M84.3", "stress"),
    ],
)
def test_fractures_of_other_kinds_are_marked(system: str, code: str, flag: str) -> None:
    assert getattr(fractures(broken(code, system=system))[0], flag) is True


def test_a_pathological_fracture_of_unknown_cause_has_no_site_to_count_by() -> None:
    assert fractures(broken("409666003", system=SNOMED))[0].site is FractureSite.UNKNOWN


def test_a_suspected_fracture_is_not_merged_with_a_confirmed_one() -> None:
    suspected = broken("T08", "b", verificationStatus={"coding": [{"code": "provisional"}]})
    assert sorted(fracture.suspected for fracture in fractures(broken("T08", "a"), suspected)) == [False, True]


def test_a_history_code_gives_a_fracture_without_a_date() -> None:
    (fracture,) = fractures(broken("Z87.310", system=ICD10CM))
    assert fracture.when is None
    assert fracture.healing_only
    assert fracture.energy is Energy.LOW


def test_a_fracture_of_the_hook_is_marked_as_new() -> None:
    new = broken("S72.0", "n", "2026-06-14")
    found = chart(broken("S52.5", "o"), new_conditions=(new,))
    assert {f.site: f.new_in_context for f in found.fractures} == {
        FractureSite.DISTAL_FOREARM: False,
        FractureSite.HIP: True,
    }
    assert [fact.ref for fact in found.new_conditions] == ["Condition/n"]
    assert [fact.ref for fact in found.conditions] == ["Condition/o", "Condition/n"]


def test_a_fracture_dated_in_the_future_has_no_date() -> None:
    """9999-12-31 stands for "not known" in some systems, and has no day after it."""
    (told,) = fractures(broken("S72.0", "a", "9999-12-31"))
    assert told.when is None
    assert len(fractures(broken("S72.0", "a", "9999-12-31"), broken("S72.0", "b", "9999-12-30"))) == 1
