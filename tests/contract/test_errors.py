"""JSON, media types, limits, faults: everything that is not a 200."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from app.api.admission import Admission
from app.api.body import received_body
from app.cds_hooks.errors import BodyTimeout
from tests.conftest import Client, ClientMaker
from tests.support import calls
from tests.support.fake import BrokenPipeline, FakePipeline

URL = f"/cds-services/{calls.PATIENT_VIEW}"
JSON = {"Content-Type": "application/json"}
GOOD = json.dumps(calls.patient_view()).encode()


def is_outcome(response: httpx.Response, status: int) -> str:
    """The answer is an OperationOutcome of this status; gives its text."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/fhir+json"
    body = response.json()
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert issue["severity"] == "error"
    assert issue["code"]
    assert "cards" not in body
    text: str = issue["diagnostics"]
    return text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'hook': 1}",
        b'{"hook": "patient-view",}',
        b"// comment\n{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        "{}".encode("utf-16"),
        b"{} {}",
    ],
)
def test_what_is_not_json_is_refused(client: Client, body: bytes) -> None:
    """JSON-1, HTTP-2: RFC 8259 without extensions."""
    is_outcome(client.post(URL, content=body, headers=JSON), 400)


@pytest.mark.parametrize("depth", [300, 2_000, 200_000])
def test_deep_nesting_is_refused(client: Client, depth: int) -> None:
    """HTTP-2: a depth bomb is a 400, not a crash."""
    for body in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, b"[" * depth):
        is_outcome(client.post(URL, content=body, headers=JSON), 400)


def test_errors_do_not_repeat_the_body(client: Client) -> None:
    """HTTP-2, RESP-3: no patient data in an error."""
    for body in (b'{"name": "Berg", "name": "Berg"}', b'{"name": Berg}', b'{"hook": "Berg"}'):
        assert "Berg" not in client.post(URL, content=body, headers=JSON).text


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "json"],
)
def test_other_media_types_are_415(client: Client, content_type: str | None) -> None:
    """HTTP-3: JSON in UTF-8 only."""
    headers = {"Content-Type": content_type} if content_type else {}
    is_outcome(client.post(URL, content=GOOD, headers=headers), 415)


def test_compressed_bodies_are_415(client: Client) -> None:
    """HTTP-3: and the answer says what is taken."""
    response = client.post(URL, content=GOOD, headers={**JSON, "Content-Encoding": "gzip"})
    is_outcome(response, 415)
    assert response.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("accept", ["text/html", "application/xml, text/*;q=0.5", "application/json;q=0"])
def test_clients_that_take_no_json_get_406(client: Client, accept: str) -> None:
    """HTTP-3: before anything is read."""
    is_outcome(client.post(URL, content=GOOD, headers={**JSON, "Accept": accept}), 406)


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "text/html, application/*;q=0.1", "application/fhir+json", ""]
)
def test_clients_that_take_json_are_answered(client: Client, accept: str) -> None:
    """HTTP-3: wildcards too."""
    assert client.post(URL, content=GOOD, headers={**JSON, "Accept": accept}).status_code == 200


def test_a_body_of_declared_size_above_the_limit_is_413(make_client: ClientMaker, pipeline: FakePipeline) -> None:
    """HTTP-3: by Content-Length."""
    text = is_outcome(make_client(max_body_bytes=1024).post(URL, content=b" " * 1025, headers=JSON), 413)
    assert "1024" in text
    assert pipeline.requests == []


def test_a_chunked_body_above_the_limit_is_413(make_client: ClientMaker) -> None:
    """HTTP-3: without Content-Length, while it is read."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * 128

    is_outcome(make_client(max_body_bytes=1024).post(URL, content=chunks(), headers=JSON), 413)


def test_a_body_at_the_limit_is_read(make_client: ClientMaker) -> None:
    """HTTP-3: the limit itself is allowed."""
    padded = GOOD + b" " * (4096 - len(GOOD))
    assert make_client(max_body_bytes=4096).post(URL, content=padded, headers=JSON).status_code == 200


def test_a_large_chart_is_read_and_answered(client: Client) -> None:
    """HTTP-3: the default limit lets a chart of megabytes pass."""
    body = calls.patient_view(observations=calls.bundle(*(calls.observation(n) for n in range(5_000))))
    assert client.call(body).status_code == 200


def test_a_body_that_does_not_arrive_is_408() -> None:
    """HTTP-3: a slow client does not hold a place for ever."""

    async def receive() -> Any:
        await asyncio.sleep(600)

    async def read() -> None:
        request = Request({"type": "http", "headers": [], "method": "POST", "path": "/"}, receive)
        async with received_body(request, Admission(slots=1, waiting_bytes=100), limit=100, timeout=0.01):
            pass

    with pytest.raises(BodyTimeout):
        asyncio.run(read())


def test_more_calls_at_once_than_the_limit_are_503(make_client: ClientMaker) -> None:
    """HTTP-3: with Retry-After; discovery and probes still answer."""
    client = make_client(max_concurrent_requests=1)

    async def run() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        started, release = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            started.set()
            await release.wait()
            yield GOOD

        transport = httpx.ASGITransport(client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://osteon.test") as http:
            first = asyncio.create_task(http.post(URL, content=slow(), headers=JSON))
            await started.wait()
            second, probe = await http.post(URL, content=GOOD, headers=JSON), await http.get("/cds-services")
            release.set()
            return await first, second, probe

    first, second, probe = asyncio.run(run())
    is_outcome(second, 503)
    assert second.headers["retry-after"]
    assert (first.status_code, probe.status_code) == (200, 200)


def test_a_fault_is_500_with_a_request_id(make_client: ClientMaker, capsys: pytest.CaptureFixture[str]) -> None:
    """RESP-4, RESP-3: never an empty card list; the log has the place of the fault and nothing of the patient."""
    response = make_client(pipeline=BrokenPipeline()).call(calls.patient_view(), headers={"X-Request-ID": "call-9"})
    assert "call-9" in is_outcome(response, 500)
    assert response.headers["x-request-id"] == "call-9"
    log = "".join(capsys.readouterr())
    assert "RuntimeError" in log
    assert "tests.support.fake" in log
    assert "call-9" in log
    assert "SECRET" not in log + response.text


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/cds-services/", "/cds-services/x/y", "/health", "/static-offline-docs/x"]
)
def test_unknown_addresses(client: Client, path: str) -> None:
    """CALL-12, RESP-3: 404 with an outcome, or 405 where only the method is wrong."""
    response = client.request("DELETE", path)
    assert response.status_code in (404, 405)
    assert response.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("abc-1.2_3", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("<x>", False), ("", False)],
)
def test_request_ids_are_taken_over_when_harmless(client: Client, sent: str, kept: bool) -> None:
    """AUD-1: bounded in characters and length, else a new one."""
    answered = client.get("/cds-services", headers={"X-Request-ID": sent}).headers["x-request-id"]
    assert (answered == sent) is kept
    assert answered
