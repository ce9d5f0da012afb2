"""Probes, metrics, knowledge and the page: what those who run the service and those who look at it get."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app import __version__
from app.api.self_test import Readiness
from tests.conftest import Client, ClientMaker
from tests.support import calls
from tests.support.fake import BrokenPipeline, FakePipeline, passing


def failing() -> None:
    raise AssertionError("SECRET reason")


def test_alive(client: Client) -> None:
    """Contract section 6: the process answers."""
    assert client.get("/health/live").json() == {"status": "alive"}


def test_ready_is_the_self_test(make_client: ClientMaker) -> None:
    """Contract section 6: ready where the built-in case comes out, else 503; alive in both cases."""
    assert make_client().get("/health/ready").json() == {"status": "ready"}
    broken = make_client(self_test=failing)
    response = broken.get("/health/ready")
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert response.json()["resourceType"] == "OperationOutcome"
    assert "SECRET" not in response.text
    assert broken.get("/health/live").status_code == 200


def test_the_self_test_runs_until_it_passes(make_client: ClientMaker) -> None:
    """Contract section 6: a passed self-test is not repeated with each probe, a failed one is."""
    runs: list[int] = []

    def second_time() -> None:
        runs.append(1)
        if len(runs) < 2:
            failing()

    client = make_client(self_test=second_time)
    assert [client.get("/health/ready").status_code for _ in range(3)] == [503, 200, 200]
    assert len(runs) == 2


def test_calls_that_fail_turn_readiness_red(make_client: ClientMaker) -> None:
    """Three faults in succession, however good the self-test; one or two are a chart's own trouble."""
    client = make_client(pipeline=BrokenPipeline())
    states = []
    for _ in range(4):
        states.append(client.get("/health/ready").status_code)
        client.call(calls.patient_view())
    assert states == [200, 200, 200, 503]
    assert client.get("/health/live").status_code == 200


def test_readiness_comes_back() -> None:
    """After a call that succeeds at once; without calls after half a minute, by the self-test."""
    now = 0.0
    readiness = Readiness(passing, clock=lambda: now)
    for _ in range(3):
        readiness.call_ended(fault=True)
    assert not readiness.ready()
    readiness.call_ended(fault=False)
    assert readiness.ready()
    for _ in range(3):
        readiness.call_ended(fault=True)
    now = 29.0
    assert not readiness.ready()
    now = 31.0
    assert readiness.ready()


def test_metrics_count_requests_by_route(client: Client) -> None:
    """Contract section 6: labels are templates, never paths of the client."""
    client.call(calls.patient_view())
    client.get("/nothing/anna-berg")
    client.request("BREW", "/cds-services")
    text = client.get("/metrics").text
    assert 'method="POST",route="/cds-services/{service_id}",status="200"} 1.0' in text
    assert 'method="GET",route="unmatched",status="404"} 1.0' in text
    assert 'method="other"' in text
    assert "anna-berg" not in text
    assert f'osteon_build_info{{version="{__version__}"}} 1.0' in text


def test_metrics_count_advice_and_what_is_missing(client: Client) -> None:
    """Contract section 6: from the explanation of the cards."""
    client.call(calls.patient_view())
    text = client.get("/metrics").text
    assert f'osteon_advice_total{{advice="refer-dxa",service="{calls.PATIENT_VIEW}"}} 1.0' in text
    assert 'osteon_missing_data_total{feature="t_score"} 1.0' in text
    assert 'osteon_set_aside_records_total{reason="entered-in-error"} 1.0' in text


def test_apps_have_their_own_metrics(make_client: ClientMaker) -> None:
    """Contract section 6: two apps in one process do not share counters."""
    one, two = make_client(), make_client()
    one.call(calls.patient_view())
    assert "osteon_advice_total{" not in two.get("/metrics").text


class Knowledge:
    def read(self, resource_type: str, resource_id: str) -> dict[str, Any] | None:
        return {"resourceType": resource_type, "id": resource_id} if resource_id in ("card-topic", "osteon") else None

    def search(
        self, resource_type: str, *, base: str | None = None, by: Mapping[str, str] | None = None
    ) -> dict[str, Any] | None:
        return {"resourceType": "Bundle", "id": f"{base}/{resource_type}", "by": dict(by or {})}


def test_knowledge_as_fhir(make_client: ClientMaker) -> None:
    """Contract section 6: as application/fhir+json; what is not there is a 404 outcome."""
    client = make_client(knowledge=Knowledge(), public_base_url="https://osteon.test/cds/")
    for kind in ("CodeSystem", "ValueSet", "PlanDefinition", "ConceptMap", "Library"):
        found = client.get(f"/fhir/{kind}/card-topic")
        assert found.json() == {"resourceType": kind, "id": "card-topic"}
        assert found.headers["content-type"] == "application/fhir+json"
        assert client.get(f"/fhir/{kind}/nothing").status_code == 404
        assert client.get(f"/fhir/{kind}").json()["id"] == f"https://osteon.test/cds/fhir/{kind}"
    assert client.get("/fhir/metadata").json()["resourceType"] == "CapabilityStatement"


def test_what_a_search_is_by(make_client: ClientMaker) -> None:
    client = make_client(knowledge=Knowledge())
    found = client.get("/fhir/ValueSet?url=urn:osteon:valueset:dialysis&status=draft&_format=json").json()
    assert found["by"] == {"url": "urn:osteon:valueset:dialysis", "status": "draft"}
    wrong = client.get("/fhir/ValueSet?titel=x")
    assert wrong.status_code == 400
    assert wrong.json()["resourceType"] == "OperationOutcome"
    assert "'titel'; there are url, version, status, name, title" in wrong.text


def test_the_documentation_serves_its_own_files(client: Client) -> None:
    """Contract section 6: /docs works without internet."""
    page = client.get("/docs").text
    files = re.findall(r"(?:src|href)=\"(/static[^\"]+)\"", page)
    assert len(files) >= 2
    for file in files:
        assert client.get(file).status_code == 200


def test_answers_are_not_cached_or_sniffed(client: Client) -> None:
    """TLS-1: cards hold patient data; no proxy keeps them."""
    headers = client.call(calls.patient_view()).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_small_and_large_charts_get_the_same_answer(client: Client, pipeline: FakePipeline) -> None:
    """RESP-5: where a large chart is worked on changes nothing but the load on the event loop."""
    small = client.call(calls.patient_view()).json()
    large = client.call(calls.patient_view(observations=calls.bundle(*map(calls.observation, range(3_000))))).json()
    assert small["cards"][0]["summary"] == large["cards"][0]["summary"]
    assert len(pipeline.requests[1].records.entries) == 3_000
