"""Shows what the service does: sends the sample patient to a running service and prints the cards for reading."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import httpx

from app.api.page.samples import sample_request

_SERVICE = "osteoporosis-patient-view"
_SAMPLE = "patient-view"
_WIDTH = 100
_START_SECONDS = 300.0


def address(host: str, port: int) -> str:
    """The URL of a service that listens on host and port."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def show(url: str) -> int:
    """Send the sample patient and print the cards. Gives the exit status."""
    request = sample_request(_SAMPLE, datetime.now(UTC).date())
    try:
        response = httpx.post(f"{url}/cds-services/{_SERVICE}", json=request, timeout=60.0)
    except httpx.TransportError as error:
        print(f"No answer from {url}: {error}")
        return 1
    if response.status_code != httpx.codes.OK:
        print(f"{url} answered {response.status_code}: {response.text}")
        return 1
    print(rendered(request, response.json()))
    return 0


def serve_and_show(host: str, port: int) -> int:
    """Start the service, show the sample patient's cards, and stay until Ctrl-C. Gives the exit status."""
    command = [sys.executable, "-m", "app.commands.cli", "serve", "--host", host, "--port", str(port)]
    # A session of its own: Ctrl-C reaches this process alone, which then stops the service once.
    # Its log would mix with the cards; to see it set OSTEON_LOG_LEVEL.
    quiet = {"OSTEON_LOG_LEVEL": "warning"} | os.environ
    server = subprocess.Popen(command, start_new_session=True, env=quiet)  # noqa: S603 - our own module with checked arguments
    stopped = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        server.terminate()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    url = address(host, port)
    if _wait_until_ready(url, server) and show(url) == 0:
        print(_addresses(url), flush=True)
    elif not stopped:
        server.terminate()
        return server.wait() or 1
    status = server.wait()
    print("Stopped.")
    return 0 if stopped else status


def _wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Whether the service reports ready before it ends or the time is over."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            if httpx.get(f"{url}/health/ready", timeout=30.0).status_code == httpx.codes.OK:
                return server.poll() is None
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.1)
    if server.poll() is None:
        print(f"{url} was not ready within {_START_SECONDS:g} seconds; its log says why", file=sys.stderr)
    return False


def _addresses(url: str) -> str:
    return f"""
The service is running. Open
  {url}/               the page: choose a patient, see the cards and why
  {url}/docs           its interface, to read and to try
  {url}/cds-services   its services
Stop it with Ctrl-C."""


def rendered(request: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """The cards as plain text."""
    patient = request["prefetch"]["patient"]
    profile = request["extension"]["osteon.configuration"]["profile"]
    lines = [f"Sample patient: {patient['gender']}, born {patient['birthDate']} (profile {profile})", ""]
    for card in answer["cards"]:
        lines += [*_card(card), ""]
    count = len(answer["cards"])
    return "\n".join([*lines, f"{count} card{'' if count == 1 else 's'}"])


def _card(card: Mapping[str, Any]) -> list[str]:
    lines = [f"[{card['indicator'].upper()}] {card['summary']}"]
    for paragraph in card.get("detail", "").splitlines():
        text = paragraph.replace("**", "")  # bold in Markdown, noise in a terminal
        hanging = "      " if text.startswith("- ") else "    "
        lines += textwrap.wrap(text, _WIDTH, initial_indent="    ", subsequent_indent=hanging) or [""]
    for suggestion in card.get("suggestions", []):
        recommended = " (recommended)" if suggestion.get("isRecommended") else ""
        lines.append(f"    -> {suggestion['label']}{recommended}")
    source = card["source"]
    lines.append("    Source: " + ", ".join(part for part in (source["label"], source.get("url")) if part))
    return lines
