"""The built-in case that decides whether the service is ready: the sample patient of openapi/examples."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import orjson

from app.api.ports import Pipeline
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.data_files import data_path
from app.decoding.call import decode_call

SAMPLE_DAY = date(2026, 11, 22)
"""The day that the examples are made for."""

_SERVICE_ID = "osteoporosis-patient-view"


class SelfTestFailed(Exception):
    """The sample patient did not get the advice that openapi/examples/patient-view.response.json holds."""


def sample_case(pipeline: Pipeline) -> Callable[[], None]:
    """A self-test that compares the advice for the sample patient with the published example."""

    def run() -> None:
        request = read_request(decode_call(_text("patient-view.request")), SERVICES_BY_ID[_SERVICE_ID])
        request.records.require()
        answer = pipeline.answer(request, today=SAMPLE_DAY).to_json()
        if advice_of(answer) != advice_of(_example("patient-view.response")):
            raise SelfTestFailed

    return run


def advice_of(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Topic and advice of each card, sorted: what must not change unnoticed."""
    return sorted(
        (
            str(card["source"].get("topic", {}).get("code")),
            str(card.get("extension", {}).get("osteon.explanation", {}).get("advice")),
        )
        for card in answer["cards"]
    )


def _example(name: str) -> Any:
    return orjson.loads(_text(name))


def _text(name: str) -> bytes:
    return data_path("openapi", "examples", f"{name}.json").read_bytes()
