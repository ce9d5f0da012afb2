"""Instructions per call: a figure that no busy machine and no clock changes. Needs valgrind.

    python -m tests.bench.instructions            # print the figures of service and floor
    python -m tests.bench.instructions --check    # fail where one is 3 % above instructions.json
    python -m tests.bench.instructions --write    # accept the figures as the new bound

Counts are of one process under callgrind, for calls through the whole ASGI application on the payloads of
`tests/bench/payload.py`; hash seeds are fixed. They repeat to about half a percent on one version of Python.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import orjson

from tests.bench.payload import SIZES, request

BOUNDS = Path(__file__).with_name("instructions.json")
TOLERANCE = 0.03
CALLS = {"small": 40, "typical": 20, "heavy": 4}


def count(application: str, payload: Path, calls: int) -> int:
    """Instructions per call of one application on one payload."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"]
        command += [sys.executable, "-m", "tests.bench.calls", application, str(payload), str(calls)]
        environment = os.environ | {"PYTHONHASHSEED": "0", "OSTEON_LOG_LEVEL": "error"}
        log = Path(folder) / "valgrind.log"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True
            )
            if process.stdin is None or process.stdout is None:
                raise AssertionError("pipes were asked for")
            if process.stdout.readline().strip() != "ready":
                raise SystemExit(log.read_text(encoding="utf-8", errors="replace")[-2000:])
            switch = ["callgrind_control", "-i"]
            subprocess.run(
                [*switch, "on", str(process.pid)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            process.stdin.write("\n")
            process.stdin.flush()
            process.stdout.readline()
            subprocess.run(
                [*switch, "off", str(process.pid)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            process.stdin.close()
            process.wait()
        totals = re.search(r"^totals: (\d+)", out.read_text(encoding="utf-8"), re.MULTILINE)
        if totals is None:
            raise SystemExit("callgrind wrote no total")
        return int(totals[1]) // calls


def figures(sizes: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Instructions per call by payload and application."""
    found: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            payload = Path(folder) / f"{size}.json"
            payload.write_bytes(orjson.dumps(request(size, date.today())))
            found[size] = {name: count(name, payload, CALLS[size]) for name in ("service", "floor")}
            service, floor = found[size]["service"], found[size]["floor"]
            print(
                f"{size:8} {service / 1e6:8.2f} M  floor {floor / 1e6:8.2f} M  ratio {service / floor:.2f}", flush=True
            )
    return found


def too_slow(measured: dict[str, dict[str, int]], bounds: dict[str, dict[str, int]]) -> list[str]:
    """What is more than the tolerance above its bound, a line each."""
    return [
        f"{size}: {counts['service']:,} instructions per call, bound {bounds[size]['service']:,} + {TOLERANCE:.0%}"
        for size, counts in measured.items()
        if counts["service"] > bounds[size]["service"] * (1 + TOLERANCE)
    ]


def main() -> int:
    """Print, check or write the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--size", action="append", choices=tuple(SIZES))
    arguments = parser.parse_args()
    measured = figures(tuple(arguments.size or SIZES))
    if arguments.write:
        BOUNDS.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    if arguments.check:
        faults = too_slow(measured, json.loads(BOUNDS.read_text(encoding="utf-8")))
        print("\n".join(faults) or "within the bounds")
        return 1 if faults else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
