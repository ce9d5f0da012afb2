"""Laboratory values, kidney function, FRAX."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.chart import Interpretation, Presence, Sex, Source, UnusableReason, UnusableValue
from app.features import FeatureSettings
from app.features.laboratory.kidney import cockcroft_gault
from app.features.laboratory.values import ANALYTES, PANEL
from app.features.notes import NoteCode

from .charts import condition, course, features, observation

LOW, NORMAL, HIGH, ABNORMAL = (
    Interpretation.LOW,
    Interpretation.NORMAL,
    Interpretation.HIGH,
    Interpretation.ABNORMAL,
)
TOTAL, IONISED, CORRECTED = "calcium_total_molar", "calcium_ionised_molar", "calcium_albumin_corrected_molar"
MARKER = "ctx_beta_serum"


@pytest.mark.parametrize("analyte", sorted(ANALYTES))
def test_every_analyte_has_a_value_a_limit_of_age_and_a_name_to_ask_for(analyte: str) -> None:
    concept = ANALYTES[analyte].concepts[0]
    recent = features(observations=[observation(concept, 5, "2025-06-15", unit=ANALYTES[analyte].unit)])
    assert recent.feature(f"lab.{analyte}").value == 5
    assert recent.feature(f"lab_recent.{analyte}").value is True
    old = features(observations=[observation(concept, 5, "2025-06-14", unit=ANALYTES[analyte].unit)])
    assert old.feature(f"lab.{analyte}").value is None
    assert old.feature(f"lab.{analyte}").evidence
    assert old.feature(f"lab_recent.{analyte}").value is False
    assert features().feature(f"lab.{analyte}").missing
    assert features(without=(Source.OBSERVATIONS,)).feature(f"lab_recent.{analyte}").value is None


def test_a_value_in_another_unit_is_not_used() -> None:
    wrong = features(observations=[observation("creatinine_serum_mass", 1, unit="mg/dL")])
    assert wrong.feature("lab.creatinine").value is None
    assert wrong.feature("lab.creatinine").why_unknown == "not in umol/L"


def test_an_unusable_value_is_shown() -> None:
    refused = UnusableValue("Observation/x", frozenset({"tsh"}), UnusableReason.UNIT_OF_VALUE_NOT_KNOWN, "3 zz")
    tsh = features(unusable=[refused]).feature("lab.tsh")
    assert (tsh.value, tsh.evidence[0].value) == (None, "3 zz")


@pytest.mark.parametrize(
    ("more", "low", "high"),
    [
        ({"interpretation": LOW}, True, False),
        ({"interpretation": NORMAL}, False, False),
        ({"interpretation": HIGH}, False, True),
        ({"reference_low": Decimal("2.1"), "reference_high": Decimal("2.5")}, True, False),
        ({"reference_low": Decimal("1.1"), "reference_high": Decimal("1.5")}, False, True),
        ({"reference_low": Decimal("2.0"), "reference_high": Decimal("2.5")}, False, False),
        ({"reference_low": Decimal("1.5"), "reference_high": Decimal("2.0")}, False, False),
        ({"reference_high": Decimal("2.5")}, None, False),
        ({"interpretation": ABNORMAL}, None, None),
        ({}, None, None),
    ],
)
def test_the_laboratory_judges(more: dict[str, object], low: bool | None, high: bool | None) -> None:
    patient = features(observations=[observation(TOTAL, "2.0", **more)])
    assert patient.feature("lab_low.calcium").value is low
    assert patient.feature("lab_high.calcium").value is high


def test_abnormal_is_low_high_or_flagged() -> None:
    for flag, abnormal in ((LOW, True), (HIGH, True), (ABNORMAL, True), (NORMAL, False)):
        patient = features(observations=[observation("tsh", 1, interpretation=flag)])
        assert patient.feature("lab_abnormal.tsh").value is abnormal
    assert features(observations=[observation("tsh", 1)]).feature("lab_abnormal.tsh").value is None


@pytest.mark.parametrize(
    ("value", "low", "high"), [("<0.01", True, False), (">100", False, True), (">1", False, None), ("<3", None, False)]
)
def test_a_comparator_is_decided_where_it_can_be(value: str, low: bool | None, high: bool | None) -> None:
    fact = observation("tsh", value, reference_low=Decimal("0.4"), reference_high=Decimal(4))
    patient = features(observations=[fact])
    assert patient.feature("lab_low.tsh").value is low
    assert patient.feature("lab_high.tsh").value is high


def test_the_newest_calcium_decides_and_of_one_day_the_ionised() -> None:
    newest = features(observations=[observation(IONISED, "1.2", "2026-01-01"), observation(TOTAL, "2.7", "2026-06-01")])
    assert newest.feature("lab.calcium").value == Decimal("2.7")
    same_day = features(
        observations=[observation(TOTAL, "2.7"), observation(CORRECTED, "2.4"), observation(IONISED, "1.2")]
    )
    assert same_day.feature("lab.calcium").value == Decimal("1.2")
    assert same_day.feature("lab.calcium_corrected").value == Decimal("2.4")


def test_a_later_normal_calcium_decides() -> None:
    facts = [
        observation(TOTAL, "2.8", "2026-01-01", interpretation=HIGH),
        observation(TOTAL, "2.4", interpretation=NORMAL),
    ]
    for order in (facts, facts[::-1]):
        assert features(observations=order).feature("hypercalcaemia").value is False
        assert features(observations=order).feature("hypocalcaemia").value is False


def test_a_diagnosis_of_hypercalcaemia_counts_until_a_newer_normal_value() -> None:
    normal = observation(TOTAL, "2.4", "2026-03-01", interpretation=NORMAL)
    assert features(conditions=[condition("hypercalcaemia")]).feature("hypercalcaemia").value is True
    earlier = condition("hypercalcaemia", "2025-01-01")
    assert features(observations=[normal], conditions=[earlier]).feature("hypercalcaemia").value is False
    later = condition("hypercalcaemia", "2026-04-01")
    assert features(observations=[normal], conditions=[later]).feature("hypercalcaemia").value is True
    past = condition("hypercalcaemia", presence=Presence.PAST)
    assert features(conditions=[past]).feature("hypercalcaemia").value is None


def test_no_calcium_is_never_normal() -> None:
    assert features().feature("hypocalcaemia").missing == ("calcium",)
    assert features().feature("calcium_known").value is False
    unjudged = features(observations=[observation(TOTAL, "2.4")])
    assert unjudged.feature("hypocalcaemia").value is None
    assert unjudged.feature("calcium_known").value is False
    judged = features(observations=[observation(TOTAL, "2.4", interpretation=NORMAL)])
    assert judged.feature("calcium_known").value is True


def test_repeatedly_low_is_twice_on_different_days() -> None:
    name, concept = "lab_repeatedly_low.vitamin_d", "vitamin_d_25oh_mass"
    newest = observation(concept, 10, "2026-05-01", interpretation=LOW)
    assert features(observations=[newest]).feature(name).value is False
    for flag, value in ((LOW, True), (NORMAL, False), (None, None)):
        earlier = observation(concept, 10, "2024-05-01", interpretation=flag)
        assert features(observations=[earlier, newest]).feature(name).value is value
    assert features().feature(name).value is None


def test_suppressed_tsh() -> None:
    assert (
        features(observations=[observation("tsh", "0.01", interpretation=LOW)]).feature("tsh_suppressed").value is True
    )
    assert features().feature("tsh_suppressed").missing == ("tsh",)


def test_the_panel_names_what_is_abnormal() -> None:
    every = [observation(ANALYTES[name].concepts[0], 1, interpretation=NORMAL) for name in PANEL]
    assert features(observations=every).feature("lab_panel_abnormal").value == frozenset()
    high = observation("alp", 9, interpretation=HIGH)
    assert features(observations=[high]).feature("lab_panel_abnormal").value == {"alp"}
    assert features(observations=every[1:]).feature("lab_panel_abnormal").missing == (PANEL[0],)


def test_a_value_since_the_start_of_a_drug() -> None:
    name = "lab_since_start_of.calcium.denosumab"
    running = [course("denosumab", "2026-01-01")]
    for when, value in (("2026-01-01", True), ("2025-12-31", False), ("2026", True), ("2025", False), (None, None)):
        patient = features(courses=running, observations=[observation(TOTAL, "2.4", when)])
        assert patient.feature(name).value is value
    assert features(courses=running).feature(name).value is False
    assert features().feature(name).value is False


def test_bone_turnover_markers() -> None:
    measured = features(observations=[observation(MARKER, 300, "2026-03-15")])
    assert measured.feature("months_since_btm").value == 3
    assert measured.feature("btm_recent.3").value is True
    assert measured.feature("btm_recent.2").value is False
    assert features().feature("months_since_btm").low == Decimal("Infinity")
    assert features(without=(Source.OBSERVATIONS,)).feature("btm_recent.3").value is None


CREATININE = observation("creatinine_serum_molar", 100, unit="umol/L")
WEIGHT = observation("body_weight", 60, unit="kg")


def test_cockcroft_gault_of_the_textbook() -> None:
    assert cockcroft_gault(Decimal(76), Decimal(60), Decimal(100), Sex.MALE) == Decimal("47.232")
    assert cockcroft_gault(Decimal(76), Decimal(60), Decimal(100), Sex.FEMALE) == Decimal("39.936")


def test_clearance_is_reported_or_computed_and_says_which() -> None:
    reported = observation("creatinine_clearance_cockcroft_gault", 50, unit="mL/min")
    assert features(observations=[reported, CREATININE, WEIGHT]).feature("creatinine_clearance").value == 50
    computed = features(born="1950-01-01", observations=[CREATININE, WEIGHT]).feature("creatinine_clearance")
    assert computed.value == Decimal("39.936")
    assert computed.evidence[0].notes[0].code is NoteCode.COCKCROFT_GAULT_FEMALE


def test_an_old_reported_clearance_does_not_stand_in_the_way() -> None:
    old = observation("creatinine_clearance_cockcroft_gault", 80, "2020-01-01", unit="mL/min")
    assert features(born="1950-01-01", observations=[old, CREATININE, WEIGHT]).feature(
        "creatinine_clearance"
    ).value == Decimal("39.936")


def test_clearance_is_never_guessed() -> None:
    egfr = observation("egfr_mdrd", 90, unit="mL/min/{1.73_m2}")
    for facts in (
        [],
        [egfr],
        [CREATININE],
        [WEIGHT],
        [CREATININE, observation("body_weight", 60, "2023-01-01", unit="kg")],
    ):
        clearance = features(observations=facts).feature("creatinine_clearance")
        assert clearance.value is None
        assert "creatinine_clearance" in clearance.missing
    assert features(sex=None, observations=[CREATININE, WEIGHT]).feature("creatinine_clearance").value is None


def test_a_birth_year_gives_an_interval_of_clearance() -> None:
    clearance = features(born="1950", observations=[CREATININE, WEIGHT]).feature("creatinine_clearance")
    assert clearance.value is None
    assert (clearance.low, clearance.high) == (Decimal("39.936"), Decimal("40.56"))


def test_a_reported_limit_is_an_interval() -> None:
    above = features(observations=[observation("creatinine_clearance_measured_24h", ">90", unit="mL/min")])
    clearance = above.feature("creatinine_clearance")
    assert (clearance.value, clearance.low, clearance.low_open) == (None, Decimal(90), True)


@pytest.mark.parametrize(
    ("value", "below"), [("34", True), ("35", False), (">90", False), ("<30", True), ("<60", None)]
)
def test_egfr_below(value: str, below: bool | None) -> None:
    patient = features(observations=[observation("egfr_mdrd", value, unit="mL/min/{1.73_m2}")])
    assert patient.feature("egfr_below.35").value is below
    assert patient.feature("renal_suspicion").value is below


def test_suspicion_by_diagnosis_and_none_without_any_record() -> None:
    assert features(conditions=[condition("ckd_stage_5")]).feature("renal_suspicion").value is True
    assert features().feature("renal_suspicion").value is False
    assert features(without=(Source.OBSERVATIONS,)).feature("renal_suspicion").value is None
    old = observation("egfr_mdrd", 30, "2020-01-01", unit="mL/min/{1.73_m2}")
    assert features(observations=[old]).feature("renal_suspicion").value is None


def test_creatinine_is_known_by_itself_or_by_the_clearance() -> None:
    assert features(observations=[CREATININE]).feature("creatinine_known").value is True
    reported = observation("creatinine_clearance_measured_24h", 50, unit="mL/min")
    assert features(observations=[reported]).feature("creatinine_known").value is True
    assert features().feature("creatinine_known").value is False
    assert features(without=(Source.OBSERVATIONS,)).feature("creatinine_known").value is None


def test_frax_is_as_reported_for_two_years() -> None:
    recent = features(
        observations=[observation("frax_major_10y", "21.5", "2024-06-15"), observation("frax_hip_10y", 4)]
    )
    assert recent.feature("frax_major").value == Decimal("21.5")
    assert recent.feature("frax_hip").value == 4
    assert recent.feature("frax_with_bmd").value is False
    assert features(observations=[observation("frax_major_10y", 21, "2024-06-14")]).feature("frax_major").value is None
    told = observation("frax_major_10y", 21, text="FRAX major osteoporotic fracture with BMD")
    assert features(observations=[told]).feature("frax_with_bmd").value is True
    assert features().feature("frax_with_bmd").missing == ("frax_major",)


def test_age_limits_are_settings() -> None:
    limits = {**FeatureSettings().max_age_months, "renal": 24}
    old = observation("creatinine_serum_molar", 100, "2025-01-01", unit="umol/L")
    assert features(FeatureSettings(max_age_months=limits), observations=[old]).feature("lab.creatinine").value == 100


def test_a_reported_clearance_counts_as_creatinine_since_the_start() -> None:
    clearance = observation("creatinine_clearance_measured_24h", 50, "2026-02-01", unit="mL/min")
    patient = features(courses=[course("denosumab", "2026-01-01")], observations=[clearance])
    assert patient.feature("lab_since_start_of.creatinine.denosumab").value is True
    assert patient.feature("lab_since_start_of.calcium.denosumab").value is False


@pytest.mark.parametrize(
    ("when", "done"), [("2026-05-16", True), ("2026-05-15", False), ("2026-05", None), (None, False)]
)
def test_values_before_an_infusion_are_of_the_last_thirty_days(when: str | None, done: bool | None) -> None:
    facts = [observation(TOTAL, "2.4", "2026-06-10"), observation("creatinine_serum_molar", 80, when)]
    patient = features(observations=facts)
    assert patient.feature("zoledronate_lab_done.creatinine").value is done
    assert patient.feature("zoledronate_lab_done.calcium").value is True


def test_a_clearance_before_an_infusion_counts_as_creatinine() -> None:
    clearance = observation("creatinine_clearance_measured_24h", 50, unit="mL/min")
    assert features(observations=[clearance]).feature("zoledronate_lab_done.creatinine").value is True
    assert features(observations=[clearance]).feature("zoledronate_lab_done.calcium").value is False
    assert features(without=(Source.OBSERVATIONS,)).feature("zoledronate_lab_done.calcium").value is None
