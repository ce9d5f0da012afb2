"""Whether the service may be sent calls: a built-in case comes out as published, and calls do not fail.

The built-in case is the sample patient of openapi/examples.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any

import orjson

from app.api.logs import error_fields, logger
from app.api.ports import Pipeline
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.data_files import data_path
from app.decoding.call import decode_call

SAMPLE_DAY = date(2026, 11, 22)
"""The day that the examples are made for."""

FAULTS = 3
"""Calls in succession that end in a fault, after which the service says that it is not ready."""

RED_SECONDS = 30.0
"""How long that holds, unless a call succeeds. Then the built-in case decides again."""

_SERVICE_ID = "osteoporosis-patient-view"


class SelfTestFailed(Exception):
    """The sample patient did not get the advice that openapi/examples/patient-view.response.json holds."""


class Readiness:
    """Runs the self-test until it has passed, and again after calls have failed in succession."""

    def __init__(self, self_test: Callable[[], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._self_test = self_test
        self._clock = clock
        self._passed = False
        self._faults = 0
        self._last_fault = 0.0

    def ready(self) -> bool:
        """Whether calls may be sent here. A failed self-test is logged, and tried again with the next probe."""
        if self._faults >= FAULTS:
            if self._clock() - self._last_fault < RED_SECONDS:
                return False
            self._faults, self._passed = 0, False
        if not self._passed:
            try:
                self._self_test()
            except Exception as error:  # any fault of the self-test means "not ready", and is logged
                logger().error("self-test failed", **error_fields(error))
                return False
            self._passed = True
        return True

    def call_ended(self, *, fault: bool) -> None:
        """Note how a call ended; only a fault of the service itself (500) counts against it."""
        self._faults = self._faults + 1 if fault else 0
        if fault:
            self._last_fault = self._clock()
            if self._faults == FAULTS:
                logger().error("calls fail", count=self._faults, outcome="not ready")


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
