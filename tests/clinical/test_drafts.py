"""Draft orders that cannot be addressed."""

from __future__ import annotations

from app.cases.builder import Builder
from tests.clinical.cases import TODAY
from tests.conftest import Client

UNSAFE = {
    "profile": "intl",
    "hook": "order-sign",
    "patient": {"sex": "female", "age": 72},
    "observations": [
        {"concept": "crcl", "value": 22, "unit": "mL/min", "days_ago": 20},
        {"concept": "calcium_total", "value": 2.3, "days_ago": 20, "reference_low": 2.15, "reference_high": 2.5},
        {"concept": "dxa_t_score", "site": "total_hip", "value": -2.9, "days_ago": 60},
    ],
    "draft_orders": [{"concept": "alendronate", "route": "oral", "dose_mg": 70, "every_days": 7}],
}


def test_a_draft_without_an_id_is_named_but_nothing_is_ordered_beside_it(osteon: Client) -> None:
    request = Builder(UNSAFE, TODAY).request()
    with_id = osteon.call(request, service="osteoporosis-order-sign").json()
    del request["context"]["draftOrders"]["entry"][0]["resource"]["id"]
    without = osteon.call(request, service="osteoporosis-order-sign").json()
    topics = [card["source"]["topic"]["code"] for card in with_id["cards"]]
    assert topics == [card["source"]["topic"]["code"] for card in without["cards"]]
    assert topics[:2] == ["drug-safety", "drug-switch"]
    actions = [a for c in with_id["cards"] for s in c.get("suggestions", []) for a in s["actions"]]
    assert {"create", "delete"} == {action["type"] for action in actions}
    assert not any(card.get("suggestions") for card in without["cards"])
