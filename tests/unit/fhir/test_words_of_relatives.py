"""Words about relatives in a Condition make a family fact (decision 58); unclear words leave a DXA unknown."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.chart import Chart
from app.decoding.call import decode_call
from app.features import PatientFeatures
from app.features.model import Feature
from tests.clinical.cases import TODAY
from tests.property.patients import pipeline

SUBJECT = {"reference": "Patient/p"}


def bundle(*records: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": record} for record in records]}


def chart_of(key: str, record: dict[str, Any]) -> Chart:
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p"},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-01-01"},
            "observations": bundle(),
            "medications": bundle(),
            "familyHistory": bundle(),
            "procedures": bundle(),
            "conditions": bundle(),
            key: bundle(record),
        },
    }
    request = read_request(decode_call(orjson.dumps(body)), SERVICES_BY_ID["osteoporosis-patient-view"])
    return pipeline().chart(request, today=TODAY)


def feature(name: str, key: str, record: dict[str, Any]) -> Feature:
    return PatientFeatures(chart_of(key, record), pipeline().feature_settings).feature(name)


def condition(text: str) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": "c", "subject": SUBJECT, "code": {"text": text}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Mother: hip fracture", True),
        ("Mother hip fracture", True),
        ("Hip fracture (mother)", True),
        ("Father had hip fracture", True),
        ("Mor: höftfraktur", True),
        ("母亲髋部骨折", True),
        ("FH: hip fracture", None),  # a relative, not told which
        ("Mother and sister hip fracture", None),
        ("Maternal grandmother hip fracture", False),
        ("Mormor höftfraktur", False),
        ("Sister: hip fracture", False),
        ("Mother: wrist fracture", False),
        ("Hip fracture", False),  # the patient's own
    ],
)
def test_a_hip_fracture_of_a_parent_in_words(text: str, value: bool | None) -> None:
    assert feature("parental_hip_fracture", "conditions", condition(text)).value is value


@pytest.mark.parametrize("text", ["Mother: hip fracture", "FH: hip fracture"])
def test_it_is_no_fracture_of_the_patient(text: str) -> None:
    chart = chart_of("conditions", condition(text))
    assert (chart.fractures, chart.conditions) == ((), ())


def test_osteoporosis_in_the_family_in_words() -> None:
    assert feature("family_osteoporosis", "conditions", condition("Family history of osteoporosis")).value is True
    assert feature("family_osteoporosis", "conditions", condition("Osteoporosis")).value is False


@pytest.mark.parametrize("kind", ["Procedure", "DiagnosticReport"])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Bone density scan", True),
        ("Bone density quux report", None),  # it can have been a DXA
        ("DXA hip zorp", None),
        ("Chest x-ray", False),
        ("Tooth extraction quux", False),  # not understood, but nothing of a DXA
        ("DXA declined by patient", False),
    ],
)
def test_unclear_words_leave_open_whether_a_dxa_was_done(kind: str, text: str, value: bool | None) -> None:
    status = "completed" if kind == "Procedure" else "final"
    record = {"resourceType": kind, "id": "x", "status": status, "subject": SUBJECT, "code": {"text": text}}
    key = "procedures" if kind == "Procedure" else "reports"
    assert feature("dxa_done", key, record).value is value
