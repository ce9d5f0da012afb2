"""The clinical vignettes against a real server: every certain one, in every dialect and shape of the generator."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from app.dates import add_days, add_months
from tests.e2e.conftest import wait_until_ready
from tests.support.patience import PATIENCE, SERVER_ENVIRONMENT
from tests.support.ports import free_port

DIALECTS = ("auto", "nordic", "sks", "icd10se", "icd10cn", "us", "plain")
SHAPES = ("plain", "request", "messy")


ACUTE_FOR_92_DAYS = "cn-025"
"""A fracture 92 days ago counts as acute in it. Three calendar months are 89 to 92 days, by the day of the year."""


def cases(shared: Path) -> list[str]:
    """The arguments that choose the cases whose expectation holds today."""
    today = datetime.now(UTC).date()
    if today <= add_months(add_days(today, -92), 3):
        return []
    ids = [case["id"] for case in yaml.safe_load((shared / "vignettes" / "cases.yaml").read_text(encoding="utf-8"))]
    return [word for one in ids if one != ACUTE_FOR_92_DAYS for word in ("--id", one)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("vignettes") / "service.log"
    port = free_port()
    command = [sys.executable, "-m", "app.commands.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=os.environ | SERVER_ENVIRONMENT | {"OSTEON_LOG_LEVEL": "warning"}
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def check(shared: Path, service: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    folder = shared / "vignettes"
    command = [sys.executable, "check_cards.py", "cases.yaml", "--url", service, *arguments]
    command += ["--timeout", f"{PATIENCE:g}", "--schemas", str(shared / "cds-hooks" / "schemas")]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_certain_vignette_passes(shared: Path, service: str, dialect: str, shape: str) -> None:
    result = check(shared, service, "--only", "sure", "--dialect", dialect, "--shape", shape, *cases(shared))
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--minimal",),
        ("--drop", "conditions"),
        ("--drop", "procedures"),
        ("--drop", "allergies,familyHistory"),
        ("--drop", "conditions,procedures"),
    ],
)
def test_without_some_keys_every_answer_is_still_valid(shared: Path, service: str, arguments: tuple[str, ...]) -> None:
    result = check(shared, service, *arguments)
    broken = [line for line in result.stdout.splitlines() if "HTTP " in line or " schema: " in line]
    assert broken == []
    assert "passed" in result.stdout


@pytest.mark.parametrize("arguments", [("--minimal",), ("--drop", "conditions"), ("--drop", "procedures")])
def test_without_some_keys_no_contraindicated_drug_is_suggested(
    shared: Path, service: str, arguments: tuple[str, ...]
) -> None:
    """What rests on the measurements that came (clearance, calcium) still holds a drug back."""
    result = check(
        shared, service, *arguments, "--id", "se-026", "--id", "se-037", "--id", "intl-022", "--id", "intl-027"
    )
    unsafe = [line for line in result.stdout.splitlines() if "no_suggest" in line]
    assert unsafe == []
