"""Time is linear in size: each structure of a chart at n, 2n and 4n, counted in executed lines, not in seconds."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest

from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import read_request
from app.decoding.call import decode_call
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from tests.growth.counting import growth, lines_of
from tests.growth.structures import STRUCTURES

N = 50
LIMIT = 2.6
"""Above n log n (2.3 here) with room for steps; quadratic work gives 4 where it dominates."""

SERVICE_OF = {service.hook.value: service for service in SERVICES}


@pytest.fixture(scope="module")
def pipeline() -> OsteonPipeline:
    return build_pipeline(Settings())


def answer(pipeline: OsteonPipeline, body: dict[str, Any], raw: bytes) -> None:
    call = read_request(decode_call(raw), SERVICE_OF[body["hook"]])
    call.records.require()
    orjson.dumps(pipeline.answer(call, today=date(2026, 11, 22)).to_json())


def growth_of(pipeline: OsteonPipeline, name: str, n: int) -> float:
    def cost(size: int) -> int:
        body = STRUCTURES[name](size)
        raw = orjson.dumps(body)
        answer(pipeline, body, raw)  # what is remembered from one call to the next is not counted
        return lines_of(lambda: answer(pipeline, body, raw))

    return growth(cost, n)


@pytest.mark.parametrize("name", sorted(STRUCTURES))
def test_time_is_linear_in_size(pipeline: OsteonPipeline, name: str) -> None:
    # A step (another kind of card, from some size on) shows at one size; growth at each.
    assert growth_of(pipeline, name, N) < LIMIT or growth_of(pipeline, name, 3 * N) < LIMIT


def test_the_count_tells_quadratic_from_linear() -> None:
    """The test itself: comparisons of all pairs fail, a walk over all does not."""
    assert growth(lambda n: n * n, 50) == 4.0
    assert growth(lambda n: 1000 + 3 * n, 50) == 2.0
    assert len(STRUCTURES) >= 47
