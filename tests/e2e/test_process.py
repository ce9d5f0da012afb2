"""A server process with a constant pipeline: stopping, several workers, odd clients."""

from __future__ import annotations

import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.e2e.conftest import StartServer
from tests.support import calls
from tests.support.patience import PATIENCE, get, post, wait_for_text

FAKE = (
    "uvicorn",
    "tests.support.fake:slow_service",
    "--factory",
    "--port",
    "PORT",
    "--timeout-graceful-shutdown",
    f"{PATIENCE:.0f}",
    "--timeout-worker-healthcheck",
    f"{PATIENCE:.0f}",
)


def call(url: str) -> httpx.Response:
    return post(f"{url}/cds-services/{calls.PATIENT_VIEW}", json=calls.patient_view())


def test_sigterm_finishes_the_work_under_way(start: StartServer, tmp_path: Path) -> None:
    """A call that has begun is answered although the process was told to stop."""
    # A large chart is worked on in another process, so that the signal is seen meanwhile.
    release = tmp_path / "release"
    server = start(*FAKE, environment={"TEST_RELEASE": str(release)})
    body = calls.patient_view(observations=calls.bundle(*map(calls.observation, range(3_000))))
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(post, f"{server.url}/cds-services/{calls.PATIENT_VIEW}", json=body)
        wait_for_text(server.log, "working")
        server.process.send_signal(signal.SIGTERM)
        wait_for_text(server.log, "Shutting down")
        assert not answer.done()
        release.touch()
        # Killed by its own signal is how uvicorn reports a clean stop on SIGTERM.
        assert server.process.wait(PATIENCE) in (0, -signal.SIGTERM)
        assert answer.result().status_code == 200
    assert '"event":"stopped"' in server.log.read_text()


def test_probes_answer_while_charts_are_worked_on(start: StartServer, tmp_path: Path) -> None:
    """Large charts do not hold the event loop."""
    release = tmp_path / "release"
    server = start(*FAKE, environment={"TEST_RELEASE": str(release)})
    body = calls.patient_view(observations=calls.bundle(*map(calls.observation, range(3_000))))
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(post, f"{server.url}/cds-services/{calls.PATIENT_VIEW}", json=body)
        wait_for_text(server.log, "working")
        assert get(f"{server.url}/health/live").status_code == 200
        assert not answer.done()
        release.touch()
        assert answer.result().status_code == 200


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
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(noise)
            connection.shutdown(socket.SHUT_WR)
            assert not connection.recv(4096).startswith(b"HTTP/1.1 2")
    assert call(server.url).status_code == 200
