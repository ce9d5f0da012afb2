"""The Dockerfile, read as text (it is built and run by deploy/build-image.sh), and the tools beside it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from app import __version__
from deploy import check_running
from tests.deploy.conftest import DEPLOY, ROOT
from tests.support.ports import free_port

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
BUILD, FINAL = DOCKERFILE.split("\nFROM ")[1:]
COPIED = re.findall(r"^COPY (?!--from)(.+) \S+$", BUILD, re.MULTILINE)


def test_the_base_image_is_an_argument_of_both_stages() -> None:
    assert DOCKERFILE.count("FROM ${PYTHON_IMAGE}") == 2
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.11-slim-bookworm$", DOCKERFILE, re.MULTILINE)


def test_packages_come_from_the_locks_with_their_hashes() -> None:
    installs = re.findall(r"pip install ([^&]+)", BUILD)
    assert len(installs) == 3
    for options in installs:
        assert "--require-hashes" in options or "--no-index" in options


def test_the_process_is_an_ordinary_user_and_has_no_shell_around_it() -> None:
    assert "USER 10001:10001" in FINAL
    for instruction in ("ENTRYPOINT", "CMD", "    CMD"):
        (line,) = re.findall(rf"^{instruction} (.+)$", FINAL, re.MULTILINE)
        assert json.loads(line)  # exec form is JSON
    assert FINAL.rindex("RUN ") < FINAL.index("USER ")


def test_the_version_of_the_label_is_that_of_the_service() -> None:
    assert f"ARG VERSION={__version__}\n" in FINAL


def test_everything_that_the_wheel_is_made_of_gets_into_the_build() -> None:
    """What pyproject puts into the wheel is copied, and the allow-list of the context lets it through."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = {name for line in COPIED for name in line.split()}
    assert {*wheel["packages"], *wheel["force-include"]} <= copied
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


@pytest.fixture
def answering() -> Iterator[Callable[[int], int]]:
    """A function that starts a server which answers everything with one status, and gives its port."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int) -> int:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/health/live" else 404)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None: ...

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Answer))
        Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1].server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (None, False)])
def test_the_health_check_says_whether_the_service_lives(
    answering: Callable[[int], int], status: int | None, healthy: bool
) -> None:
    (line,) = re.findall(r"^    CMD (.+)$", FINAL, re.MULTILINE)
    interpreter, *options, code = json.loads(line)
    assert interpreter == "/opt/osteon/bin/python"
    port = answering(status) if status else free_port()
    command = [sys.executable, *options, code.replace("8000", str(port))]
    assert (subprocess.run(command, capture_output=True).returncode == 0) is healthy


def test_hadolint_and_shellcheck_find_nothing(tools: Path) -> None:
    for tool, paths in (("hadolint", [ROOT / "Dockerfile"]), ("shellcheck", sorted(DEPLOY.glob("*.sh")))):
        finished = subprocess.run([tools / tool, *paths], capture_output=True, text=True)
        assert finished.returncode == 0, finished.stdout


def test_the_check_of_a_running_service_fails_where_nobody_answers() -> None:
    with pytest.raises(check_running.CheckFailed, match="not ready within"):
        check_running.wait_until_ready(f"http://127.0.0.1:{free_port()}", 0.3)


def test_the_kernel_knows_the_user_of_a_listening_socket(tmp_path: Path) -> None:
    table = tmp_path / "tcp"
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    rows = (
        "   0: 0100007F:1F40 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 1 1\n"
        "   1: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001        0 2 1\n"
    )
    table.write_text(head + rows)
    assert check_running.uid_of_listener(8000, (str(table),)) == 10001
    with pytest.raises(check_running.CheckFailed):
        check_running.uid_of_listener(8001, (str(table),))


def test_the_check_of_a_running_service_needs_no_package() -> None:
    """It runs with any Python, outside the environment of the service (-I and -S: no site packages)."""
    command: list[str | Path] = [sys.executable, "-I", "-S", DEPLOY / "check_running.py", "--help"]
    assert subprocess.run(command, capture_output=True).returncode == 0
