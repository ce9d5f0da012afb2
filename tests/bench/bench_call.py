"""What one call costs, beside a floor that only reads the body, decodes it and answers a constant card.

    python -m tests.bench.bench_call [--payload FILE] [--rounds 40]

Both apps run in this process without a network, in turn, so that the ratio holds when the machine's speed drifts.
Processor time; the median of the pairwise ratios is the figure to quote. Never part of the test suite.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

from app.main import create_app
from app.pipeline import build_pipeline
from app.settings import Settings
from tests.bench.payload import SIZES, request

PATH = "/cds-services/osteoporosis-patient-view"


def floor() -> FastAPI:
    """FastAPI, body read, orjson, a constant card."""
    app = FastAPI()
    card = orjson.dumps({"cards": [{"summary": "constant", "indicator": "info", "source": {"label": "floor"}}]})

    @app.post(PATH)
    async def answer(request: Request) -> Response:
        body = orjson.loads(await request.body())
        return Response(card if body["hook"] else b"{}", media_type="application/json")

    return app


async def call(app: Any, body: bytes) -> int:
    """One call straight into the ASGI app; returns the status."""
    status = 0
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
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
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.sleep(3600)
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    await app(scope, receive, send)
    return status


async def measure(apps: list[Any], body: bytes, rounds: int) -> list[list[float]]:
    """Processor milliseconds per round and app."""
    for app in apps:
        for _ in range(5):
            status = await call(app, body)
            if status != 200:
                raise SystemExit(f"status {status}")
    gc.collect()
    gc.freeze()
    rows = []
    for _ in range(rounds):
        row = []
        for app in apps:
            began = time.process_time()
            for _ in range(5):
                await call(app, body)
            row.append((time.process_time() - began) * 200)
        rows.append(row)
    return rows


def report(name: str, body: bytes, rows: list[list[float]]) -> None:
    """One line per payload."""
    ratios = sorted(service / base for base, service in rows)
    base, service = (median(column) for column in zip(*rows, strict=True))
    print(
        f"{name:10} {len(body) / 1000:8.0f} kB  floor {base:7.2f} ms  service {service:7.2f} ms  "
        f"ratio {median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
    )


def main() -> None:
    """Measure the three sizes, or one payload file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--payload", type=Path, action="append", default=[])
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    settings = Settings(log_level="error")
    apps: list[Callable[..., Any]] = [floor(), create_app(pipeline=build_pipeline(settings), settings=settings)]
    bodies = {path.name: path.read_bytes() for path in arguments.payload}
    bodies = bodies or {size: orjson.dumps(request(size, date.today())) for size in SIZES}
    for name, body in bodies.items():
        rounds = arguments.rounds if len(body) < 1_000_000 else max(5, arguments.rounds // 8)
        report(name, body, asyncio.run(measure(apps, body, rounds)))


if __name__ == "__main__":
    main()
