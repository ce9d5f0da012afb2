"""A process that answers one request again and again: the subject of `tests.bench.instructions`.

    python -m tests.bench.calls service|floor|msgspec PAYLOAD CALLS

The request goes through the whole ASGI application, without a socket. The process warms up, prints "ready", and makes
CALLS calls for each line that it reads.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import sys
from pathlib import Path
from typing import Any

from tests.bench.floor import PATH

WARM_UP = 12
FLOORS = {"floor": "tests.bench.floor", "msgspec": "tests.bench.msgspec_floor"}


async def call(app: Any, body: bytes) -> int:
    """The status of one POST of the body."""
    status = 0
    sent = False
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"host", b"bench"),
    ]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    await app(scope, receive, send)
    return status


def application(name: str) -> Any:
    """The ASGI application: "floor", "msgspec" (the typed floor), or "service" with its default settings."""
    if name in FLOORS:
        return importlib.import_module(FLOORS[name]).app
    # All work is done in this process, where it is counted: under callgrind a call takes fifty times as long, and the
    # service would end it and hand it over to a worker process.
    routes = importlib.import_module("app.api.cds")
    vars(routes).update(is_small=lambda _: True, limited=lambda work: work())
    return importlib.import_module("app.main").service()


def main() -> None:
    """Answer calls as standard input asks for them."""
    name, file, calls = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    app, body = application(name), file.read_bytes()
    logging.disable(logging.CRITICAL)

    async def run(count: int) -> None:
        for _ in range(count):
            status = await call(app, body)
            if status != 200:
                raise SystemExit(f"status {status}")

    with asyncio.Runner() as runner:
        runner.run(run(WARM_UP))
        gc.collect()
        print("ready", flush=True)
        for _ in sys.stdin:
            runner.run(run(calls))
            print("done", flush=True)


if __name__ == "__main__":
    main()
