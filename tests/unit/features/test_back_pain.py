"""Back pain and what came with it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app.chart import Energy, FractureSite, Interpretation, Source

from .charts import condition, features, fracture, observation

PAIN = condition("low_back_pain", "2026-05-01")


@pytest.mark.parametrize(
    ("onset", "began"),
    [
        ("2026-05-01", True),
        ("2026-06-01", True),
        ("2026-04-30", False),
        ("2026-05", True),
        ("2026", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("symptom", ["faecal_incontinence", "urinary_incontinence", "urinary_retention"])
def test_a_symptom_began_with_the_pain(symptom: str, onset: str | None, began: bool | None) -> None:
    name = f"began_with_back_pain.{symptom}"
    found = features(conditions=[PAIN, condition(symptom, onset)]).feature(name)
    assert found.value is began


def test_a_statement_of_pain_only_bounds_its_onset() -> None:
    told = observation("back_pain", when="2026-06-10", boolean=True)
    name = "began_with_back_pain.urinary_retention"
    for onset, began in (("2026-06-10", True), ("2026-06-01", None)):
        patient = features(observations=[told], conditions=[condition("urinary_retention", onset)])
        assert patient.feature(name).value is began
    assert patient.feature(name).missing == ("bladder_dysfunction_onset",)


def test_without_symptom_or_without_pain_nothing_began() -> None:
    assert features(conditions=[PAIN]).feature("began_with_back_pain.faecal_incontinence").value is False
    only = [condition("faecal_incontinence", "2026-06-01")]
    assert features(conditions=only).feature("began_with_back_pain.faecal_incontinence").value is False
    assert features(without=(Source.CONDITIONS,)).feature("began_with_back_pain.faecal_incontinence").value is None


def test_major_trauma_by_what_set_the_pain_off() -> None:
    name = "major_trauma_with_back_pain"
    high = observation("back_pain_trigger", answer="high-energy")
    assert features(conditions=[PAIN], observations=[high]).feature(name).value is True
    low = observation("back_pain_trigger", answer="cough")
    assert features(conditions=[PAIN], observations=[low]).feature(name).value is False
    assert features(conditions=[PAIN]).feature(name).value is False
    assert features(observations=[high]).feature(name).value is False
    partly = features(conditions=[PAIN], without=(Source.OBSERVATIONS,))
    assert partly.feature(name).missing == ("trauma_mechanism",)


@pytest.mark.parametrize(("when", "same"), [("2026-03-15", True), ("2026-03-14", False), (None, None)])
def test_a_recorded_trauma_of_the_last_three_months(when: str | None, same: bool | None) -> None:
    coded = features(conditions=[PAIN, condition("high_energy_trauma", when)])
    assert coded.feature("major_trauma_with_back_pain").value is same
    broken = fracture(FractureSite.VERTEBRA, when, Energy.HIGH)
    assert features(conditions=[PAIN], fractures=[broken]).feature("major_trauma_with_back_pain").value is same


def test_imaging_without_a_lesion() -> None:
    name = "imaging_without_lesion"
    seen, none = observation("osteolytic_lesion", boolean=True), observation("sclerotic_lesion", boolean=False)
    assert features(observations=[none]).feature(name).value is True
    assert features(observations=[seen, none]).feature(name).value is False
    assert features().feature(name).missing == ("imaging_result",)


def test_a_flagged_temperature_is_fever_for_a_month() -> None:
    for when, flag, fever in (
        ("2026-06-10", Interpretation.HIGH, True),
        ("2026-05-14", Interpretation.HIGH, False),
        ("2026-06-10", Interpretation.NORMAL, False),
        ("2026-06-10", None, False),
    ):
        measured = observation("body_temperature", "38.9", when, interpretation=flag)
        assert features(observations=[measured]).feature("condition.fever").value is fever


def test_a_later_no_takes_back_an_earlier_yes() -> None:
    """The chart reader tells a "yes" of an Observation as a condition as well: the newest answer decides."""
    yes = observation("night_pain", when="2024-01-01", boolean=True)
    told = replace(condition("night_pain", None), ref=yes.ref)
    no = observation("night_pain", when="2026-01-01", boolean=False)
    assert features(observations=[yes], conditions=[told]).feature("finding.night_pain").value is True
    assert features(observations=[yes, no], conditions=[told]).feature("finding.night_pain").value is False
    fever = observation("fever", when="2024-01-01", boolean=True)
    told = replace(condition("fever", None), ref=fever.ref)
    gone = observation("fever", when="2026-01-01", boolean=False)
    assert features(observations=[fever, gone], conditions=[told]).feature("condition.fever").value is False
