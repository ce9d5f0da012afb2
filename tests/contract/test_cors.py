"""CORS: closed by default, open for configured origins, also on errors."""

from __future__ import annotations

import pytest

from tests.conftest import Client, ClientMaker
from tests.support import calls
from tests.support.fake import BrokenPipeline

ORIGIN = "https://sandbox.cds-hooks.test"
URLS = ["/cds-services", f"/cds-services/{calls.PATIENT_VIEW}", f"/cds-services/{calls.PATIENT_VIEW}/feedback"]


@pytest.fixture
def open_client(make_client: ClientMaker) -> Client:
    return make_client(cors_origins=f" {ORIGIN} , https://other.test")


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_preflight_on_all_three_kinds_of_addresses(open_client: Client, url: str, method: str) -> None:
    """CORS-1, CALL-13: GET and POST with authorization and content-type."""
    response = open_client.request(
        "OPTIONS",
        url,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert method in response.headers["access-control-allow-methods"]
    assert "authorization" in response.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in response.headers


def test_headers_stand_on_answers_and_errors(make_client: ClientMaker) -> None:
    """CORS-1: a browser shows an error only where the header is there, a fault of ours included."""
    client = make_client(cors_origins=ORIGIN)
    broken = make_client(cors_origins=ORIGIN, pipeline=BrokenPipeline())
    origin = {"Origin": ORIGIN}
    answers = {
        200: client.call(calls.patient_view(), headers=origin),
        400: client.call({}, headers=origin),
        404: client.get("/nothing", headers=origin),
        405: client.get(URLS[1], headers=origin),
        412: client.call(calls.without(calls.patient_view(), "prefetch"), headers=origin),
        500: broken.call(calls.patient_view(), headers=origin),
    }
    for status, response in answers.items():
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == ORIGIN


def test_other_origins_are_refused(open_client: Client) -> None:
    """CORS-2, RESP-3: the list is what is configured; the refusal is an outcome."""
    headers = {"Origin": "https://evil.test", "Access-Control-Request-Method": "POST"}
    response = open_client.request("OPTIONS", URLS[1], headers=headers)
    assert response.status_code == 400
    assert response.json()["resourceType"] == "OperationOutcome"
    answer = open_client.call(calls.patient_view(), headers={"Origin": "https://evil.test"})
    assert "access-control-allow-origin" not in answer.headers


def test_closed_by_default(client: Client) -> None:
    """CORS-2: without the setting there is no CORS at all."""
    response = client.call(calls.patient_view(), headers={"Origin": ORIGIN})
    assert response.status_code == 200
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_any_origin_goes_without_credentials(make_client: ClientMaker) -> None:
    """CORS-2: `*` is never combined with credentials."""
    response = make_client(cors_origins="*").call(calls.patient_view(), headers={"Origin": ORIGIN})
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers
