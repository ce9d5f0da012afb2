"""Where nothing that a feature rests on is on record, its short answer is what its function would say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chart import Interpretation, Source
from app.features import PatientFeatures
from app.features.evaluation import catalogue
from tests.property.patients import Json, cases
from tests.property.test_truth import OPTIONAL, features_of
from tests.unit.features.charts import condition, features, observation


def short_answers() -> list[str]:
    """The features that have a short answer."""
    return [name for name in catalogue().names() if catalogue().definition(name).absent is not None]


def check(patient: PatientFeatures) -> int:
    """How many of them answer by it for this patient; each as its function does."""
    told = 0
    for name in short_answers():
        definition = catalogue().definition(name)
        assert definition.absent is not None
        rests_on, answer = definition.absent
        if patient._recorded.isdisjoint(rests_on):
            told += 1
            assert answer(patient) == definition.compute(patient), name
    return told


@settings(max_examples=120, derandomize=True)
@given(cases(), st.sets(st.sampled_from(OPTIONAL)))
def test_the_short_answer_is_that_of_the_function(case: Json, dropped: set[str]) -> None:
    assert check(features_of(case, dropped)) > 50


@pytest.mark.parametrize(
    "patient",
    [
        features(conditions=[condition("bisphosphonate_status"), condition("long_term_steroid_status")]),
        features(observations=[observation("body_temperature", 39, "2026-11-20", interpretation=Interpretation.HIGH)]),
        features(observations=[observation("back_pain_trigger", answer="low-fall")]),
        features(observations=[observation("urine_calcium_24h_molar", 9, interpretation=Interpretation.HIGH)]),
    ],
)
def test_what_speaks_of_a_feature_by_another_name_is_not_overlooked(patient: PatientFeatures) -> None:
    assert check(patient) > 50


def test_the_short_answer_knows_what_was_not_sent() -> None:
    for source in Source:
        assert check(features(without=(source,))) == len(short_answers()) > 200
    everything = tuple(Source)
    assert check(features(without=everything)) == len(short_answers())
    assert features(without=everything).feature("condition.copd").value is None
    assert features().feature("condition.copd").value is False
