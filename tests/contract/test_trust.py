"""Trusting CDS Clients: who may call discovery, services and feedback, and what the others are told."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
import structlog
from fastapi import FastAPI

from app.api.logs import configure
from app.api.trust.keys import KeyRing
from app.api.trust.replay import ReplayStoreUnavailable
from app.api.trust.settings import TrustedClient, TrustSettings
from app.api.trust.verifier import Verifier
from app.main import create_app
from app.settings import Settings
from tests.conftest import Client
from tests.support import calls
from tests.support.fake import FakePipeline, passing
from tests.unit.trust.test_verifier import signed_with_the_public_key
from tests.unit.trust.tokens import (
    BASE,
    DISCOVERY,
    EC,
    ISS,
    JKU,
    NOW,
    RSA,
    STRANGER,
    Clock,
    FakeEgress,
    header,
    key_set,
    token,
)

SERVICE = f"{DISCOVERY}/{calls.PATIENT_VIEW}"
FEEDBACK = f"{SERVICE}/feedback"


def make_app(*clients: TrustedClient, now: float = NOW, cors: tuple[str, ...] = (), **changes: Any) -> FastAPI:
    used = clients or (TrustedClient(iss=ISS, jku=(JKU,)),)
    trust = TrustSettings(**{"trust": "required", "public_base_url": BASE, "trusted_clients": used, **changes})
    network: Any = FakeEgress()
    verifier = Verifier(trust, keys=KeyRing(trust, egress=network, clock=Clock()), now=lambda: now)
    settings = Settings(cors_origins=cors)
    return create_app(pipeline=FakePipeline(), settings=settings, self_test=passing, trust=trust, verifier=verifier)


@pytest.fixture
def required() -> Client:
    return Client(make_app())


def bearer(value: str, scheme: str = "Bearer") -> dict[str, str]:
    return {"Authorization": f"{scheme} {value}"}


def refused(response: httpx.Response, status: int = 401) -> str:
    """The answer is an OperationOutcome; gives its text, which must not tell the cause."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/fhir+json"
    body = response.json()
    assert body["resourceType"] == "OperationOutcome"
    text: str = body["issue"][0]["details"]["text"]
    return text


def test_a_trusted_client_gets_discovery_cards_and_feedback(required: Client) -> None:
    """JWT-1, JWT-2, JWT-8: RS384 and ES384, the scheme in any case, on all three kinds of calls."""
    assert required.get("/cds-services", headers=bearer(token(RSA, jti="1"))).status_code == 200
    assert required.get("/cds-services", headers=bearer(token(EC, jti="2"), "bearer")).status_code == 200
    answer = required.call(calls.patient_view(), headers=bearer(token(aud=SERVICE, jti="3")))
    assert answer.json()["cards"]
    sent = calls.example("feedback.request")
    for number, aud in enumerate((FEEDBACK, SERVICE, FEEDBACK + "/", SERVICE + "/")):
        head = bearer(token(aud=aud, jti=f"f{number}"))
        assert required.post(f"/cds-services/{calls.PATIENT_VIEW}/feedback", json=sent, headers=head).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/cds-services"),
        ("HEAD", "/cds-services"),
        ("GET", "/cds-services/"),
        ("POST", f"/cds-services/{calls.PATIENT_VIEW}"),
        ("GET", f"/cds-services/{calls.PATIENT_VIEW}"),
        ("POST", "/cds-services/no-such-service"),
        ("POST", f"/cds-services/{calls.PATIENT_VIEW}/feedback"),
        ("POST", "/cds-services/no-such-service/feedback"),
        ("POST", "/cds-services%2Fx"),
        ("OPTIONS", "/cds-services"),
    ],
)
def test_without_a_token_nothing_is_told(required: Client, method: str, path: str) -> None:
    """JWT-1, JWT-15: discovery, calls, feedback, and which services there are."""
    response = required.request(method, path, content=b"not even JSON" if method == "POST" else None)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    if method != "HEAD":
        assert refused(response) == "a trusted client is needed"


def test_every_route_of_cds_hooks_is_behind_it() -> None:
    """JWT-1: a route that is added later too; and nothing else is."""
    app = make_app()
    client = Client(app)
    paths = app.openapi()["paths"]
    assert "/cds-services/{service_id}/feedback" in paths
    for path, methods in paths.items():
        for method in methods:
            filled = re.sub(r"\{\w+\}", "x", path.replace("{profile}/{language}", "se/sv"))
            status = client.request(method.upper(), filled).status_code
            assert (status == 401) == ("/cds-services" in path), (method, path)


def test_probes_need_no_token(required: Client) -> None:
    """JWT-1: it covers the CDS Hooks calls; probes and metrics are for those who run the service."""
    for path in ("/health/live", "/health/ready", "/metrics", "/openapi.json", "/"):
        assert required.get(path).status_code == 200


@pytest.mark.parametrize(
    "compact",
    [
        pytest.param(token(head=header(kid="x")), id="unknown-kid"),
        pytest.param(token(STRANGER), id="signature"),
        pytest.param(token(iss="https://evil.example"), id="issuer"),
        pytest.param(token(aud=SERVICE), id="audience"),
        pytest.param(token(aud="http://osteon.test/cds-services"), id="host-header"),
        pytest.param(token(exp=int(NOW) - 100, iat=int(NOW) - 200), id="expired"),
        pytest.param(token(iat=int(NOW) + 100), id="future"),
        pytest.param(token(exp=int(NOW) + 86_400), id="lifetime"),
        pytest.param(token(head=header(jku="https://evil.example/jwks.json")), id="jku"),
        pytest.param(token(jti=None), id="jti"),
        pytest.param("eyJhbGciOiJub25lIn0.e30.", id="none"),
        pytest.param("x", id="malformed"),
    ],
)
def test_the_cause_is_not_told(required: Client, compact: str) -> None:
    """JWT-3, JWT-4, JWT-5, JWT-6, JWT-9, JWT-12, JWT-15: one and the same bare 401 for all causes."""
    first = required.get("/cds-services", headers=bearer("nonsense"))
    response = required.get("/cds-services", headers=bearer(compact))
    assert refused(response) == refused(first)
    ignored = {"x-request-id"}
    assert {k: v for k, v in response.headers.items() if k not in ignored} == {
        k: v for k, v in first.headers.items() if k not in ignored
    }
    assert response.content == first.content


def test_symmetric_and_unsigned_tokens_are_refused(required: Client) -> None:
    """JWT-6, JWT-7: the attack table is in tests/unit/trust/test_verifier.py; here through the whole service."""
    refused(required.get("/cds-services", headers=bearer(signed_with_the_public_key())))


def test_keys_are_found_by_kid_and_out_of_band(tmp_path: Any) -> None:
    """JWT-10, JWT-11: a file serves a client that has no address of its own."""
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(EC))
    client = Client(make_app(TrustedClient(iss=ISS, keys_file=file)))
    assert client.get("/cds-services", headers=bearer(token(head=header(jku=None)))).status_code == 200
    refused(client.get("/cds-services", headers=bearer(token(RSA, header(RSA, jku=None), jti="2"))))


def test_a_token_is_good_for_one_call(required: Client) -> None:
    """JWT-13: replay."""
    head = bearer(token(jti="once"))
    assert required.get("/cds-services", headers=head).status_code == 200
    refused(required.get("/cds-services", headers=head))


def test_tenants(tmp_path: Any) -> None:
    """JWT-14: a list of tenants is binding."""
    client = Client(make_app(TrustedClient(iss=ISS, jku=(JKU,), tenants=("north",))))
    assert client.get("/cds-services", headers=bearer(token(tenant="north"))).status_code == 200
    refused(client.get("/cds-services", headers=bearer(token(tenant="south", jti="2"))))


def test_the_store_of_used_tokens_is_away() -> None:
    """JWT-13: nobody can say whether a token was used: 503 with Retry-After, never a silent yes."""
    app = make_app(replay_max_entries=1)
    client = Client(app)
    assert client.get("/cds-services", headers=bearer(token(jti="1"))).status_code == 200
    response = client.get("/cds-services", headers=bearer(token(jti="2")))
    refused(response, 503)
    assert int(response.headers["retry-after"]) > 0
    assert ReplayStoreUnavailable("full").reason == "full"


def test_a_preflight_needs_no_token() -> None:
    """CORS: browsers send preflights without credentials; a refusal can be read by the origin."""
    client = Client(make_app(cors=("https://ehr.test",)))
    head = {"Origin": "https://ehr.test", "Access-Control-Request-Method": "GET"}
    asked = client.request(
        "OPTIONS", "/cds-services", headers=head | {"Access-Control-Request-Headers": "authorization"}
    )
    assert asked.status_code == 200
    answer = client.get("/cds-services", headers={"Origin": "https://ehr.test"})
    refused(answer)
    assert answer.headers["access-control-allow-origin"] == "https://ehr.test"


def test_the_body_of_a_stranger_is_not_read() -> None:
    """A stranger cannot make the service read or decode anything."""
    pipeline = FakePipeline()
    trust = TrustSettings(trust="required", public_base_url=BASE, trusted_clients=(TrustedClient(iss=ISS, jku=(JKU,)),))
    app = create_app(pipeline=pipeline, settings=Settings(), self_test=passing, trust=trust)
    taken: list[bytes] = []

    async def body() -> Any:
        taken.append(b"x")
        yield b"x" * 1_000_000

    refused(Client(app).post(f"/cds-services/{calls.PATIENT_VIEW}", content=body()))
    assert taken == []
    assert pipeline.requests == []


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    configure("info")
    yield lambda: [orjson.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.reset_defaults()
    root.handlers[:] = kept
    root.setLevel(level)


def test_the_log_has_the_cause_and_never_the_token(required: Client, logs: Any) -> None:
    """JWT-15: cause for refusals, issuer, tenant and id for answered calls; no token, nothing of a forged one."""
    good = token(aud=SERVICE, jti="audit-1", tenant="north")
    forged = token(STRANGER, jti="FORGED", tenant="FORGED", sub="FORGED")
    required.call(calls.patient_view(), headers=bearer(good))
    required.get("/cds-services", headers=bearer(forged) | {"X-Request-ID": "call-2"})
    metrics = required.get("/metrics").text
    lines = logs()
    (answered,) = [line for line in lines if line["event"] == "answered"]
    assert (answered["iss"], answered["tenant"], answered["jti"]) == (ISS, "north", "audit-1")
    (refusal,) = [line for line in lines if line["event"] == "client refused"]
    assert (refusal["reason"], refusal["request_id"]) == ("signature", "call-2")
    assert 'osteon_refused_clients_total{reason="signature"} 1.0' in metrics
    for text in (str(lines), metrics):
        assert "FORGED" not in text
        for part in (*good.split("."), *forged.split(".")):
            assert part not in text


def by_address(app: FastAPI, address: tuple[str, int], **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=address)
        async with httpx.AsyncClient(transport=transport, base_url="http://osteon.test") as client:
            return await client.get("/cds-services", headers=headers)

    return asyncio.run(send())


LOOPBACK = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]
ELSEWHERE = ["10.0.0.5", "93.184.216.34", "::ffff:10.0.0.5", "fe80::1", "2001:db8::1"]


@pytest.mark.parametrize("address", LOOPBACK)
def test_with_no_setting_this_machine_is_trusted(address: str) -> None:
    """The contract: loopback callers need no token."""
    app = create_app(pipeline=FakePipeline(), settings=Settings(), self_test=passing, trust=TrustSettings())
    assert by_address(app, (address, 4711)).status_code == 200


@pytest.mark.parametrize("address", ELSEWHERE)
def test_with_no_setting_other_machines_are_not(address: str) -> None:
    """Also when somebody binds to all addresses; headers of proxies do not make an address loopback."""
    app = create_app(pipeline=FakePipeline(), settings=Settings(), self_test=passing, trust=TrustSettings())
    response = by_address(app, (address, 4711), **{"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"})
    assert refused(response, 403) == "only callers on the same machine are trusted"


def test_off_means_anybody() -> None:
    """Only where it is said in so many words."""
    trust = TrustSettings(trust="off")
    app = create_app(pipeline=FakePipeline(), settings=Settings(), self_test=passing, trust=trust)
    assert by_address(app, ("93.184.216.34", 4711)).status_code == 200


@pytest.mark.parametrize(
    ("trust", "beyond", "workers", "words"),
    [
        ("off", True, 1, ["ANYBODY"]),
        ("loopback", True, 1, ["403"]),
        ("required", True, 1, []),
        ("required", True, 2, ["OSTEON_REPLAY_STORE"]),
        ("off", False, 2, []),
        ("loopback", False, 2, []),
    ],
)
def test_who_starts_it_is_warned(trust: Any, beyond: bool, workers: int, words: list[str]) -> None:
    """JWT-13: a memory of one process is said to be one."""
    clients = (TrustedClient(iss=ISS, jku=(JKU,)),)
    settings = TrustSettings(trust=trust, public_base_url=BASE, trusted_clients=clients)
    said = settings.warnings(beyond_loopback=beyond, workers=workers)
    assert len(said) == len(words)
    assert all(word in text for word, text in zip(words, said, strict=True))


@pytest.mark.parametrize(
    "variables",
    [
        {"TRUST": "required"},
        {"TRUST": "required", "PUBLIC_BASE_URL": BASE},
        {"TRUST": "required", "TRUSTED_CLIENTS": '[{"iss": "i", "jku": ["https://i.example/k"]}]'},
        {"TRUST": "sometimes"},
        {"TRUST": "required", "PUBLIC_BASE_URL": BASE, "TRUSTED_CLIENTS_FILE": "no/such/file.json"},
        {"TRUSTED_CLIENTS": '[{"iss": "i", "keys_file": "no/such/file.json"}]'},
        {"TRUSTED_CLIENTS": '[{"iss": "SECRET"}]'},
        {"TRUSTED_CLIENTS": '[{"iss": "SECRET", "jku": ["http://i.example/k"]}]'},
        {"TRUSTED_CLIENTS": '[{"iss": "SECRET", "jku": ["https://i.example/k"], "tenant": "x"}]'},
        {"TRUST_ALGORITHMS": "none"},
        {"TRUST_ALGORITHMS": "RS384,HS256"},
        {"TRUST_ALGORITHMS": ""},
        {"REPLAY_STORE": "postgres://user:SECRET@db"},
        {"JWKS_NETWORKS": "everything"},
        {
            "TRUST": "required",
            "PUBLIC_BASE_URL": BASE,
            "TRUSTED_CLIENTS": '[{"iss": "i", "jku": ["https://i.example/k"]}]',
            "REPLAY_STORE": "redis://:SECRET@cache:6379/0",
        },
        {
            "TRUST": "required",
            "PUBLIC_BASE_URL": BASE,
            "TRUSTED_CLIENTS": '[{"iss": "i", "jku": ["https://i.example/k"]}, {"iss": "i", "jku": ["https://j.example"]}]',
        },
    ],
)
def test_a_setting_that_cannot_be_right_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """JWT-6, JWT-7: none and symmetric algorithms cannot even be configured; messages repeat no secret."""
    for name, value in variables.items():
        monkeypatch.setenv(f"OSTEON_{name}", value)
    with pytest.raises(ValueError, match=r"(?s).+") as error:
        TrustSettings()
    assert "SECRET" not in str(error.value)


def test_settings_from_the_environment_and_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """JWT-9: the allow-list of issuers and key addresses."""
    file = tmp_path / "clients.json"
    file.write_text('[{"iss": "j", "jku": ["https://j.example/k"], "tenants": ["north"]}]')
    monkeypatch.setenv("OSTEON_TRUST", "required")
    monkeypatch.setenv("OSTEON_PUBLIC_BASE_URL", BASE)
    monkeypatch.setenv("OSTEON_TRUSTED_CLIENTS", '[{"iss": "i", "jku": ["https://i.example/k"]}]')
    monkeypatch.setenv("OSTEON_TRUSTED_CLIENTS_FILE", str(file))
    monkeypatch.setenv("OSTEON_TRUST_ALGORITHMS", "RS384, ES384,PS384")
    settings = TrustSettings()
    assert [client.iss for client in settings.clients()] == ["i", "j"]
    assert settings.trust_algorithms == ("RS384", "ES384", "PS384")
    assert settings.clients()[1].tenants == ("north",)
