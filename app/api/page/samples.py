"""The shipped patients: the requests of openapi/examples as if they had been recorded for today."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson

from app.api.self_test import SAMPLE_DAY
from app.data_files import data_path

_DATE = re.compile(r'"(\d{4}-\d\d-\d\d)"')


@dataclass(frozen=True, slots=True)
class Sample:
    """A shipped patient. `name`: that of the file in openapi/examples, without `.request.json`."""

    name: str
    title: str


SAMPLES = (
    Sample("long-history", "78-year-old woman: 14 years of bone drugs, denosumab overdue"),
    Sample("patient-view", "71-year-old woman: prednisolone, forearm fracture, no DXA"),
    Sample("order-select", "71-year-old woman: alendronate selected, low kidney function"),
    Sample("order-sign", "71-year-old woman: alendronate to be signed, low kidney function"),
    Sample("encounter-start", "71-year-old woman: start of a visit"),
    Sample("encounter-discharge", "71-year-old woman: leaves hospital after a hip fracture"),
    Sample("problem-list-item-create", "71-year-old woman: a new fracture is entered"),
    Sample("medication-refill", "71-year-old woman: alendronate renewed after six years"),
    Sample("allergyintolerance-create", "71-year-old woman: alendronate not tolerated"),
)
"""The patients that the page offers, the first one first."""


def sample_request(name: str, today: date) -> dict[str, Any]:
    """A sample request with all full dates moved along from the day that it was made for. KeyError for another name."""
    if name not in {sample.name for sample in SAMPLES}:
        raise KeyError(name)
    text = data_path("openapi", "examples", f"{name}.request.json").read_text(encoding="utf-8")
    shift = today - SAMPLE_DAY
    request: dict[str, Any] = orjson.loads(_DATE.sub(lambda match: f'"{_moved(match[1], shift)}"', text))
    return request


def _moved(day: str, shift: timedelta) -> str:
    return (date.fromisoformat(day) + shift).isoformat()
