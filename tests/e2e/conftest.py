"""Real server processes, started and stopped by the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.patience import PATIENCE, SERVER_ENVIRONMENT
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]


@dataclass
class Server:
    """One server process."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it and give its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/health/ready", timeout=30).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"not ready within {seconds} s: {log.read_text()}")


StartServer = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """A function that starts `python -m <arguments>` on a free port and waits until it is ready."""
    servers: list[Server] = []

    def run(*arguments: str, environment: dict[str, str] | None = None, open_files: int | None = None) -> Server:
        port, log = free_port(), tmp_path / f"server{len(servers)}.log"
        limit = ("prlimit", f"--nofile={open_files}") if open_files else ()
        command = [*limit, sys.executable, "-m", *(argument.replace("PORT", str(port)) for argument in arguments)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | SERVER_ENVIRONMENT | (environment or {}),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        server = Server(process, f"http://127.0.0.1:{port}", log)
        servers.append(server)
        wait_until_ready(server.url, process, log)
        return server

    yield run
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
