"""The engine agrees with the oracle on 2,000 random patients (100,000: `python -m tests.oracle`)."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest

from tests.oracle.compare import Comparison
from tests.oracle.plain import Between, Oracle, Value

SETS, SEED = 2_000, 1


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return Comparison()


def test_engine_and_oracle_agree(comparison: Comparison) -> None:
    assert list(itertools.islice(comparison.differences(SETS, SEED), 5)) == []


def test_random_patients_reach_all_three_truths(comparison: Comparison) -> None:
    """A comparison of nothing but unknown criteria would agree with any engine."""
    import random

    drawn = random.Random(SEED)  # test data
    seen: dict[str, set[bool | None]] = {}
    for _ in range(60):
        oracle = Oracle(comparison.patient(drawn), comparison.named)
        for criterion in comparison.criteria:
            seen.setdefault(criterion.place, set()).add(oracle.truth(criterion.tree))
    all_three = [place for place, truths in seen.items() if truths == {True, False, None}]
    assert len(all_three) > 0.8 * len(seen)


def test_an_engine_with_another_reading_is_seen(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown taken for false, the fault that hurts."""
    plain = Oracle.truth

    def unknown_is_false(self: Oracle, tree: Any) -> bool | None:
        return plain(self, tree) or False

    monkeypatch.setattr(Oracle, "truth", unknown_is_false)
    assert next(comparison.differences(5, SEED), None) is not None


@pytest.mark.parametrize(
    ("value", "comparison", "truth"),
    [
        (Decimal(20), {"below": 20}, False),
        (Decimal("19.9"), {"below": 20}, True),
        (Decimal(20), {"at_most": 20}, True),
        (Between(Decimal(20), None), {"at_least": 20}, True),
        (Between(Decimal(20), None), {"above": 20}, None),
        (Between(Decimal(20), None, low_open=True), {"above": 20}, True),
        (Between(Decimal(10), Decimal(30)), {"above": 20}, None),
        (Between(None, Decimal(20), high_open=True), {"below": 20}, True),
        (Between(None, Decimal(20)), {"below": 20}, None),
        (None, {"below": 20}, None),
    ],
)
def test_the_oracle_by_hand(value: Value, comparison: dict[str, Any], truth: bool | None) -> None:
    assert Oracle({"bmi": value}, {}).truth({"bmi": comparison}) is truth
