"""Readers of text, and texts that are made to hold them up. Material of the growth test of texts."""

from __future__ import annotations

from datetime import date

import orjson

from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import read_request
from app.decoding.call import decode_call
from app.pipeline import build_pipeline
from app.settings import Settings
from tests.growth.structures import concept, cond, med, obs, request


def read_one_chart() -> None:
    """Answer a call that uses the readers of text, so that everything that is compiled late is compiled."""
    words = "T-score lumbar spine -2,4. Hip fracture L1 left"
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": {"text": "dxa"},
        "effectiveDateTime": "2026-09-01",
        "conclusion": words,
    }
    body = request(
        observations=[
            obs(1),
            {k: v for k, v in obs(2, "38267-1").items() if k != "valueQuantity"} | {"valueString": "-2,4 SD"},
        ],
        conditions=[cond(1, code=concept(text=words)), cond(2, code="S72.0")],
        medications=[med(1, concept={"text": "Alendronat 70 mg"}, dosage=[{"text": "1 tablett varje vecka"}])],
        diagnosticReports=[report],
    )
    call = read_request(decode_call(orjson.dumps(body)), next(s for s in SERVICES if s.hook.value == "patient-view"))
    build_pipeline(Settings()).answer(call, today=date(2026, 11, 22))
