"""A criterion answers the same with and without its reasons, in whatever order it is asked."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.criteria import Node
from app.engine.finding import evaluate
from app.features import PatientFeatures
from tests.clinical.cases import TODAY
from tests.property.patients import Json, cases, pipeline, read, request_of

OPTIONAL = ("conditions", "procedures", "familyHistory", "allergies")
few = settings(max_examples=60, derandomize=True)


def features_of(case: Json, dropped: set[str]) -> PatientFeatures:
    body = request_of(case)
    for key in dropped:
        del body["prefetch"][key]
    return PatientFeatures(pipeline().chart(read(body), today=TODAY), pipeline().feature_settings)


def criteria() -> Iterator[Node]:
    """Every criterion of the guideline files."""
    knowledge = pipeline().knowledge
    for rule in knowledge.rules.values():
        yield from (rule.when, rule.rides_when, rule.opens, rule.indicator_when)
        yield from (unless.node for unless in rule.unless)
    for kind in knowledge.advice.values():
        yield from (gate.node for gate in kind.gates)
    yield from (line.when for line in knowledge.disagreements)
    yield from (item.answered_by for item in knowledge.orderables.values())
    yield from (profile.lead_when for profile in knowledge.profiles.values())


@few
@given(cases(), st.sets(st.sampled_from(OPTIONAL)))
def test_the_truth_is_that_of_the_outcome(case: Json, dropped: set[str]) -> None:
    alone, told = features_of(case, dropped), features_of(case, dropped)
    for node in criteria():
        assert node.truth(alone) is node.evaluate(told).truth, str(node)
    for rule in pipeline().knowledge.rules.values():
        assert rule.truth(alone) is evaluate(rule, told).truth, rule.id
