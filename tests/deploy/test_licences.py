"""The list of licences and the bill of materials hold what the lock file holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.licences import LOCKED, canonical
from tests.deploy.conftest import DEPLOY, ROOT

STATED = [{"Name": "some_package", "Version": "1.0", "License": "MIT", "URL": "https://example.org"}]


def locked() -> dict[str, tuple[str, str]]:
    """Name -> version and marker of every package of requirements.lock."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = {canonical(name): (version, marker) for name, version, marker in LOCKED.findall(text)}
    assert len(found) == len(re.findall(r"^\S+==", text, re.MULTILINE)) > 30
    return found


def test_the_list_of_licences_names_every_package_of_the_lock() -> None:
    page = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    rows = {canonical(name): version for name, version in re.findall(r"^\| \[([^]]+)\]\S+ \| (\S+) \|", page, re.M)}
    elsewhere = {canonical(name): version for name, version in re.findall(r"`([\w.-]+)` (\S+) \(where", page)}
    assert rows | elsewhere == {name: version for name, (version, _) in locked().items()}, "run: make sbom"
    assert all(locked()[name][1] for name in elsewhere)


def test_no_licence_is_unknown_or_forbids_what_we_do() -> None:
    page = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    licences = re.findall(r"^\| \[[^]]+\]\S+ \| \S+ \| ([^|]+) \|", page, re.MULTILINE)
    assert len(licences) > 30
    for licence in licences:
        assert re.search(r"MIT|BSD|Apache|MPL|Mozilla|PSF|Python Software Foundation|ISC|Unlicense", licence), licence
        assert not re.search(r"\bA?GPL", licence), licence


def test_the_bill_of_materials_is_that_of_the_lock() -> None:
    bill = json.loads((DEPLOY / "sbom" / "osteon.cdx.json").read_text(encoding="utf-8"))
    parts = {canonical(part["name"]): part["version"] for part in bill["components"]}
    needed = {name: version for name, (version, marker) in locked().items() if name in parts or not marker}
    assert parts == needed, "run: make sbom"
    assert bill["bomFormat"] == "CycloneDX"
    assert all(part["purl"].startswith("pkg:pypi/") for part in bill["components"])
    assert bill["metadata"]["component"]["name"] == "osteon"


@pytest.mark.parametrize(
    ("lock", "stated", "fails"),
    [
        ("some-package==1.0 \\\n", STATED, False),
        ("some-package==1.1 \\\n", STATED, True),
        ("some-package==1.0 \\\nother==2 \\\n", STATED, True),
        ("some-package==1.0 \\\nother==2 ; sys_platform == 'win32' \\\n", STATED, False),
        ("some-package==1.0 \\\n", [STATED[0] | {"License": "UNKNOWN"}], True),
    ],
)
def test_the_list_is_not_made_from_another_environment(
    tmp_path: Path, lock: str, stated: list[dict[str, str]], fails: bool
) -> None:
    path = tmp_path / "requirements.lock"
    path.write_text(lock)
    command: list[str | Path] = [sys.executable, DEPLOY / "licences.py", path]
    finished = subprocess.run(command, input=json.dumps(stated), capture_output=True, text=True)
    assert (finished.returncode != 0) is fails
    assert ("some-package" in (finished.stderr if fails else finished.stdout)) or "other" in finished.stderr
