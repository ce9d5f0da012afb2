"""The whole trust boundary with real processes: a service, a client's key server, and its FHIR server."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk

from tests.e2e.conftest import Server, StartServer
from tests.support import calls
from tests.support.patience import get, post
from tests.unit.trust.tokens import EC, STRANGER, header, key_set, token

ROOT = Path(__file__).parents[2]
BASE = "https://cds.hospital.example"
ISS = "https://ehr.hospital.example"
MARK = "MARKED"


class KeyServer(HTTPServer):
    """Serves a JWK Set and counts."""

    keys = key_set(EC)
    asked = 0

    @property
    def jku(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/jwks.json"


class KeyHandler(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.keys)))
        self.end_headers()
        self.wfile.write(self.server.keys)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    with KeyServer(("127.0.0.1", 0), KeyHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def fhir_port() -> Iterator[int]:
    command = [sys.executable, "-m", "tests.e2e.fhir_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield int(process.stdout.readline())
        process.stdin.close()


@pytest.fixture
def service(start: StartServer, key_server: KeyServer, fhir_port: int) -> Server:
    environment = {
        "OSTEON_TRUST": "required",
        "OSTEON_PUBLIC_BASE_URL": BASE,
        "OSTEON_TRUSTED_CLIENTS": json.dumps([{"iss": ISS, "jku": [key_server.jku]}]),
        "OSTEON_JWKS_REFETCH": "0.2",
        "OSTEON_FHIR_SERVERS": f"http://127.0.0.1:{fhir_port}",
        "OSTEON_FHIR_DEADLINE": "5",
    }
    command = ["uvicorn", "tests.e2e.guarded_service:service", "--factory", "--port", "PORT"]
    # As `osteon serve` does it: the access log of uvicorn holds paths.
    return start(*command, "--no-access-log", environment=environment)


def bearer(key_server: KeyServer, path: str, key: jwk.Key = EC, **changes: Any) -> dict[str, str]:
    now = int(time.time())
    claims = {"iss": ISS, "aud": BASE + path, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), **changes}
    return {"Authorization": f"Bearer {token(key, header(key, jku=key_server.jku), **claims)}"}


def test_keys_over_the_network_and_their_rotation(service: Server, key_server: KeyServer) -> None:
    path = "/cds-services"

    def status(key: jwk.Key = EC) -> int:
        return get(service.url + path, headers=bearer(key_server, path, key)).status_code

    assert get(service.url + path).status_code == 401
    assert [status() for _ in range(5)] == [200] * 5
    assert key_server.asked == 1
    assert status(STRANGER) == 401
    new = jwk.ECKey.generate_key("P-384", {"kid": "new"})
    key_server.keys = key_set(EC, new)
    time.sleep(0.3)
    assert status(new) == 200
    assert key_server.asked == 2


def test_nothing_of_patients_or_tokens_is_left_behind(service: Server, key_server: KeyServer, fhir_port: int) -> None:
    """Marked values through every path, good and bad; then every output of the service is searched."""
    access_token = f"{MARK}-access-token"
    path = f"/cds-services/{calls.PATIENT_VIEW}"
    shown: list[str] = []
    forged: list[str] = []

    def call(habit: str, **changes: Any) -> int:
        authorization = {
            "access_token": access_token, "token_type": "Bearer", "expires_in": 300, "scope": f"{MARK} user/*.read",
            "subject": MARK,
        }  # fmt: skip
        body = {
            "hook": "patient-view",
            "hookInstance": f"{MARK}-instance",
            "fhirServer": f"http://127.0.0.1:{fhir_port}/{habit}",
            "fhirAuthorization": authorization,
            "context": {"userId": f"Practitioner/{MARK}", "patientId": f"{MARK}-patient"},
            "prefetch": {"conditions": calls.bundle({"resourceType": "Condition", "note": [{"text": MARK}]})},
            **changes,
        }
        head = bearer(key_server, path, sub=MARK)
        forged.append(head["Authorization"].removeprefix("Bearer "))
        answer = post(service.url + path, json=body, headers=head)
        if answer.status_code != 200:
            shown.append(answer.text + str(answer.headers))
        return answer.status_code

    assert call("good") == 200
    habits = (
        "slow",
        "redirect",
        "html",
        "htmlasjson",
        "unauthorized",
        "failing",
        "huge",
        "otherpatient",
        "raw",
        "outcome",
    )
    assert {call(habit) for habit in habits} == {412}
    assert call("good", fhirServer=f"https://{MARK}.example/r4") == 412
    assert call("good", context={"userId": MARK, "patientId": MARK}) == 400
    head = bearer(key_server, path, STRANGER, jti=MARK, tenant=MARK)
    forged.append(head["Authorization"].removeprefix("Bearer "))
    shown.append(post(service.url + path, headers=head).text)
    shown.append(get(f"{service.url}/cds-services/{MARK}?{MARK}={MARK}").text)
    shown.append(get(f"{service.url}/metrics").text)
    assert "osteon_refused_clients" in shown[-1]
    service.stop()
    log = service.log.read_text()
    assert log.count('"event":"fetched"') > len(habits)
    for text in (log, *shown):
        assert MARK not in text
        assert access_token not in text
        for compact in forged:
            # The header of a token is the same for all of them and no secret; the rest must not be seen.
            assert not any(part in text for part in compact.split(".")[1:])
