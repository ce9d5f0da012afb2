"""Height, weight, smoking, alcohol, falls, family."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.chart import FamilyFact, FractureSite, Interpretation, Presence, Source

from .charts import condition, features, observation


def height(cm: str, when: str = "2026-06-01") -> object:
    return observation("body_height", cm, when, unit="cm")


def weight(kg: str, when: str = "2026-06-01") -> object:
    return observation("body_weight", kg, when, unit="kg")


def test_height_has_no_age_limit_and_weight_has_two_years() -> None:
    assert features(observations=[height("160", "2001-01-01")]).feature("height_cm").value == 160
    assert features(observations=[weight("60", "2024-06-15")]).feature("weight_kg").value == 60
    assert features(observations=[weight("60", "2024-06-14")]).feature("weight_kg").missing == ("weight",)


def test_bmi_is_reported_or_computed_and_the_newer_decides() -> None:
    assert features(observations=[weight("64"), height("160", "2010-01-01")]).feature("bmi").value == 25
    reported = observation("bmi", 19, "2026-06-02", unit="kg/m2")
    assert features(observations=[reported, weight("64"), height("160")]).feature("bmi").value == 19
    older = observation("bmi", 19, "2025-06-02", unit="kg/m2")
    assert features(observations=[older, weight("64"), height("160")]).feature("bmi").value == 25
    assert features(observations=[weight("64")]).feature("bmi").value is None
    assert "height" in features(observations=[weight("64")]).feature("bmi").missing


def test_height_loss_is_recorded_or_between_adult_heights() -> None:
    assert features(observations=[height("165", "1990-01-01"), height("161")]).feature("height_loss_cm").value == 4
    recorded = observation("height_loss", "5", unit="cm")
    assert (
        features(observations=[recorded, height("165", "1990-01-01"), height("161")]).feature("height_loss_cm").value
        == 5
    )
    assert features(observations=[height("161")]).feature("height_loss_cm").missing == ("height_loss",)
    child = features(born="1960-01-01", observations=[height("190", "1970-01-01"), height("161")])
    assert child.feature("height_loss_cm").value is None


@pytest.mark.parametrize(
    ("when", "loss"), [("2025-12-01", "10"), ("2025-06-01", "10"), ("2025-12-02", None), ("2025-05-31", None)]
)
def test_weight_loss_is_against_6_to_12_months_before(when: str, loss: str | None) -> None:
    found = features(observations=[weight("60", when), weight("54")]).feature("weight_loss_percent")
    assert found.value == (Decimal(loss) if loss else None)


def test_smoking_is_the_newest_statement() -> None:
    def said(word: str, when: str) -> object:
        return observation("smoking_status", when=when, answer=f"smoking_status_{word}")

    both = [said("current", "2020-01-01"), said("former", "2026-01-01")]
    for order in (both, both[::-1]):
        assert features(observations=order).feature("smokes").value is False
        assert features(observations=order).feature("ex_smoker").value is True
    assert features(observations=[said("never", "2026-01-01")]).feature("ex_smoker").value is False
    assert features(conditions=[condition("smoking_status_current")]).feature("smokes").value is True
    gave_up = features(conditions=[condition("smoking_status_current", presence=Presence.PAST)])
    assert gave_up.feature("smokes").value is False
    assert features().feature("smokes").missing == ("smoking_status",)


def test_alcohol_is_a_number_of_drinks_not_a_score() -> None:
    assert (
        features(observations=[observation("alcohol_use", 3, unit="{drinks}/d")])
        .feature("alcohol_drinks_per_day")
        .value
        == 3
    )
    score = features(observations=[observation("alcohol_use", 8, unit="{score}")]).feature("alcohol_drinks_per_day")
    assert (score.value, score.missing) == (None, ("alcohol",))


@pytest.mark.parametrize(
    ("falls", "when", "recorded"), [(1, "2026-01-01", True), (0, "2026-01-01", False), (0, "2025-01-01", None)]
)
def test_falls_of_the_last_year(falls: int, when: str, recorded: bool | None) -> None:
    assert (
        features(observations=[observation("falls_last_year", falls, when)]).feature("falls_recorded").value is recorded
    )


def test_falls_nobody_asked_about_are_unknown() -> None:
    assert features().feature("falls_recorded").missing == ("falls",)
    assert features(conditions=[condition("falls_history")]).feature("falls_recorded").value is True


def test_a_fall_assessment_and_a_raised_risk() -> None:
    assert features(observations=[observation("falls_last_year", 0)]).feature("fall_assessment_recorded").value is True
    assert features().feature("fall_assessment_recorded").value is False
    assert features(without=(Source.OBSERVATIONS,)).feature("fall_assessment_recorded").value is None
    flagged = observation("fall_risk_score", 50, interpretation=Interpretation.HIGH)
    assert features(observations=[flagged]).feature("fall_risk_recorded").value is True
    assert features(conditions=[condition("mobility_impaired")]).feature("fall_risk_recorded").value is True
    assert features(observations=[observation("walking_aid", boolean=True)]).feature("fall_risk_recorded").value is True
    assert features().feature("fall_risk_recorded").value is None


def test_food_and_movement() -> None:
    assert (
        features(observations=[observation("dietary_calcium_intake", 600, unit="mg/(24.h)")])
        .feature("dietary_calcium_mg")
        .value
        == 600
    )
    assert features().feature("dietary_calcium_mg").missing == ("dietary_calcium",)
    assert (
        features(observations=[observation("daily_exercise", 20, unit="min/d")]).feature("daily_exercise_min").value
        == 20
    )
    for word, still in (("sedentary", True), ("immobilised", True), ("active", False)):
        patient = features(observations=[observation("physical_activity", answer=word)])
        assert patient.feature("sedentary_or_immobilised").value is still
    assert features(conditions=[condition("immobilisation")]).feature("sedentary_or_immobilised").value is True
    assert features().feature("sedentary_or_immobilised").value is None


def relative(
    parent: bool | None, site: FractureSite | None = FractureSite.HIP, concept: str = "fracture_hip"
) -> FamilyFact:
    return FamilyFact("FamilyMemberHistory/1", frozenset({concept}), "mother" if parent else None, parent, site)


@pytest.mark.parametrize(("parent", "value"), [(True, True), (False, False), (None, None)])
def test_only_a_parent_counts(parent: bool | None, value: bool | None) -> None:
    assert features(family=[relative(parent)]).feature("parental_hip_fracture").value is value


def test_family_history_by_statement_and_by_absence() -> None:
    name = "parental_hip_fracture"
    assert features().feature(name).value is False
    assert features(without=(Source.FAMILY_HISTORY,)).feature(name).value is None
    for said in (True, False):
        told = features(observations=[observation(name, boolean=said)], without=(Source.FAMILY_HISTORY,))
        assert told.feature(name).value is said
    assert features(conditions=[condition(name)]).feature(name).value is True


def test_vertebral_fracture_of_a_parent_and_osteoporosis_of_anyone() -> None:
    spine = relative(True, FractureSite.VERTEBRA, "fracture_vertebra_unspecified")
    assert features(family=[spine]).feature("parental_vertebral_fracture").value is True
    assert features(family=[spine]).feature("parental_hip_fracture").value is False
    sister = relative(False, None, "osteoporosis_without_fracture")
    assert features(family=[sister]).feature("family_osteoporosis").value is True
    assert features(conditions=[condition("family_history_osteoporosis")]).feature("family_osteoporosis").value is True
    assert features(without=(Source.FAMILY_HISTORY,)).feature("family_osteoporosis").missing == ("family_osteoporosis",)
