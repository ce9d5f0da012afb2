"""1,500 orders with the same problem: few cards, a short answer, and what the cards list is bounded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import orjson
import pytest

from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import read_request
from app.decoding.call import decode_call
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from tests.growth.structures import bundle, med, obs, request

ORDERS = 1500
SIGN = next(service for service in SERVICES if service.hook.value == "order-sign")
Draft = Callable[[int], dict[str, Any]]


def order(i: int, **more: Any) -> dict[str, Any]:
    return med(i, kind="MedicationRequest", status="draft", intent="order", **more)


SHAPES: dict[str, tuple[Draft, int, int]] = {
    "one drug": (order, 1, 4_000),
    "one drug, a name for each": (lambda i: order(i, concept={"text": f"Alendronat {i} mg"}), 1, 4_000),
    "every other not recognised": (lambda i: order(i, concept={"text": f"Qwert {i}"}) if i % 2 else order(i), 1, 6_000),
    # The evidence names each of the orders that are in conflict.
    "three drugs": (lambda i: order(i, code=("M05BA04", "M05BX04", "M05BA07")[i % 3]), 3, 250_000),
}


@pytest.fixture(scope="module")
def pipeline() -> OsteonPipeline:
    return build_pipeline(Settings())


@pytest.mark.parametrize("shape", SHAPES)
def test_many_orders_give_few_cards(pipeline: OsteonPipeline, shape: str) -> None:
    make, cards, size = SHAPES[shape]
    drafts = bundle([make(i) for i in range(ORDERS)])
    body = request(hook="order-sign", observations=[obs(1)], context={"draftOrders": drafts})
    call = read_request(decode_call(orjson.dumps(body)), SIGN)
    raw = orjson.dumps(pipeline.answer(call, today=date(2026, 11, 22)).to_json())
    answer = orjson.loads(raw)
    assert 1 <= len(answer["cards"]) <= cards
    assert len(raw) < size
    assert all(len(card["summary"]) <= 140 and len(card["detail"]) < 2_000 for card in answer["cards"])
    assert any(" orders: " in card["detail"] for card in answer["cards"])
