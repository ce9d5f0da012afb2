"""Instructions per call: a figure that no busy machine and no clock changes. Needs valgrind.

    python -m tests.bench.instructions            # print the figures of the service and the two floors
    python -m tests.bench.instructions --payload FILE ...
    python -m tests.bench.instructions --check    # fail where one is 3 % above instructions.json
    python -m tests.bench.instructions --write    # accept the figures as the new bound

Counts are of one process under callgrind, for calls through the whole ASGI application on the payloads of
`tests/bench/payload.py`, without a worker process; hash seeds are fixed. They repeat to about half a percent on one
build of Python: another build can need other bounds. Without valgrind the check is skipped, which it says.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
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
NAMES = ("service", "floor", "msgspec")
Counts = dict[str, dict[str, int]]


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


def figures(payloads: dict[str, bytes], names: tuple[str, ...] = NAMES) -> Counts:
    """Instructions per call by payload and application; printed as they come."""
    found: Counts = {}
    with tempfile.TemporaryDirectory() as folder:
        for title, body in payloads.items():
            payload = Path(folder) / "payload.json"
            payload.write_bytes(body)
            calls = CALLS["heavy" if len(body) > 1_000_000 else "typical" if len(body) > 50_000 else "small"]
            found[title] = {name: count(name, payload, calls) for name in names}
            service = found[title]["service"]
            line = f"{title:14} service {service / 1e6:8.2f} M"
            for name in names[1:]:
                line += f"  {name} {found[title][name] / 1e6:7.2f} M ({service / found[title][name]:.2f} x)"
            print(line, flush=True)
    return found


def too_slow(measured: Counts, bounds: Counts) -> list[str]:
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
    parser.add_argument("--payload", action="append", type=Path, help="a file instead of the project's own payloads")
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("SKIPPED: instructions per call are NOT checked, valgrind is not installed", file=sys.stderr)
        return 0 if arguments.check else 1
    bounds: Counts = json.loads(BOUNDS.read_text(encoding="utf-8")) if arguments.check else {}
    if arguments.payload:
        payloads = {path.stem: path.read_bytes() for path in arguments.payload}
    else:
        payloads = {size: orjson.dumps(request(size, date.today())) for size in arguments.size or bounds or SIZES}
    measured = figures(payloads, NAMES[:1] if arguments.check or arguments.write else NAMES)
    if arguments.write:
        BOUNDS.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    if arguments.check:
        faults = too_slow(measured, bounds)
        print("\n".join(faults) or "within the bounds")
        return 1 if faults else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
