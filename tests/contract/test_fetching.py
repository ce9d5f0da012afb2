"""Asking the FHIR server of a call for what was left out: the way through the service, with a client that is a fake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from app.chart import Availability, Source
from app.main import create_app
from app.outbound.fhir_client import FetchResult, FhirClient
from app.outbound.settings import FhirClientSettings
from app.settings import Settings
from tests.conftest import TODAY, Client
from tests.support import calls
from tests.support.fake import FakePipeline, passing

SERVER = "https://ehr.test/r4"
PATIENT = {"resourceType": "Patient", "id": "p1"}


class FakeClient(FhirClient):
    """Answers from a table; what is not in it fails."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__(FhirClientSettings(fhir_servers=(SERVER,)))
        self.answers = answers
        self.asked: list[dict[str, Any]] = []

    async def fetch_missing(self, **arguments: Any) -> Mapping[str, FetchResult]:
        self.asked.append(arguments)
        return {
            key: FetchResult(self.answers[key]) if key in self.answers else FetchResult(failure="status")
            for key in arguments["keys"]
        }


def client_with(fhir: FakeClient, pipeline: FakePipeline) -> Client:
    app = create_app(pipeline=pipeline, settings=Settings(), today=lambda: TODAY, self_test=passing, fhir_client=fhir)
    return Client(app)


ANSWERS = {"patient": PATIENT, "observations": calls.bundle(calls.observation()), "medications": calls.bundle()}


def test_a_call_without_prefetch_is_answered_from_the_server(pipeline: FakePipeline) -> None:
    """PFD-2, FHIR-1: with the token of the call; a query that failed makes its key unknown, not the call fail."""
    fhir = FakeClient(ANSWERS)
    token = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300, "scope": "s", "subject": "x"}
    body = {**calls.without(calls.patient_view(), "prefetch"), "fhirServer": SERVER, "fhirAuthorization": token}
    assert client_with(fhir, pipeline).call(body).status_code == 200
    (asked,) = fhir.asked
    assert asked["authorization"].access_token == "t0ken"
    assert asked["keys"]["observations"] == "Observation?patient=p1"
    records = pipeline.requests[0].records
    assert records.availability[Source.OBSERVATIONS] is Availability.PROVIDED
    assert records.availability[Source.CONDITIONS] is Availability.FAILED


@pytest.mark.parametrize("missing", ["patient", "observations", "medications"])
def test_required_data_that_cannot_be_had_either_way_is_412(pipeline: FakePipeline, missing: str) -> None:
    """PFD-7: neither by prefetch nor from the server."""
    fhir = FakeClient({key: value for key, value in ANSWERS.items() if key != missing})
    body = {**calls.without(calls.patient_view(), "prefetch"), "fhirServer": SERVER}
    response = client_with(fhir, pipeline).call(body)
    assert response.status_code == 412
    assert re.search(rf"{missing}( \(or medicationRequests\))? \(status\)", response.text), response.text


def test_a_server_that_is_not_listed_is_not_called(pipeline: FakePipeline) -> None:
    """FHIR-4: the call is answered from prefetch, or 412."""
    fhir = FakeClient(ANSWERS)
    client = client_with(fhir, pipeline)
    elsewhere = {"fhirServer": "https://other.test/r4"}
    assert client.call({**calls.patient_view(), **elsewhere}).status_code == 200
    response = client.call({**calls.without(calls.patient_view(), "prefetch"), **elsewhere})
    assert response.status_code == 412
    assert "observations (not-listed)" in response.text
    assert fhir.asked == []
    assert 'osteon_fhir_queries_total{key="observations",result="not-listed"} 1.0' in client.get("/metrics").text


def test_without_a_listed_server_the_reason_is_the_same(client: Client) -> None:
    """PFD-7: who has not set OSTEON_FHIR_SERVERS is told that this server is not listed."""
    body = {**calls.without(calls.patient_view(), "prefetch"), "fhirServer": SERVER}
    response = client.call(body)
    assert response.status_code == 412
    assert "observations (not-listed)" in response.text


def test_what_came_by_prefetch_is_not_asked_again(pipeline: FakePipeline) -> None:
    """PFD-3, FHIR-5: only the keys that were left out."""
    fhir = FakeClient({})
    body = calls.patient_view(**dict.fromkeys((source.value for source in Source), None))
    assert client_with(fhir, pipeline).call({**body, "fhirServer": SERVER}).status_code == 200
    assert fhir.asked == []


def test_queries_are_counted_by_key_and_result(pipeline: FakePipeline) -> None:
    """FHIR-5: so that a slow or refusing server shows."""
    client = client_with(FakeClient({"conditions": calls.bundle()}), pipeline)
    client.call({**calls.patient_view(), "fhirServer": SERVER})
    text = client.get("/metrics").text
    assert 'osteon_fhir_queries_total{key="conditions",result="ok"} 1.0' in text
    assert 'osteon_fhir_queries_total{key="procedures",result="status"} 1.0' in text
