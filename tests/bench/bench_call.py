"""What one call costs, beside a floor that only reads the body, decodes it and answers a constant card.

    python -m tests.bench.bench_call [--payload FILE ...] [--rounds 12] [--calls 100]

Without payloads: those of ../shared/bench where they are beside the project, and the project's own, which have half as
many bytes for a result.
Two real servers, called in turn, so that the ratio holds when the machine's speed drifts. Processor milliseconds of the
server process per call; the median of the pairwise ratios is the figure to quote. Never part of the test suite.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median

import orjson

from tests.bench.floor import PATH
from tests.bench.payload import SIZES, request

TICK = os.sysconf("SC_CLK_TCK")
SHARED = Path(__file__).parents[3] / "shared" / "bench" / "make_payloads.py"


def payloads() -> dict[str, bytes]:
    """The payloads by name, when none are named."""
    own = {f"own {size}": orjson.dumps(request(size, date.today())) for size in SIZES}
    if not SHARED.exists():
        return own
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, SHARED, folder], check=True, stdout=subprocess.DEVNULL)
        return {size: (Path(folder) / f"{size}.json").read_bytes() for size in SIZES} | own


class Server:
    """A server process and a connection to it."""

    def __init__(self, app: list[str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        command = [sys.executable, "-m", "uvicorn", *app, "--port", str(self.port), "--log-level", "warning"]
        self.process = subprocess.Popen(command, env=os.environ | {"OSTEON_LOG_LEVEL": "error"})
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self._wait()

    def _wait(self) -> None:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("the server did not start")

    def cpu(self) -> float:
        """Processor seconds of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def call(self, body: bytes, calls: int) -> float:
        """Processor milliseconds per call over so many calls."""
        began = self.cpu()
        for _ in range(calls):
            self.connection.request("POST", PATH, body, {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"status {answer.status}")
        return (self.cpu() - began) * 1000 / calls

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(timeout=20)


def main() -> None:
    """Measure the three sizes, or payload files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--payload", type=Path, action="append", default=[])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--calls", type=int, default=100)
    arguments = parser.parse_args()
    bodies = {path.name: path.read_bytes() for path in arguments.payload}
    bodies = bodies or payloads()
    floor, service = Server(["tests.bench.floor:app"]), Server(["--factory", "app.main:service"])
    try:
        for name, body in bodies.items():
            calls = arguments.calls if len(body) < 1_000_000 else max(4, arguments.calls // 8)
            for server in (floor, service):
                server.call(body, calls)
            rows = [(floor.call(body, calls), service.call(body, calls)) for _ in range(arguments.rounds)]
            ratios = sorted(ours / max(base, 1 / TICK) for base, ours in rows)
            base, ours = (median(column) for column in zip(*rows, strict=True))
            print(
                f"{name:14} {len(body) / 1000:7.0f} kB  floor {base:6.2f} ms  service {ours:7.2f} ms  "
                f"ratio {median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})",
                flush=True,
            )
    finally:
        floor.stop()
        service.stop()


if __name__ == "__main__":
    main()
