"""What is counted of codes that are not recognised: kind and system, once per chart."""

from __future__ import annotations

import json
from typing import Any

import orjson

from app.api.metrics import Metrics, tally_of
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.decoding.call import decode_call
from tests.clinical.cases import TODAY
from tests.property.patients import pipeline

LOCAL = "urn:oid:1.2.3.4.5"
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-01-01"}

EMPTY = {"resourceType": "Bundle", "type": "searchset", "entry": []}


def drug(id: str, *codings: tuple[str, str]) -> dict[str, Any]:
    coded = [{"system": system, "code": code} for system, code in codings]
    return {
        "resourceType": "MedicationStatement",
        "id": id,
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"coding": coded, "text": "for Anna"},
    }


def body(key: str, *records: dict[str, Any]) -> dict[str, Any]:
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": record} for record in records]}
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p"},
        "prefetch": {"patient": PATIENT, "observations": EMPTY, "medications": EMPTY, key: bundle},
    }


def counted(key: str, *records: dict[str, Any]) -> dict[tuple[str, str], int]:
    request = read_request(decode_call(orjson.dumps(body(key, *records))), SERVICES_BY_ID["osteoporosis-patient-view"])
    return dict(pipeline().chart(request, today=TODAY).unrecognised)


def test_a_code_counts_once_however_many_records_carry_it() -> None:
    records = [drug(str(number), (LOCAL, "ALEN70")) for number in range(3)]
    assert counted("medications", *records) == {("medication", "other"): 1}


def test_the_system_is_a_name_of_the_tables() -> None:
    unknown = ("http://www.nlm.nih.gov/research/umls/rxnorm", "99999999")
    assert counted("medications", drug("1", unknown)) == {("medication", "rxnorm"): 1}


def test_a_known_code_beside_it_counts_for_the_concept() -> None:
    alendronate = ("http://www.whocc.no/atc", "M05BA04")
    assert counted("medications", drug("1", (LOCAL, "A"), alendronate), drug("2", alendronate)) == {}


def test_a_contained_medication_and_an_observation_count_too() -> None:
    contained = {"resourceType": "Medication", "id": "m", "code": {"coding": [{"system": LOCAL, "code": "X"}]}}
    statement = drug("1") | {"contained": [contained], "medicationReference": {"reference": "#m"}}
    del statement["medicationCodeableConcept"]
    assert counted("medications", statement) == {("medication", "other"): 1}
    result = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": LOCAL, "code": "CREA"}]},
        "valueQuantity": {"value": 1},
    }
    assert counted("observations", result) == {("observation", "other"): 1}


def test_the_metric_tells_kind_and_system_and_nothing_of_the_chart() -> None:
    request = read_request(
        decode_call(orjson.dumps(body("medications", drug("1", (LOCAL, "ALEN70"))))),
        SERVICES_BY_ID["osteoporosis-patient-view"],
    )
    answer = pipeline().answer(request, today=TODAY)
    metrics = Metrics(version="1")
    metrics.answered("osteoporosis-patient-view", tally_of(answer))
    text = metrics.render().decode()
    assert 'osteon_unrecognised_codes_total{kind="medication",system="other"} 1.0' in text
    assert "ALEN70" not in text
    assert LOCAL not in text
    assert "unrecognised" not in json.dumps(answer.to_json(), default=str)
