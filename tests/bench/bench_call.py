"""What one call costs, beside floors that only read the body, decode it and answer a constant card.

    python -m tests.bench.bench_call [--payload FILE ...] [--rounds 12] [--calls 100]

Without payloads: those of ../shared/bench where they are beside the project, and the project's own, which have half as
many bytes for a result.
Three real servers, called in turn, so that the ratios hold when the machine's speed drifts: the service, a floor that
decodes with orjson, and one that decodes with the service's typed model. Processor milliseconds per call of the server
and all its worker processes; the median of the pairwise ratios is the figure to quote. Never part of the test suite.
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


def _ticks(process: int) -> int:
    """Clock ticks of a process and of its children that it has waited for; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(map(int, fields[11:15]))


def _with_descendants(process: int) -> list[int]:
    """A process and all that it has forked."""
    found = [process]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += map(int, children.read_text(encoding="ascii").split())
            except FileNotFoundError:
                continue  # the thread has just ended
    return found


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
        """Processor seconds so far of the process and its worker processes, also of those that have ended."""
        return sum(map(_ticks, _with_descendants(self.process.pid))) / TICK

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
    floor, typed = Server(["tests.bench.floor:app"]), Server(["tests.bench.msgspec_floor:app"])
    service = Server(["--factory", "app.main:service"])
    try:
        for name, body in bodies.items():
            calls = arguments.calls if len(body) < 1_000_000 else max(4, arguments.calls // 8)
            for server in (floor, typed, service):
                server.call(body, calls)
            rows = [
                (floor.call(body, calls), typed.call(body, calls), service.call(body, calls))
                for _ in range(arguments.rounds)
            ]
            least = 1000 / TICK / calls  # the resolution of the clock
            ratios = sorted(ours / max(base, least) for base, _, ours in rows)
            to_typed = median(ours / max(base, least) for _, base, ours in rows)
            base, read, ours = (median(column) for column in zip(*rows, strict=True))
            print(
                f"{name:14} {len(body) / 1000:7.0f} kB  floor {base:6.2f} ms  typed floor {read:6.2f} ms  "
                f"service {ours:7.2f} ms  ratio {median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}), "
                f"to the typed floor {to_typed:.2f}",
                flush=True,
            )
    finally:
        for server in (floor, typed, service):
            server.stop()


if __name__ == "__main__":
    main()
