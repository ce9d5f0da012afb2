"""The command line as somebody types it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from app.commands.cli import main
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[3]
COMMANDS = ("serve", "demo", "explain", "check", "check-fhir", "codes", "diff", "shadow", "new-guideline", "test")


def run(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # the pipe and the buffers of a real process
        ["bash", "-c", f"set -o pipefail; {command}"], cwd=ROOT, text=True, capture_output=True, timeout=PATIENCE
    )


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert not ended.value.code
    assert capsys.readouterr().out == f"osteon {__version__}\n"


def test_the_package_runs_as_a_module() -> None:
    assert run(f"{sys.executable} -m app --version").stdout.strip() == f"osteon {__version__}"


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert all(re.search(rf"^    {name}\b", told, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in {"serve", "demo"}])
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert not ended.value.code
    assert f"usage: osteon {name}" in capsys.readouterr().out


def test_a_reader_that_closes_the_pipe_ends_the_command_in_silence() -> None:
    request = "openapi/examples/patient-view.request.json"
    ended = run(f"{sys.executable} -m app explain {request} | head -n 1")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("profile ")


def test_a_port_that_is_taken_says_what_to_type() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(f"{sys.executable} -m app serve --port {port}")
    assert ended.returncode != 0
    assert f"port {port} on 127.0.0.1 is taken; add --port {port % 65535 + 1}" in ended.stderr
