"""Checks a service that runs, as an operator would after installing it; needs nothing but Python.

    python3 deploy/check_running.py http://127.0.0.1:8000 [--uid 10001] [--within 300]

Waits until the service is ready, sends the sample patient of openapi/examples and looks at the answer. With --uid
(Linux, same network namespace) it also asks the kernel which user holds the listening socket. Exit status 1 where
something is not as it should be, with one line that says what.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SAMPLE = Path(__file__).resolve().parents[1] / "openapi" / "examples" / "patient-view.request.json"
LISTENING = "0A"  # the state of a listening socket in /proc/net/tcp

# Never through a proxy of the environment: the service is here or nearby.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class CheckFailed(Exception):
    """The service is not as it should be; the message says in what."""


def wait_until_ready(base: str, seconds: float) -> float:
    """Seconds until /health/ready said 200. Raises CheckFailed after `seconds`."""
    started = time.monotonic()
    last = "no answer"
    while (waited := time.monotonic() - started) < seconds:
        try:
            with _open(f"{base}/health/ready", timeout=30):
                return waited
        except urllib.error.HTTPError as error:
            last = f"status {error.code}"
        except OSError as error:
            last = str(error)
        time.sleep(0.1)
    raise CheckFailed(f"not ready within {seconds:g} s: {last}")


def post_sample(base: str) -> tuple[list[dict[str, Any]], float]:
    """The cards for the sample patient, and the milliseconds that they took. Raises CheckFailed."""
    request = urllib.request.Request(
        f"{base}/cds-services/osteoporosis-patient-view",
        data=SAMPLE.read_bytes(),
        headers={"Content-Type": "application/json"},
    )
    started = time.monotonic()
    try:
        with _open(request, timeout=120) as answer:
            body = json.load(answer)
    except urllib.error.HTTPError as error:
        raise CheckFailed(f"the sample request got status {error.code}: {error.read(2000).decode()}") from error
    milliseconds = (time.monotonic() - started) * 1000
    cards = body.get("cards")
    if not cards:
        raise CheckFailed("the sample patient got no card")
    for card in cards:
        if not (card.get("summary") and card.get("indicator") and card.get("source", {}).get("label")):
            raise CheckFailed("a card lacks summary, indicator or source")
    return cards, milliseconds


def uid_of_listener(port: int, tables: tuple[str, ...] = ("/proc/net/tcp", "/proc/net/tcp6")) -> int:
    """The user id that holds the listening socket of a port, as the kernel says. Raises CheckFailed."""
    for table in tables:
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                return int(fields[7])
    raise CheckFailed(f"nothing listens on port {port}")


def main() -> int:
    """Run all checks and print one line each."""
    parser = argparse.ArgumentParser(description="Check a running Osteon service")
    parser.add_argument("base", help="address, for example http://127.0.0.1:8000")
    parser.add_argument("--uid", type=int, help="the user id that the process must have")
    parser.add_argument("--within", type=float, default=300, help="seconds to wait for readiness")
    options = parser.parse_args()
    base = options.base.rstrip("/")
    try:
        print(f"ready after {wait_until_ready(base, options.within):.1f} s")
        cards, milliseconds = post_sample(base)
        print(f"sample patient: {len(cards)} cards in {milliseconds:.0f} ms (first call)")
        for card in cards:
            print(f"  {card['indicator']:8} {card['summary']}")
        if options.uid is not None:
            uid = uid_of_listener(urlsplit(base).port or 80)
            if uid != options.uid:
                raise CheckFailed(f"the process runs as user {uid}, not {options.uid}")
            print(f"runs as user {uid}")
    except CheckFailed as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
