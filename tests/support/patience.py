"""How long tests wait for something that must happen: minutes, because the machine may be busy with other work.

A test that passes never waits this long. No test asserts that something was quick.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from app.settings import Settings

PATIENCE = 600.0
"""Seconds. Two workers of a server needed more than 300 to be ready where ten processes of higher priority ran."""

SERVER_ENVIRONMENT = {"OSTEON_REQUEST_TIMEOUT_SECONDS": f"{PATIENCE:g}"}
"""For a server process whose own deadline is not what the test is about."""

get = partial(httpx.get, timeout=PATIENCE)
post = partial(httpx.post, timeout=PATIENCE)


def patient_settings() -> Settings:
    """The default settings, but a deadline for requests that a busy machine keeps."""
    return Settings(request_timeout_seconds=PATIENCE)


def wait_until(holds: Callable[[], bool], otherwise: Callable[[], str], seconds: float = PATIENCE) -> None:
    """Ask ten times a second until it holds; fail with the message of `otherwise` after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.1)


def wait_for_text(log: Path, text: str) -> None:
    """Wait until a log file contains the text."""
    wait_until(lambda: text in log.read_text(), lambda: f"{text!r} did not appear: {log.read_text()}")
