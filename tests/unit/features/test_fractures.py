"""Which fractures count, and when they happened."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.chart import Energy, FractureSite, Source
from app.features.bone.fragility import NEVER_COUNTED, TYPICAL
from app.features.notes import NoteCode, note

from .charts import condition, course, features, fracture, observation, past

Site = FractureSite


@pytest.mark.parametrize("site", list(Site))
def test_low_energy_counts_at_every_site_but_finger_toe_and_face(site: Site) -> None:
    patient = features(fractures=[fracture(site)])
    assert patient.feature("fragility_fracture.any").value is (site not in NEVER_COUNTED)
    assert patient.feature("low_energy_fracture.any").value is (site not in NEVER_COUNTED)


@pytest.mark.parametrize("site", list(Site))
def test_without_a_recorded_mechanism_only_the_typical_sites_count_and_say_so(site: Site) -> None:
    found = features(fractures=[fracture(site, energy=Energy.NOT_RECORDED)]).feature("fragility_fracture.any")
    assert found.value is (site in TYPICAL)
    if site in TYPICAL:
        assert note(NoteCode.MECHANISM_NOT_RECORDED) in found.evidence[0].notes


@pytest.mark.parametrize("kind", ["suspected", "pathological_tumour", "atypical_femoral", "periprosthetic", "stress"])
def test_other_kinds_of_fracture_never_count(kind: str) -> None:
    assert features(fractures=[fracture(**{kind: True})]).feature("fragility_fracture.any").value is False


def test_high_energy_never_counts() -> None:
    assert features(fractures=[fracture(energy=Energy.HIGH)]).feature("fragility_fracture.hip").value is False


def test_absence_is_known_only_where_conditions_came() -> None:
    assert features().feature("fragility_fracture.any").value is False
    open_ = features(without=(Source.CONDITIONS,)).feature("fragility_fracture.any")
    assert (open_.value, open_.missing) == (None, ("fragility_fracture",))


@pytest.mark.parametrize(
    ("site", "groups"),
    [
        (Site.HIP, {"any", "typical", "hip", "hip_or_vertebra", "non_vertebral", "msd_counted"}),
        (Site.VERTEBRA, {"any", "typical", "vertebra", "hip_or_vertebra", "msd_counted"}),
        (Site.RIB, {"any", "non_vertebral", "rib"}),
        (Site.METATARSAL, {"any", "non_vertebral"}),
        (Site.FEMUR_SHAFT, {"any", "non_vertebral", "msd_counted"}),
    ],
)
def test_groups_of_sites(site: Site, groups: set[str]) -> None:
    patient = features(fractures=[fracture(site)])
    every = {"any", "typical", "hip", "vertebra", "hip_or_vertebra", "non_vertebral", "rib", "msd_counted"}
    assert {group for group in every if patient.feature(f"fragility_fracture.{group}").value} == groups


def test_fractures_are_counted() -> None:
    facts = [
        fracture(Site.VERTEBRA, "2020-01-01"),
        fracture(Site.VERTEBRA, "2022-01-01"),
        fracture(Site.RIB, "2021-01-01"),
    ]
    patient = features(fractures=facts)
    assert patient.feature("fragility_fracture_count.vertebra").value == 2
    assert patient.feature("fragility_fracture_count.any").value == 3
    assert patient.feature("fragility_fracture_count.msd_counted").value == 2
    assert features().feature("fragility_fracture_count.any").value == 0
    least = features(fractures=facts, without=(Source.CONDITIONS,)).feature("fragility_fracture_count.any")
    assert (least.value, least.low) == (None, Decimal(3))


def test_a_history_code_adds_no_second_fracture() -> None:
    facts = [fracture(when="2024-06-15"), fracture(Site.UNKNOWN, None, healing_only=True)]
    patient = features(fractures=facts)
    assert patient.feature("fragility_fracture_count.any").value == 1
    assert patient.feature("months_since_fracture.any").value == 24


@pytest.mark.parametrize(
    ("when", "recent"), [("2025-06-15", True), ("2025-06-14", False), ("2025-06", None), ("2026", True)]
)
def test_recent_is_within_the_setting(when: str, recent: bool | None) -> None:
    assert features(fractures=[fracture(when=when)]).feature("recent_fragility_fracture.any").value is recent


@pytest.mark.parametrize(("when", "acute"), [("2026-03-15", True), ("2026-03-14", False)])
def test_acute_is_three_months(when: str, acute: bool) -> None:
    assert features(fractures=[fracture(when=when)]).feature("acute_fracture.hip").value is acute


def test_an_undated_fracture_may_be_the_latest() -> None:
    facts = [fracture(when="2020-06-15"), fracture(Site.VERTEBRA, None)]
    since = features(fractures=facts).feature("months_since_fracture.any")
    assert (since.low, since.high, since.missing) == (Decimal(0), Decimal(72), ("fracture_date",))
    assert features(fractures=[fracture(when=None)]).feature("recent_fragility_fracture.any").missing == (
        "fracture_date",
    )


def test_a_fracture_that_the_hook_is_about_is_of_today() -> None:
    new = features(fractures=[fracture(when=None, new_in_context=True)])
    assert new.feature("months_since_fracture.any").value == 0
    assert new.feature("acute_fracture.any").value is True


def test_no_fracture_is_longer_ago_than_every_limit() -> None:
    assert features().feature("months_since_fracture.any").low == Decimal("Infinity")
    assert features().feature("recent_fragility_fracture.any").value is False
    assert features(without=(Source.CONDITIONS,)).feature("recent_fragility_fracture.any").value is None


@pytest.mark.parametrize(
    ("when", "new"), [("2024-01-02", True), ("2024-01-01", False), ("2024-01", None), (None, None)]
)
def test_a_new_fracture_on_a_drug_is_after_its_start(when: str | None, new: bool | None) -> None:
    patient = features(fractures=[fracture(when=when)], courses=[course("alendronate", "2024-01-01")])
    assert patient.feature("new_fracture_on.alendronate.any").value is new
    assert patient.feature("new_fracture_on.denosumab.any").value is False


def test_a_new_fracture_on_a_drug_without_start() -> None:
    patient = features(fractures=[fracture()], courses=[course("alendronate", None)])
    assert patient.feature("new_fracture_on.alendronate.any").missing == ("start_date",)


def test_fractures_before_and_since_a_drug() -> None:
    before = features(fractures=[fracture(when="2023-01-01")], courses=[course("denosumab", "2024-01-01")])
    assert before.feature("fracture_before_start_of.denosumab").value is True
    assert before.feature("new_fracture_on.denosumab.any").value is False
    since = features(fractures=[fracture(when="2025-05-05")], courses=[past("denosumab", "2020-01-01", "2025-01-01")])
    assert since.feature("fracture_since_end_of.denosumab").value is True
    earlier = features(fractures=[fracture(when="2024-05-05")], courses=[past("denosumab", "2020-01-01", "2025-01-01")])
    assert earlier.feature("fracture_since_end_of.denosumab").value is False
    assert features(fractures=[fracture()], courses=[past("denosumab", "2020", None)]).feature(
        "fracture_since_end_of.denosumab"
    ).missing == ("end_date",)


@pytest.mark.parametrize(
    ("level", "above"), [("T5", True), ("TH4", True), ("T6", False), ("L1", False), ("C7", True), (None, None)]
)
def test_vertebral_fractures_above_t6(level: str | None, above: bool | None) -> None:
    patient = features(fractures=[fracture(Site.VERTEBRA, level=level)])
    assert patient.feature("vertebral_fracture_above_t6").value is above


def test_suspected_vertebral_fracture() -> None:
    assert (
        features(fractures=[fracture(Site.VERTEBRA, suspected=True)]).feature("suspected_vertebral_fracture").value
        is True
    )
    assert (
        features(observations=[observation("suspected_vertebral_fracture", boolean=True)])
        .feature("suspected_vertebral_fracture")
        .value
        is True
    )
    assert features().feature("suspected_vertebral_fracture").value is False


def test_mechanism_known() -> None:
    assert features(fractures=[fracture()]).feature("fracture_mechanism_known").value is True
    assert features(fractures=[fracture(energy=Energy.NOT_RECORDED)]).feature("fracture_mechanism_known").value is False
    assert features().feature("fracture_mechanism_known").value is True


def test_fracture_with_malignancy() -> None:
    assert (
        features(fractures=[fracture()], conditions=[condition("breast_cancer")])
        .feature("fracture_with_malignancy")
        .value
    )
    assert features(fractures=[fracture()]).feature("fracture_with_malignancy").value is False
    assert (
        features(fractures=[fracture()], without=(Source.CONDITIONS,)).feature("fracture_with_malignancy").value is None
    )
