"""A server process with a constant pipeline: stopping, several workers, odd clients."""

from __future__ import annotations

import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.e2e.conftest import StartServer
from tests.support import calls

FAKE = (
    "uvicorn",
    "tests.support.fake:slow_service",
    "--factory",
    "--port",
    "PORT",
    "--timeout-graceful-shutdown",
    "10",
)


def call(url: str) -> httpx.Response:
    return httpx.post(f"{url}/cds-services/{calls.PATIENT_VIEW}", json=calls.patient_view(), timeout=20)


def test_sigterm_finishes_the_work_under_way(start: StartServer) -> None:
    """A call that has begun is answered although the process was told to stop."""
    # A large chart is worked on in a thread, so that the signal is seen meanwhile.
    server = start(*FAKE, environment={"TEST_DELAY": "3.0"})
    body = calls.patient_view(observations=calls.bundle(*map(calls.observation, range(3_000))))
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(httpx.post, f"{server.url}/cds-services/{calls.PATIENT_VIEW}", json=body, timeout=20)
        time.sleep(0.5)
        assert not answer.done()
        started = time.monotonic()
        # Killed by its own signal is how uvicorn reports a clean stop on SIGTERM.
        assert server.stop() in (0, -signal.SIGTERM)
        assert time.monotonic() - started < 20
        assert answer.result().status_code == 200
    assert '"event":"stopped"' in server.log.read_text()


def test_probes_answer_while_charts_are_worked_on(start: StartServer) -> None:
    """Large charts do not hold the event loop."""
    server = start(*FAKE, environment={"TEST_DELAY": "3.0"})
    body = calls.patient_view(observations=calls.bundle(*map(calls.observation, range(3_000))))
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(httpx.post, f"{server.url}/cds-services/{calls.PATIENT_VIEW}", json=body, timeout=20)
        time.sleep(0.5)
        assert httpx.get(f"{server.url}/health/live", timeout=20).status_code == 200
        assert not answer.done()


def test_several_workers_answer(start: StartServer) -> None:
    """Each worker process has its own app."""
    server = start(*FAKE, "--workers", "2")
    with ThreadPoolExecutor(4) as pool:
        statuses = {answer.status_code for answer in pool.map(call, [server.url] * 20)}
    assert statuses == {200}
    server.stop()


def test_a_client_that_goes_away_does_no_harm(start: StartServer) -> None:
    """Half a body and a closed socket: the service goes on, and logs no fault."""
    server = start(*FAKE)
    host, port = server.url.removeprefix("http://").split(":")
    for _ in range(3):
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST /cds-services/{calls.PATIENT_VIEW} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
            connection.sendall(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
    assert call(server.url).status_code == 200
    server.stop()
    log = server.log.read_text()
    assert log.count('"status":499') == 3
    assert '"event":"fault"' not in log
    assert "ERROR" not in log


def test_what_is_not_http_does_no_harm(start: StartServer) -> None:
    """A TLS hello or noise on the port gets a 400 or a closed connection."""
    server = start(*FAKE)
    host, port = server.url.removeprefix("http://").split(":")
    for noise in (b"\x16\x03\x01\x02\x00\x01\x00\x01", b"GET\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n"):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(noise)
            connection.shutdown(socket.SHUT_WR)
            assert not connection.recv(4096).startswith(b"HTTP/1.1 2")
    assert call(server.url).status_code == 200
