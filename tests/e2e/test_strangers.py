"""What callers without a good token can do to a server with 256 open files: hold nothing, and keep nobody out.

Each shape is opened many times at once, together far more than there are files. Meanwhile every call of a trusted
client and every probe is answered; afterwards the server has closed every connection by itself.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Server, StartServer
from tests.support import calls
from tests.support.patience import PATIENCE, get, wait_until
from tests.unit.trust.tokens import EC, STRANGER, header, key_set, token

BASE = "https://cds.hospital.example"
ISS, SLOW = "https://ehr.hospital.example", "https://slow.hospital.example"
CALL = f"/cds-services/{calls.PATIENT_VIEW}"
FILES = 256
COPIES = 12


@dataclass
class Shape:
    """What a stranger sends: a beginning, and a piece again and again. Nothing is read where `reads` is False."""

    head: bytes
    piece: bytes = b""
    reads: bool = True


def request(line: str, *headers: str) -> bytes:
    return "\r\n".join((line, "Host: x", *headers, "", "")).encode()


LONG, JSON, CHUNKED = "Content-Length: 1000000000", "Content-Type: application/json", "Transfer-Encoding: chunked"
LIVE = request("GET /health/live HTTP/1.1")
SCRIPT = request("GET /static-offline-docs/swagger-ui-bundle.js HTTP/1.1")

SHAPES = {
    "nothing at all": Shape(b""),
    "headers without end": Shape(b"GET / HTTP/1.1\r\nX-a: ", b"a"),
    "body of a call without token": Shape(request(f"POST {CALL} HTTP/1.1", JSON, LONG), b"a"),
    "chunks of a call without token": Shape(request(f"POST {CALL} HTTP/1.1", JSON, CHUNKED), b"1\r\na\r\n"),
    "feedback without token": Shape(request(f"POST {CALL}/feedback HTTP/1.1", JSON, LONG), b"a"),
    "body to an unknown address": Shape(request("POST /nowhere HTTP/1.1", JSON, LONG), b"a"),
    "chunks to an unknown address": Shape(request("POST /nowhere HTTP/1.1", CHUNKED), b"1\r\na\r\n"),
    "body of a GET": Shape(request("GET / HTTP/1.1", LONG), b"a"),
    "chunks of a probe": Shape(request("GET /health/live HTTP/1.1", CHUNKED), b"1\r\na\r\n"),
    "extension of a chunk": Shape(request("GET /health/live HTTP/1.1", CHUNKED) + b"1;", b"a=b;"),
    "trailers without end": Shape(request("GET /health/live HTTP/1.1", CHUNKED) + b"0\r\nX: ", b"a"),
    "kept alive, silent": Shape(LIVE),
    "kept alive, then headers without end": Shape(LIVE + b"GET / HTTP/1.1\r\nX: ", b"a"),
    "kept alive, then a body": Shape(LIVE + request("POST /nowhere HTTP/1.1", LONG), b"a"),
    "requests for ever": Shape(LIVE, b"\r\n"),
    "OPTIONS *": Shape(request("OPTIONS * HTTP/1.1", LONG), b"a"),
    "PUT": Shape(request("PUT /health/live HTTP/1.1", LONG), b"a"),
    "Expect: 100-continue": Shape(request(f"POST {CALL} HTTP/1.1", "Expect: 100-continue", LONG)),
    "far too large": Shape(request(f"POST {CALL} HTTP/1.1", JSON, "Content-Length: 999999999999"), b"a"),
    "offer of WebSocket": Shape(
        request(
            "GET /cds-services HTTP/1.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
        )
    ),
    "offer of h2c": Shape(
        request(
            f"POST {CALL} HTTP/1.1",
            "Upgrade: h2c",
            "Connection: Upgrade, HTTP2-Settings",
            "HTTP2-Settings: AAMAAABkAAQAAP__",
            LONG,
        ),
        b"a",
    ),
    "HTTP/2": Shape(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00"),
    "CONNECT": Shape(request("CONNECT x:80 HTTP/1.1"), b"a"),
    "TLS": Shape(b"\x16\x03\x01\x02\x00\x01\x00\x01", b"\x00"),
    "many headers": Shape(b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 50),
    "two Host headers": Shape(request("GET / HTTP/1.1", "Host: y"), b"a"),
    "forged token": Shape(b"", b"a"),  # the head is made in the test
    "unknown key of a slow key server": Shape(b"", b""),
    "a file, never read": Shape(SCRIPT, reads=False),
    "files in a row, never read": Shape(SCRIPT * 8, SCRIPT, reads=False),
    "refusals in a row, never read": Shape(request("GET /cds-services HTTP/1.1") * 8, b"", reads=False),
    "pages in a row, never read": Shape(request("GET /openapi.json HTTP/1.1") * 8, LIVE, reads=False),
}


@pytest.fixture
def slow_key_server() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        yield port


@pytest.fixture
def server(start: StartServer, slow_key_server: int, tmp_path: Path) -> Server:
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(EC))
    slow = {"iss": SLOW, "jku": [f"http://127.0.0.1:{slow_key_server}/jwks.json"]}
    environment = {
        "OSTEON_TRUST": "required",
        "OSTEON_PUBLIC_BASE_URL": BASE,
        "OSTEON_TRUSTED_CLIENTS": json.dumps([{"iss": ISS, "keys_file": str(keys)}, slow]),
        "OSTEON_MAX_CONCURRENT_REQUESTS": "4",
        "OSTEON_HEADER_TIMEOUT_SECONDS": "5",
        "OSTEON_WRITE_TIMEOUT_SECONDS": "5",
        "OSTEON_LOG_LEVEL": "error",
    }
    command = ["uvicorn", "tests.e2e.guarded_service:service", "--factory", "--port", "PORT", "--ws", "none"]
    protocol = ["--no-access-log", "--http", "app.api.http.protocol:BoundedHttpProtocol"]
    return start(*command, *protocol, environment=environment, open_files=FILES)


def bearer(path: str, **changes: str) -> str:
    now = int(time.time())
    claims = {"iss": ISS, "aud": BASE + path, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), **changes}
    return f"Authorization: Bearer {token(EC, header(EC, jku=None), **claims)}"


def open_files(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


class Strangers(threading.Thread):
    """Opens all shapes, goes on sending, and notes which connections the server has closed."""

    def __init__(self, port: int, shapes: dict[str, Shape]) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.shapes = shapes
        self.stopped = threading.Event()
        self.all_open = threading.Event()
        self.held = {name for name, shape in shapes.items() if shape.reads}

    def run(self) -> None:
        live: list[tuple[str, Shape, socket.socket]] = []
        unread: list[tuple[Shape, socket.socket]] = []
        for _ in range(COPIES):
            for name, shape in self.shapes.items():
                connection = socket.socket()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                connection.connect(("127.0.0.1", self.port))
                connection.setblocking(False)
                with suppress(OSError):
                    connection.send(shape.head)
                if shape.reads:
                    live.append((name, shape, connection))
                else:
                    # Whether it is closed cannot be seen here without reading: the server's open files tell.
                    unread.append((shape, connection))
        self.all_open.set()
        while live and not self.stopped.wait(0.2):
            live = [held for held in live if not closed(*held[1:])]
            self.held = {name for name, _, _ in live}
            for shape, connection in unread:
                with suppress(OSError):
                    connection.send(shape.piece)
        self.stopped.wait(PATIENCE)
        for connection in [held[2] for held in live] + [held[1] for held in unread]:
            connection.close()


def closed(shape: Shape, connection: socket.socket) -> bool:
    """Send a piece and read what came; whether the server has hung up (then the socket is closed here, too)."""
    try:
        if select.select([connection], [], [], 0)[0] and not connection.recv(65536):
            connection.close()
            return True
        if shape.piece:
            connection.send(shape.piece)
    except BlockingIOError:
        return False
    except OSError:
        connection.close()
        return True
    return False


def test_strangers_hold_nothing_and_keep_nobody_out(server: Server) -> None:
    """More than 25 shapes, twelve of each at once: 384 connections to a process that can hold 192."""
    assert len(SHAPES) >= 25
    port = int(server.url.rpartition(":")[2])
    now = int(time.time())
    forged = token(STRANGER, header(STRANGER, jku=None), iss=ISS, aud=BASE + CALL, iat=now, exp=now + 300)
    SHAPES["forged token"].head = request(f"POST {CALL} HTTP/1.1", JSON, f"Authorization: Bearer {forged}", LONG)
    SHAPES["unknown key of a slow key server"].head = request(f"GET {CALL} HTTP/1.1", bearer(CALL, iss=SLOW))
    assert trusted_call(server) == 200
    before = open_files(server)
    strangers = Strangers(port, SHAPES)
    strangers.start()
    answers = []
    while not strangers.all_open.is_set() or len(answers) < 40:
        answers.append(trusted_call(server))
        answers.append(get(f"{server.url}/health/live").status_code)
        answers.append(get(f"{server.url}/health/ready").status_code)
    assert set(answers) == {200}
    assert open_files(server) < FILES
    wait_until(lambda: not strangers.held, lambda: f"still open: {sorted(strangers.held)}")
    wait_until(lambda: open_files(server) <= before + 2, lambda: f"{open_files(server)} open files, before {before}")
    strangers.stopped.set()
    strangers.join()
    assert trusted_call(server) == 200
    server.stop()
    log = server.log.read_text()
    assert "Traceback" not in log, log[log.find("Traceback") :][:9000]


def trusted_call(server: Server) -> int:
    """One call of the trusted client; a token is good for one."""
    name, _, value = bearer(CALL).partition(": ")
    return httpx.post(server.url + CALL, json=calls.patient_view(), headers={name: value}, timeout=PATIENCE).status_code


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("pieces", [1, 3])
def test_an_offer_of_h2c_is_ignored_and_the_body_read(start: StartServer, chunked: bool, pieces: int) -> None:
    """RFC 9110, 7.8: as the JDK's client sends it with each request of a connection."""
    command = ["uvicorn", "tests.e2e.guarded_service:service", "--factory", "--port", "PORT"]
    server = start(*command, "--http", "app.api.http.protocol:BoundedHttpProtocol")
    body = json.dumps(calls.patient_view()).encode()
    length = CHUNKED if chunked else f"Content-Length: {len(body)}"
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA")
    whole = request(f"POST {CALL} HTTP/1.1", JSON, *offer, length) + sent
    with closing(socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))) as connection:
        connection.settimeout(PATIENCE)
        for _ in range(2):
            for at in range(pieces):
                step = -(-len(whole) // pieces)
                connection.sendall(whole[at * step : (at + 1) * step])
                time.sleep(0.05)
            received = b""
            while b"guidelines" not in received and not received.rstrip().endswith(b"}"):
                received += connection.recv(65536)
            assert received.startswith(b"HTTP/1.1 200")
            assert b"cards" in received


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 300 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", 408),
        (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    ],
)
def test_refusals_below_requests_are_outcomes(start: StartServer, sent: bytes, status: int) -> None:
    command = ["uvicorn", "tests.e2e.guarded_service:service", "--factory", "--port", "PORT"]
    protocol = ["--http", "app.api.http.protocol:BoundedHttpProtocol"]
    server = start(*command, *protocol, environment={"OSTEON_HEADER_TIMEOUT_SECONDS": "1"})
    with closing(socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))) as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(sent)
        received = b""
        while data := connection.recv(65536):
            received += data
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/fhir+json" in head
    assert json.loads(body)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(("beyond", "status"), [(0, b"200"), (1, b"431")])
def test_the_limit_of_headers_is_exact(start: StartServer, beyond: int, status: bytes) -> None:
    command = ["uvicorn", "tests.e2e.guarded_service:service", "--factory", "--port", "PORT"]
    protocol = ["--http", "app.api.http.protocol:BoundedHttpProtocol"]
    server = start(*command, *protocol, environment={"OSTEON_MAX_HEADER_BYTES": "4096"})
    start_of_head = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: "
    head = start_of_head + b"x" * (4096 - len(start_of_head) - 4 + beyond) + b"\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))) as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 " + status)
