"""Where nothing that an untouched answer looked at is on record, the full evaluation gives the same answer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chart import Interpretation, Source
from app.engine.linker import load_knowledge
from app.features import PatientFeatures
from app.features.evaluation import catalogue
from tests.property.patients import Json, cases
from tests.property.test_truth import OPTIONAL, features_of
from tests.unit.features.charts import condition, features, observation


class FullEvaluation(PatientFeatures):
    """Every feature and every criterion worked out on the chart itself."""

    def _found(self, name: str):  # type: ignore[no-untyped-def]
        result = self._done[name] = self._catalogue.compute(self, name)
        return result

    def settled(self, criterion, decide):  # type: ignore[no-untyped-def]
        return decide(self)


def untouched(patient: PatientFeatures) -> int:
    """How many features have their untouched answer for this patient; all of them are as the full evaluation says."""
    full = FullEvaluation(patient.chart, patient.settings)
    full._done.clear()
    count = 0
    for name in catalogue().names():
        count += patient._present.isdisjoint(patient._untouched.feature(name).looked_at)
        assert patient.feature(name) == full.feature(name), name
    for rule in load_knowledge().rules.values():
        assert patient.settled(rule, rule.truth) is rule.truth(full), rule.id
    return count


@settings(max_examples=120, derandomize=True)
@given(cases(), st.sets(st.sampled_from(OPTIONAL)))
def test_an_untouched_answer_is_that_of_the_full_evaluation(case: Json, dropped: set[str]) -> None:
    assert untouched(features_of(case, dropped)) > 50


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
    assert untouched(patient) > 50


def test_an_untouched_answer_knows_what_was_not_sent() -> None:
    for source in Source:
        untouched(features(without=(source,)))
    everything = tuple(Source)
    untouched(features(without=everything))
    assert features(without=everything).feature("condition.copd").value is None
    assert features().feature("condition.copd").value is False


def test_the_answer_of_one_set_of_lists_is_not_given_for_another() -> None:
    for _ in range(2):  # the second time from the memo
        assert features(without=(Source.CONDITIONS,)).feature("condition.copd").value is None
        assert features().feature("condition.copd").value is False
