"""Diagnoses and findings: true, false, unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.chart import ConditionFact, Presence, ProcedureFact, Source
from app.features.history.diagnoses import GROUPS
from app.features.history.stated_findings import TRUTHS

from .charts import TODAY, condition, features, observation, on

NOW = TODAY.isoformat()


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_every_group_is_true_when_recorded_false_when_not_and_unknown_when_not_asked(name: str) -> None:
    for concept in GROUPS[name].concepts:
        records = [condition(concept, NOW)]
        found = features(conditions=records, without=(Source.PROCEDURES,)).feature(f"condition.{name}")
        assert found.value is True
        assert found.evidence[0].resource
    assert features().feature(f"condition.{name}").value is False
    open_ = features(without=(Source.CONDITIONS,)).feature(f"condition.{name}")
    assert open_.value is None
    assert open_.missing


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_a_suspected_diagnosis_is_never_confirmed_and_never_denied(name: str) -> None:
    suspected = [condition(GROUPS[name].concepts[0], NOW, presence=Presence.SUSPECTED)]
    assert features(conditions=suspected).feature(f"condition.{name}").value is None
    assert features(conditions=suspected).feature(f"suspected_condition.{name}").value is True
    both = [*suspected, condition(GROUPS[name].concepts[0], NOW)]
    assert features(conditions=both).feature(f"suspected_condition.{name}").value is False


@pytest.mark.parametrize("concept", ["myocardial_infarction", "nephrolithiasis", "breast_cancer", "copd"])
def test_an_event_and_a_lifelong_disease_count_when_past(concept: str) -> None:
    name = {"nephrolithiasis": "kidney_stones"}.get(concept, concept)
    past = [condition(concept, presence=Presence.PAST)]
    assert features(conditions=past).feature(f"condition.{name}").value is True


@pytest.mark.parametrize(
    ("concept", "name"),
    [
        ("dyspepsia", "dyspepsia"),
        ("oesophageal_disorder", "oesophageal_disease"),
        ("cushing", "hypercortisolism"),
        ("hyperparathyroidism_primary", "hyperparathyroidism"),
        ("hyperthyroidism", "hyperthyroidism"),
        ("vasculitis_gca_pmr", "systemic_inflammatory_disease"),
        ("sarcoidosis", "sarcoidosis"),
        ("vitamin_d_deficiency", "vitamin_d_deficiency"),
    ],
)
def test_a_symptom_and_a_disease_that_is_over_do_not_count(concept: str, name: str) -> None:
    past = condition(concept, presence=Presence.PAST)
    assert features(conditions=[past]).feature(f"condition.{name}").value is False
    assert features(conditions=[past, condition(concept)]).feature(f"condition.{name}").value is True


def test_without_a_status_an_ended_symptom_is_past() -> None:
    ended = ConditionFact("Condition/x", frozenset({"fever"}), Presence.UNKNOWN, ended=on("2025-01-01"))
    assert features(conditions=[ended]).feature("condition.fever").value is False


def test_a_history_of_cancer_is_malignancy_but_not_active() -> None:
    history = features(conditions=[condition("malignancy_history")])
    assert history.feature("condition.malignancy").value is True
    assert history.feature("condition.active_malignancy").value is False


def test_a_code_that_covers_two_diseases_says_neither() -> None:
    both = features(conditions=[condition("hypophosphataemia_hypophosphatasia")])
    assert both.feature("condition.hypophosphatasia").value is None
    assert both.feature("condition.hypophosphataemia").value is None


def test_a_transplant_can_be_a_procedure() -> None:
    done = ProcedureFact("Procedure/1", frozenset({"organ_transplant"}), on("2019-01-01"))
    assert features(procedures=[done]).feature("condition.organ_transplant").value is True
    planned = ProcedureFact("Procedure/1", frozenset({"organ_transplant"}), on("2027-01-01"), planned=True)
    assert features(procedures=[planned]).feature("condition.organ_transplant").value is False


def test_an_observation_can_deny_where_no_conditions_came() -> None:
    said = [observation("hiv", boolean=False)]
    assert features(observations=said, without=(Source.CONDITIONS,)).feature("condition.hiv").value is False


def test_months_since_the_latest_onset() -> None:
    strokes = [condition("stroke", "2020-01-15"), condition("stroke", "2025-12-15")]
    assert features(conditions=strokes).feature("months_since_condition.stroke").value == 6
    never = features().feature("months_since_condition.stroke")
    assert never.low == Decimal("Infinity")
    assert features(without=(Source.CONDITIONS,)).feature("months_since_condition.stroke").low is None


def test_an_undated_event_may_be_the_latest() -> None:
    events = [condition("stroke", "2020-06-15"), condition("stroke", None)]
    since = features(conditions=events).feature("months_since_condition.stroke")
    assert (since.value, since.low, since.high) == (None, None, Decimal(72))
    assert since.missing == ("stroke",)
    alone = features(conditions=[condition("stroke", None, recorded=on("2026-06-01"))])
    assert alone.feature("months_since_condition.stroke").missing == ("stroke",)


@pytest.mark.parametrize("code", TRUTHS)
def test_every_finding_is_what_was_stated(code: str) -> None:
    for said in (True, False):
        stated = features(observations=[observation(code.replace("_", "-"), boolean=said)])
        assert stated.feature(f"finding.{code}").value is said
    assert features(conditions=[condition(code)]).feature(f"finding.{code}").value is True
    assert features(without=(Source.OBSERVATIONS,)).feature(f"finding.{code}").value is None


def test_nobody_asked_is_no_only_where_no_is_no_sign() -> None:
    patient = features()
    assert patient.feature("finding.night_pain").value is False
    assert patient.feature("finding.pain_mechanical").value is None
    assert patient.feature("finding.back_pain_minor_trauma").missing == ("back_pain_minor_trauma",)


@pytest.mark.parametrize(
    ("trigger", "minor"), [("cough", True), ("low-fall", True), ("high-energy", False), ("none", False)]
)
def test_what_set_the_pain_off_answers_minor_trauma(trigger: str, minor: bool) -> None:
    told = features(observations=[observation("back_pain_trigger", answer=trigger)])
    assert told.feature("finding.back_pain_minor_trauma").value is minor


def test_dental_status_is_asked_for() -> None:
    for word, poor in (("poor", True), ("good", False)):
        assert (
            features(observations=[observation("dental_status", answer=word)]).feature("poor_dental_status").value
            is poor
        )
    assert features().feature("poor_dental_status").missing == ("dental_status",)


def test_an_answer_outside_the_list_is_not_used() -> None:
    assert (
        features(observations=[observation("dental_status", answer="fair")]).feature("poor_dental_status").value is None
    )


def test_back_pain_and_its_length() -> None:
    pain = features(conditions=[condition("low_back_pain", "2026-03-15")])
    assert pain.feature("back_pain").value is True
    assert pain.feature("back_pain_months").value == 3
    told = features(observations=[observation("back_pain", boolean=True)])
    assert told.feature("back_pain_months").missing == ("back_pain_onset",)
    assert features().feature("back_pain_months").value == 0
    assert (
        features(observations=[observation("back_pain_severity", answer="severe")]).feature("back_pain").value is True
    )


def test_signs_of_kyphosis() -> None:
    assert (
        features(observations=[observation("dyspnoea_or_early_satiety", boolean=True)]).feature("kyphosis_signs").value
    )
    assert features().feature("kyphosis_signs").value is False


@pytest.mark.parametrize("name", ["walking_aid", "visual_impairment", "frail"])
def test_findings_that_are_features_of_their_own(name: str) -> None:
    assert features(observations=[observation(name, boolean=True)]).feature(name).value is True
    assert features().feature(name).value is False
    assert features(without=(Source.OBSERVATIONS,)).feature(name).value is None


def test_a_cardiovascular_assessment_is_asked_for() -> None:
    name = "cardiovascular_risk_assessed"
    for said in (True, False):
        assert features(observations=[observation(name, boolean=said)]).feature(name).value is said
    assert features().feature(name).missing == ("cardiovascular_risk",)
