"""Logging can neither raise nor block: the collector is gone, hangs, or the disk is full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

from tests.e2e.conftest import ROOT
from tests.support import calls
from tests.support.patience import PATIENCE, get, post, wait_until
from tests.support.ports import free_port

COMMAND = (sys.executable, "-m", "app.commands.cli", "serve", "--port")
LINES = 400
"""More than a pipe of 64 KiB and the waiting lines of the tests hold."""


@contextmanager
def serving(
    stderr: int | IO[bytes], port: int, *, file_bytes: int | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    limit = ["prlimit", f"--fsize={file_bytes}"] if file_bytes else []
    with subprocess.Popen([*limit, *COMMAND, str(port)], stderr=stderr, stdout=subprocess.DEVNULL, cwd=ROOT) as process:
        try:
            yield f"http://127.0.0.1:{port}", process
        finally:
            if process.poll() is None:
                process.kill()


def until_ready(url: str) -> None:
    def ready() -> bool:
        try:
            return httpx.get(f"{url}/health/ready", timeout=30).status_code == 200
        except httpx.TransportError:
            return False

    wait_until(ready, lambda: "not ready")


def is_answered(url: str, *, losing: bool) -> None:
    """Calls, probes and errors have their answers; lost lines are counted, and readiness says so."""
    answer = post(f"{url}/cds-services/{calls.PATIENT_VIEW}", json=calls.example("patient-view.request"))
    assert answer.status_code == 200
    assert answer.json()["cards"]
    assert get(f"{url}/health/live").status_code == 200
    assert get(f"{url}/nothing").status_code == 404
    ready = get(f"{url}/health/ready")
    assert ready.status_code == 200
    assert ("log" in ready.json()) is losing
    lost = [line for line in get(f"{url}/metrics").text.splitlines() if line.startswith("osteon_log_lines_lost_total{")]
    assert any(float(line.rpartition(" ")[2]) > 0 for line in lost) is losing


def stops_cleanly(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0


def test_a_collector_that_is_gone() -> None:
    reading, writing = os.pipe()
    with serving(writing, free_port()) as (url, process):
        os.close(writing)
        until_ready(url)
        is_answered(url, losing=False)
        os.close(reading)
        assert get(f"{url}/health/live").status_code == 200  # its line is the first that is lost
        for _ in range(3):
            is_answered(url, losing=True)
        stops_cleanly(process)


def test_a_collector_that_hangs() -> None:
    """Lines wait in memory up to a limit; then they are lost, and nothing else is."""
    reading, writing = os.pipe()
    with serving(writing, free_port()) as (url, process):
        os.close(writing)
        until_ready(url)
        with httpx.Client(timeout=PATIENCE) as client:
            for _ in range(8000):
                assert client.get(f"{url}/health/live").status_code == 200
        is_answered(url, losing=True)
        assert os.read(reading, 65536).startswith(b"{")  # the collector comes back
        stops_cleanly(process)
    os.close(reading)


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, serving(log, free_port(), file_bytes=20_000) as (url, process):
        until_ready(url)
        for _ in range(LINES):
            get(f"{url}/health/live")
        is_answered(url, losing=True)
        stops_cleanly(process)


@pytest.mark.parametrize("seconds", [0.1, 1.0])
def test_sigterm_during_the_start_ends_it(seconds: float) -> None:
    """As process 1 of a container, a process without a handler is not stopped at all."""
    with serving(subprocess.PIPE, free_port()) as (_, process):
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) in (0, -signal.SIGTERM)  # before Python runs, the signal itself ends it


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """Killed without a chance to tell anybody, the parent leaves no worker behind on the port."""
    port = free_port()
    command = [*COMMAND, str(port), "--workers", "2"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stderr=log, cwd=ROOT) as process:
        until_ready(f"http://127.0.0.1:{port}")
        process.kill()

    def gone() -> bool:
        try:
            httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=30)
        except httpx.ConnectError:
            return True
        except httpx.TransportError:
            return False
        return False

    wait_until(gone, lambda: "a worker still answers")
