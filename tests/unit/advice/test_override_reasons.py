"""The reasons for not following a card fit its advice."""

from __future__ import annotations

import pytest

from app.cards.override_reasons import EMERGENCY, LEFT_OUT, STOPS_ORDER
from app.cards.wording import wording_in
from app.cds_hooks.feedback import CODES
from app.engine.linker import load_knowledge
from app.vocabulary import TOPICS


def offered(advice: str, topic: str) -> set[str]:
    return {reason.code for reason in wording_in(load_knowledge(), "en").override_reasons(advice, topic)}


@pytest.mark.parametrize(
    ("advice", "topic", "left_out"),
    [
        ("complete-risk-data", "data-needed", {"patient-contraindication", "recipient-disagrees-evidence"}),
        ("do-not-start-drug", "drug-safety", {"action-completed", "patient-refuses", "not-convenient-feasible"}),
        ("refer-dxa", "dxa-referral", {"patient-contraindication"}),
        ("emergency-cord-compression", "red-flag", {"recipient-disagrees-evidence", "not-convenient-feasible"}),
    ],
)
def test_a_reason_that_cannot_be_meant_is_not_offered(advice: str, topic: str, left_out: set[str]) -> None:
    found = offered(advice, topic)
    assert found.isdisjoint(left_out)
    assert "cds-not-applicable" in found


def test_a_treatment_can_be_declined_for_every_reason() -> None:
    assert offered("start-bone-drug", "treatment") == CODES


def test_every_topic_and_advice_is_known() -> None:
    assert set(LEFT_OUT) == set(TOPICS)
    assert set().union(*LEFT_OUT.values()) <= CODES
    assert set(load_knowledge().advice) >= {*STOPS_ORDER, EMERGENCY}


def test_every_advice_keeps_reasons() -> None:
    for kind in load_knowledge().advice.values():
        assert len(offered(kind.id, kind.block.topic)) >= 2, kind.id
