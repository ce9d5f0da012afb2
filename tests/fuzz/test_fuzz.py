"""2,000 mutated charts, and proof that the judge would see a fault."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import orjson
import pytest

from tests.fuzz.mutations import MUTATIONS, mutated
from tests.fuzz.run import requests, run
from tests.fuzz.verdict import wrong
from tests.support.calls import example

CHARTS = 2000


def test_mutated_charts_are_answered_without_fault() -> None:
    report = run(seed=1, numbers=range(CHARTS))
    assert report.faults == [], "again: python -m tests.fuzz --seed 1 --only N"
    assert report.statuses.total() == CHARTS
    # Otherwise the mutations would only prove that broken envelopes are refused.
    assert report.with_cards > CHARTS / 2


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_each_mutation_changes_some_chart(mutation: Any) -> None:
    _, body = requests()[0]
    before = json.dumps(body)
    changed = False
    for seed in range(20):
        copy = json.loads(before)
        mutation(copy, Random(seed))
        changed |= json.dumps(copy) != before
    assert changed


def test_a_seed_gives_the_same_chart_again() -> None:
    _, body = requests()[0]
    assert mutated(body, Random("1:7")) == mutated(body, Random("1:7"))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"resourceType": "OperationOutcome"}),
        (404, {"resourceType": "OperationOutcome"}),
        (400, {"detail": "no"}),
        (200, {}),
        (200, {"cards": [{"summary": "x", "indicator": "hard-stop", "source": {"label": "x"}}]}),
    ],
)
def test_a_faulty_answer_is_seen(status: int, body: dict[str, Any]) -> None:
    assert wrong(status, orjson.dumps(body))


def test_a_card_that_cites_nothing_known_is_seen() -> None:
    answer = example("patient-view.response")
    assert wrong(200, orjson.dumps(answer)) == []
    answer["cards"][0]["extension"]["osteon.explanation"]["recommendations"][0]["id"] = "uppsala.no-such-statement"
    assert wrong(200, orjson.dumps(answer))
