"""Writes the published interface: openapi/openapi.json and the example answers in openapi/examples.

What is written is the same every time: card and suggestion ids are replaced by ones that are made from their position.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI

from app.api.ports import Pipeline
from app.api.self_test import SAMPLE_DAY
from app.cds_hooks.discovery import discovery
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.decoding.call import decode_call

_NAMESPACE = uuid.UUID("7c7a0d1e-52f5-4c0b-8f3f-0f8b3c9b2f11")
_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def written(document: Mapping[str, Any]) -> bytes:
    """A document as in the repository."""
    return orjson.dumps(document, option=_OPTIONS)


def example_answers(pipeline: Pipeline, examples: Path) -> dict[str, dict[str, Any]]:
    """The example answers by file name: discovery, and the sample patient's cards."""
    service = SERVICES_BY_ID["osteoporosis-patient-view"]
    request = read_request(decode_call((examples / "patient-view.request.json").read_bytes()), service)
    answer = pipeline.answer(request, today=SAMPLE_DAY).to_json()
    return {"discovery.response.json": discovery(), "patient-view.response.json": with_stable_ids(answer)}


def with_stable_ids(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with ids that depend on nothing but the position of card and suggestion."""
    cards = []
    for position, card in enumerate(answer["cards"]):
        stable = {**card, "uuid": str(uuid.uuid5(_NAMESPACE, f"card {position}"))}
        if "suggestions" in card:
            stable["suggestions"] = [
                {**suggestion, "uuid": str(uuid.uuid5(_NAMESPACE, f"card {position} suggestion {place}"))}
                for place, suggestion in enumerate(card["suggestions"])
            ]
        cards.append(stable)
    return {**answer, "cards": cards}


def write(app: FastAPI, folder: Path) -> None:
    """Write the OpenAPI document into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "openapi.json").write_bytes(written(app.openapi()))


def write_examples(pipeline: Pipeline, examples: Path) -> None:
    """Write the example answers beside the example requests."""
    for name, answer in example_answers(pipeline, examples).items():
        (examples / name).write_bytes(written(answer))
