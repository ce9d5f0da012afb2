"""The site of the documents: it builds without a warning, its links lead somewhere, its commands exist and run."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.commands.cli import main
from tests.e2e.conftest import wait_until_ready
from tests.support.patience import PATIENCE, SERVER_ENVIRONMENT
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"```[^\n]*\n(.*?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page: of its headings, as GitHub and the site make them, and those that it names itself."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#{1,6} (.+)$", _FENCE.sub("", text), re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)"', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors_of(file)):
            broken.append(target)
    assert broken == []


def commands_in(text: str) -> Iterator[str]:
    """The lines of code, and code within lines, that call `osteon`."""
    lines = [line.strip() for block in _FENCE.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    for code in [*lines, *_CODE.findall(_FENCE.sub("", text))]:
        found = re.match(r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?osteon ([a-z-]+\b.*)$", code)
        if found:
            yield found[1]


def help_of(command: str) -> str:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    return told.getvalue() if ended.value.code == 0 else ""


def test_every_command_and_option_of_the_documents_exists() -> None:
    used: dict[str, set[str]] = {}
    for page in PAGES:
        for command in commands_in(page.read_text(encoding="utf-8")):
            words = command.split()
            used.setdefault(words[0], set()).update(re.findall(r"(?<![\w-])--[a-z][a-z-]*", command))
    assert {"screen", "explain", "check", "diff", "shadow", "serve", "codes"} <= used.keys()
    wrong = []
    for command, options in used.items():
        if command == "codes":
            continue  # it has commands of its own, which its tests call
        told = help_of(command)
        wrong += [f"osteon {command}"] * (not told)
        wrong += [f"osteon {command} {option}" for option in sorted(options) if option not in told]
    assert wrong == []


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    start = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Five minutes" in start
    assert "Unreleased" in (tmp_path / "changelog.html").read_text(encoding="utf-8")
    assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="https?://', start)  # works without internet
    assert (tmp_path / "search.html").exists()


def test_the_reasons_of_a_401_are_those_of_the_code() -> None:
    section = (DOCS / "troubleshooting.md").read_text(encoding="utf-8").partition("## 401")[2].partition("## 403")[0]
    told = {word for row in re.findall(r"^\| (.+?) \|", section, re.MULTILINE) for word in _CODE.findall(row)}
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app" / "api" / "trust").glob("*.py"))
    assert {word for word in told if f'"{word}"' not in sources} == set()


def test_start_runs_as_it_is_written(tmp_path: Path) -> None:
    """Each command of "Five minutes", against a service started for it."""
    port = free_port()
    log = tmp_path / "service.log"
    serve = [sys.executable, "-m", "app", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(serve, stdout=output, stderr=output, env=os.environ | SERVER_ENVIRONMENT, cwd=ROOT)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process, log)
        blocks = _FENCE.findall((DOCS / "start.md").read_text(encoding="utf-8"))
        commands = [line.strip() for block in blocks for line in block.splitlines() if line.strip()]
        assert commands[0] == "make run"
        for command in commands[1:]:
            words = shlex.split(command.replace(":8000", f":{port}"))
            if words[0] == ".venv/bin/osteon":
                words = [sys.executable, "-m", "app", *words[1:]]
            result = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, timeout=PATIENCE)
            assert result.returncode == 0, (command, result.stderr)
            assert "issue" not in result.stdout, command
            assert re.search(r'"services"|"cards"|holds', result.stdout), command
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
