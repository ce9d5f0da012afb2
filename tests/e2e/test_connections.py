"""Strangers who send headers without end, or never come to an end: a real server process against raw sockets."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Server, StartServer
from tests.support import calls
from tests.support.patience import PATIENCE, get, post

HEADER_SECONDS = 3
HEAD = b"GET /cds-services HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def server(start: StartServer) -> Iterator[Server]:
    command = ["uvicorn", "tests.e2e.guarded_service:service", "--factory", "--port", "PORT"]
    protocol = ["--http", "app.api.http.protocol:BoundedHttpProtocol"]
    environment = {"OSTEON_MAX_HEADER_BYTES": "65536", "OSTEON_HEADER_TIMEOUT_SECONDS": f"{HEADER_SECONDS}"}
    yield (running := start(*command, *protocol, environment=environment))
    assert get(f"{running.url}/cds-services").status_code == 200
    assert "Traceback" not in running.log.read_text()


def connect(server: Server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))
    connection.settimeout(PATIENCE)
    return connection


def answer(connection: socket.socket) -> bytes:
    """Everything until the server hangs up; a reset is what a client gets that goes on sending."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def send_until_refused(connection: socket.socket, piece: bytes, pieces: int) -> int:
    """Send a piece again and again; how many were taken before the server hung up."""
    for number in range(pieces):
        try:
            connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return number
    return pieces


def resident_megabytes(server: Server) -> float:
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def test_headers_within_the_limit_are_read(server: Server) -> None:
    with closing(connect(server)) as connection:
        connection.sendall(HEAD + b"X: " + b"x" * 60_000 + b"\r\nConnection: close\r\n\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("piece", [b"X: " + b"x" * 10_000 + b"\r\n", b"X: y\r\n" * 1000, b"x" * 10_000])
def test_headers_without_end_are_cut_off(server: Server, piece: bytes) -> None:
    before = resident_megabytes(server)
    with closing(connect(server)) as connection:
        connection.sendall(HEAD)
        # Sockets buffer some megabytes; a hundred of them are never taken.
        assert send_until_refused(connection, piece, 100_000_000 // len(piece)) < 10_000_000 // len(piece)
    assert resident_megabytes(server) - before < 20


def test_too_long_headers_are_told_so(server: Server) -> None:
    with closing(connect(server)) as connection:
        connection.sendall(HEAD + b"X: " + b"x" * 70_000)
        assert answer(connection).startswith(b"HTTP/1.1 431")


def test_trailers_and_extensions_of_chunks_are_cut_off_too(server: Server) -> None:
    path = f"/cds-services/{calls.PATIENT_VIEW}".encode()
    head = (
        b"POST "
        + path
        + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for beginning, piece in ((b"2\r\n{}\r\n0\r\n", b"X: " + b"x" * 10_000 + b"\r\n"), (b"2;", b"x" * 10_000)):
        with closing(connect(server)) as connection:
            connection.sendall(head + beginning)
            assert send_until_refused(connection, piece, 10_000) < 1000


@pytest.mark.parametrize("sent", [b"", b"GET", HEAD])
def test_who_does_not_get_on_with_it_is_sent_away(server: Server, sent: bytes) -> None:
    started = time.monotonic()
    with closing(connect(server)) as connection:
        connection.sendall(sent)
        assert answer(connection).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started > HEADER_SECONDS * 0.8  # not before; how much later is up to the machine


def test_a_byte_now_and_then_does_not_help(server: Server) -> None:
    with closing(connect(server)) as connection:
        connection.sendall(HEAD)
        for _ in range(int(PATIENCE * 10)):
            time.sleep(0.1)
            try:
                connection.sendall(b"X")
            except (BrokenPipeError, ConnectionResetError):
                break
        else:
            pytest.fail("the connection was never closed")


def test_a_second_request_on_the_connection_has_its_own_time(server: Server) -> None:
    with closing(connect(server)) as connection:
        for _ in range(3):
            connection.sendall(HEAD + b"\r\n")
            received = b""
            while not received.endswith(b"]}"):
                received += connection.recv(65536)
            assert received.startswith(b"HTTP/1.1 200")
            time.sleep(HEADER_SECONDS * 0.4)  # three times that is more than one request may take
        connection.sendall(b"GET")
        assert answer(connection).startswith(b"HTTP/1.1 408")


def test_large_bodies_are_not_headers(server: Server) -> None:
    body = calls.patient_view(observations=calls.bundle(*(calls.observation(n) for n in range(2000))))
    assert post(f"{server.url}/cds-services/{calls.PATIENT_VIEW}", json=body).status_code == 200

    def chunks() -> Iterator[bytes]:
        text = json.dumps(body).encode()
        for at in range(0, len(text), 50_000):
            yield text[at : at + 50_000]
            time.sleep(HEADER_SECONDS * 0.2)  # longer together than headers may take

    assert post(
        f"{server.url}/cds-services/{calls.PATIENT_VIEW}",
        content=chunks(),
        headers={"Content-Type": "application/json"},
    ).is_success
