"""Every limit of the guideline files is noticed: moved by one step, or read the other way, some case changes.

In process and without HTTP, so that all limits are moved in seconds (tests/clinical/moving.py).
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.engine.knowledge import Knowledge
from app.engine.linker import load_knowledge
from tests.clinical.moving import Movers, Place, moved, moves, places, says, situations

EXCUSED: dict[str, str] = {}
"""Moves that no case can notice (as `unnoticed` prints them), each with the reason why."""


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="module")
def movers(knowledge: Knowledge) -> Movers:
    return Movers(knowledge, situations())


def test_every_limit_has_cases_at_it_and_one_step_beside_it(movers: Movers, knowledge: Knowledge) -> None:
    unnoticed = [line for place in places(knowledge) for line in movers.unnoticed(place)]
    assert sorted(set(unnoticed) - set(EXCUSED)) == []
    assert sorted(set(EXCUSED) - set(unnoticed)) == [], "excused, but noticed"


def test_all_limits_of_rules_that_can_be_cited_are_moved(knowledge: Knowledge) -> None:
    """The listing misses nothing: each limit below such a rule is the limit of some place."""
    listed = {place.leaf for place in places(knowledge)}
    for rule in knowledge.rules.values():
        if rule.citable:
            leaves = {leaf for node in (rule.when, rule.rides_when) for leaf in node.leaves() if hasattr(leaf, "limit")}
            assert leaves <= listed, rule.id


def test_a_limit_without_cases_beside_it_would_be_seen(movers: Movers, knowledge: Knowledge) -> None:
    far = [case for case in movers.cases if "limit" not in case.tags]
    assert any(Movers(knowledge, far).unnoticed(place) for place in places(knowledge))


def test_moving_changes_only_the_limit_that_is_meant(movers: Movers, knowledge: Knowledge) -> None:
    place = the_place(knowledge, "uppsala.contra.alendronate-crcl-below-30")
    rule = knowledge.rules[place.owner]
    new = dict(moves(place.leaf))
    assert new["one step higher"].limit == place.leaf.limit + 1
    assert new["as at_most"].limit == Decimal(30)
    other = moved(rule, place, new["one step higher"])
    assert "31" in str(other.when)
    assert "31" not in str(rule.when)
    at_30 = next(one for one in movers.cases if one.features.feature(place.leaf.name).value == Decimal(30))
    assert says(rule, at_30.features) != says(other, at_30.features)


def the_place(knowledge: Knowledge, owner: str) -> Place:
    return next(place for place in places(knowledge) if place.owner == owner)
