"""Bone density values and the history of measurements."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.chart import DensityKind, DensitySite, Presence, ProcedureFact, RequestedService, Source
from app.features import FeatureSettings

from .charts import condition, course, density, features, fracture, observation, on, past

NECK, HIP, FOREARM, SPINE = (
    DensitySite.FEMORAL_NECK,
    DensitySite.TOTAL_HIP,
    DensitySite.FOREARM,
    DensitySite.LUMBAR_SPINE,
)


def test_the_lowest_of_the_newest_per_site() -> None:
    facts = [density("-3.5", SPINE, "2024-01-01"), density("-2.0", SPINE), density("-2.6", NECK)]
    for order in (facts, facts[::-1]):
        score = features(densities=order).feature("lowest_t_score")
        assert score.value == Decimal("-2.6")
        assert score.evidence[0].feature == "t_score"


def test_a_forearm_never_answers_for_spine_and_hip() -> None:
    patient = features(densities=[density("-3.2", FOREARM)])
    assert patient.feature("lowest_t_score").value is None
    assert patient.feature("lowest_t_score").missing == ("t_score",)
    assert patient.feature("lowest_t_score_any_site").value == Decimal("-3.2")
    assert patient.feature("t_score.forearm").value == Decimal("-3.2")


def test_regions() -> None:
    patient = features(densities=[density("-1.0", SPINE), density("-2.0", HIP), density("-2.2", DensitySite.FEMUR)])
    assert patient.feature("t_score.lumbar_spine").value == Decimal("-1.0")
    assert patient.feature("t_score.hip").value == Decimal("-2.2")
    assert patient.feature("t_score.forearm").value is None


@pytest.mark.parametrize(
    ("when", "known"), [("2023-06-15", True), ("2023-06-14", False), ("2023-06", False), (None, False)]
)
def test_scores_older_than_three_years_are_shown_and_asked_for_again(when: str | None, known: bool) -> None:
    score = features(densities=[density("-2.6", SPINE, when)]).feature("lowest_t_score")
    assert score.known is known
    assert score.evidence
    assert score.missing == (() if known else ("t_score",))


def test_the_age_limit_is_a_setting() -> None:
    limits = {**FeatureSettings().max_age_months, "t_score": 60}
    old = features(FeatureSettings(max_age_months=limits), densities=[density("-2.6", SPINE, "2022-01-01")])
    assert old.feature("lowest_t_score").value == Decimal("-2.6")


def test_a_contradictory_site_answers_nothing() -> None:
    score = features(densities=[density("-2.9", SPINE, conflict="forearm / lumbar")]).feature("lowest_t_score")
    assert (score.value, score.why_unknown) == (None, "site contradictory")


def test_z_scores_and_qct_are_their_own() -> None:
    patient = features(densities=[density("-2.1", kind=DensityKind.Z_SCORE), density("75", kind=DensityKind.QCT)])
    assert patient.feature("lowest_z_score").value == Decimal("-2.1")
    assert patient.feature("qct_lumbar_bmd").value == 75
    assert patient.feature("lowest_t_score").value is None
    assert (
        features(observations=[observation("qct_lumbar_bmd", 78, unit="mg/cm3")]).feature("qct_lumbar_bmd").value == 78
    )


def bmd(value: str, when: str, site: DensitySite = SPINE, **more: str) -> object:
    return density(value, site, when, DensityKind.BMD, **more)


def test_change_of_density_is_the_lowest_over_the_sites() -> None:
    facts = [
        bmd("1.000", "2024-01-01"),
        bmd("0.950", "2026-01-01"),
        bmd("0.8", "2024-01-01", HIP),
        bmd("0.8", "2026-01-01", HIP),
    ]
    change = features(densities=facts).feature("bmd_change_percent")
    assert change.value == Decimal("-5")
    assert len(change.evidence) == 2


def test_change_needs_two_comparable_values() -> None:
    assert features(densities=[bmd("1.0", "2026-01-01")]).feature("bmd_change_percent").missing == ("bmd",)
    other_device = [bmd("1.0", "2024-01-01", device="A"), bmd("0.9", "2026-01-01", device="B")]
    assert features(densities=other_device).feature("bmd_change_percent").value is None
    other_side = [bmd("1.0", "2024-01-01", HIP, side="left"), bmd("0.9", "2026-01-01", HIP, side="right")]
    assert features(densities=other_side).feature("bmd_change_percent").value is None


def test_a_change_below_the_least_significant_one_is_none() -> None:
    facts = [bmd("1.000", "2024-01-01"), bmd("0.980", "2026-01-01")]
    settings = FeatureSettings(least_significant_change_percent=Decimal("2.8"))
    assert features(settings, densities=facts).feature("bmd_change_percent").value == 0


def test_change_on_a_drug_starts_a_year_before_it() -> None:
    name = "bmd_change_percent_on.alendronate"
    facts = [bmd("1.000", "2023-03-01"), bmd("0.900", "2026-01-01")]
    assert features(densities=facts, courses=[course("alendronate", "2024-01-01")]).feature(name).value == -10
    assert features(densities=facts, courses=[course("alendronate", "2024-06-01")]).feature(name).value is None
    assert features(densities=facts, courses=[course("alendronate", None)]).feature(name).missing == ("start_date",)
    assert features(densities=facts).feature(name).value is None


def test_a_dxa_is_a_result_a_report_or_a_procedure() -> None:
    report = observation("dxa_report")
    scan = ProcedureFact("Procedure/1", frozenset({"dxa_report"}), on("2026-01-01"))
    for facts in ({"densities": [density("-1")]}, {"observations": [report]}, {"procedures": [scan]}):
        assert features(**facts).feature("dxa_done").value is True
    assert features(densities=[density("80", kind=DensityKind.QCT)]).feature("dxa_done").value is False
    assert features(without=(Source.OBSERVATIONS,)).feature("dxa_done").value is None


def test_months_since_dxa() -> None:
    assert features(densities=[density("-1", when="2025-06-15")]).feature("months_since_dxa").value == 12
    assert features().feature("months_since_dxa").low == Decimal("Infinity")
    assert features(densities=[density("-1", when=None)]).feature("months_since_dxa").missing == ("t_score",)


def test_an_ordered_dxa() -> None:
    order = RequestedService("ServiceRequest/1", frozenset({"dxa_report"}), on("2026-06-01"))
    assert features(services=[order]).feature("dxa_ordered").value is True
    assert features().feature("dxa_ordered").value is False
    assert features(without=(Source.SERVICE_REQUESTS,)).feature("dxa_ordered").missing == ("open_orders",)


@pytest.mark.parametrize(
    ("dxa", "answered"), [("2025-05-05", True), ("2025-05-04", False), ("2025-05", None), ("2025", None), (None, None)]
)
def test_a_dxa_answers_an_event_from_its_day_on(dxa: str | None, answered: bool | None) -> None:
    patient = features(fractures=[fracture(when="2025-05-05")], densities=[density("-2", when=dxa)])
    assert patient.feature("dxa_since.fragility_fracture.any").value is answered


def test_without_a_date_of_the_event_a_dxa_within_the_limit_answers() -> None:
    undated = {"conditions": [condition("rheumatoid_arthritis", None)]}
    name = "dxa_since.condition.rheumatoid_arthritis"
    assert features(densities=[density("-2", when="2024-01-01")], **undated).feature(name).value is True
    assert features(densities=[density("-2", when="2020-01-01")], **undated).feature(name).value is False
    assert features(**undated).feature(name).value is False


def test_a_dxa_since_the_start_of_a_drug_counts_for_the_drug() -> None:
    patient = features(
        courses=[course("prednisolone", "2026-01-01", mg="10")], densities=[density("-2", when="2026-02-01")]
    )
    assert patient.feature("dxa_since.glucocorticoid_daily_dose").value is True
    assert patient.feature("dxa_since.takes.glucocorticoid").value is True


def test_a_follow_up_dxa_comes_after_the_first_year() -> None:
    name = "dxa_since_start_of.alendronate"
    running = [course("alendronate", "2024-01-10")]
    assert features(courses=running, densities=[density("-2", when="2025-01-11")]).feature(name).value is True
    assert features(courses=running, densities=[density("-2", when="2025-01-10")]).feature(name).value is False
    assert features(densities=[density("-2")]).feature(name).value is False


def test_a_dxa_in_the_last_months() -> None:
    patient = features(densities=[density("-2", when="2025-06-15")])
    assert patient.feature("dxa_in_last_months.12").value is True
    assert patient.feature("dxa_in_last_months.11").value is False


def test_a_dxa_since_the_end() -> None:
    name = "dxa_since_end_of.alendronate"
    ended = [past("alendronate", "2020-01-01", "2025-01-01")]
    assert features(courses=ended, densities=[density("-2")]).feature(name).value is True
    assert features(courses=ended, densities=[density("-2", when="2024-01-01")]).feature(name).value is False
    assert features(courses=[past("alendronate", "2020", None)], densities=[density("-2")]).feature(name).missing == (
        "end_date",
    )


def test_coded_osteoporosis_and_osteopenia() -> None:
    patient = features(
        conditions=[condition("osteoporosis_with_fracture", presence=Presence.PAST), condition("osteopenia")]
    )
    assert patient.feature("osteoporosis_diagnosis").value is True
    assert patient.feature("known_osteopenia").value is True
    assert features().feature("osteoporosis_diagnosis").value is False
    suspected = [condition("osteoporosis_without_fracture", presence=Presence.SUSPECTED)]
    assert features(conditions=suspected).feature("osteoporosis_diagnosis").value is None
    assert features(without=(Source.CONDITIONS,)).feature("known_osteopenia").value is None


def test_recorded_risk_and_severity() -> None:
    assert (
        features(observations=[observation("fracture-risk-stratum", answer="very-high")])
        .feature("fracture_risk_stratum")
        .value
        == "very-high"
    )
    assert (
        features(observations=[observation("very_high_fracture_risk", boolean=True)])
        .feature("fracture_risk_stratum")
        .value
        == "very-high"
    )
    assert (
        features(observations=[observation("very_high_fracture_risk", boolean=False)])
        .feature("fracture_risk_stratum")
        .value
        is None
    )
    assert (
        features(observations=[observation("severe_osteoporosis", boolean=True)])
        .feature("severe_osteoporosis_recorded")
        .value
    )
    assert features(observations=[observation("low_bmd_on_imaging", boolean=True)]).feature("low_bmd_on_imaging").value


def test_the_last_score_of_any_age_is_for_repeating_a_dxa() -> None:
    facts = [
        density("-2.8", SPINE, "2015-01-01"),
        density("-1.5", SPINE, "2019-01-01"),
        density("-1.9", NECK, "2019-01-01"),
    ]
    patient = features(densities=facts)
    assert patient.feature("latest_t_score_any_age").value == Decimal("-1.9")
    assert patient.feature("lowest_t_score").value is None
    assert features(densities=[density("-1.5", when=None)]).feature("latest_t_score_any_age").missing == ("t_score",)


@pytest.mark.parametrize(
    ("when", "done"), [("2026-01-01", True), ("2025-12-31", False), ("2026", True), ("2025", False)]
)
def test_a_dxa_from_a_month_of_the_course_on(when: str, done: bool) -> None:
    patient = features(courses=[course("alendronate", "2022-01-01")], densities=[density("-2", when=when)])
    assert patient.feature("dxa_after_months_on.alendronate.48").value is done
    assert features(densities=[density("-2")]).feature("dxa_after_months_on.alendronate.48").value is False
