"""Every case of tests/clinical/*/*.yaml, through the HTTP interface."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from ruamel.yaml import YAML

from app.main import create_app
from app.pipeline import build_pipeline
from app.settings import Settings
from tests.clinical.builder import SERVICE, Builder
from tests.clinical.expectations import unmet

FOLDER = Path(__file__).parent
TODAY = date(2026, 11, 22)


def cases() -> list[Any]:
    """All cases, each with the id of its file and its own."""
    found = []
    for path in sorted(FOLDER.glob("*/*.yaml")):
        for case in YAML(typ="safe").load(path.read_text(encoding="utf-8")) or []:
            found.append(pytest.param(case, id=f"{path.parent.name}/{path.stem}:{case['id']}"))
    return found


@pytest.fixture(scope="session")
def client() -> TestClient:
    settings = Settings()
    return TestClient(create_app(pipeline=build_pipeline(settings), settings=settings, today=lambda: TODAY))


@pytest.mark.parametrize("case", cases())
def test_case(client: TestClient, case: dict[str, Any]) -> None:
    service = SERVICE[case.get("hook", "patient-view")]
    answer = client.post(f"/cds-services/{service}", json=Builder(case, TODAY).request())
    assert answer.status_code == 200, answer.text
    failures = unmet(case["expect"], answer.json())
    assert not failures, f"{case['title']}: " + "; ".join(failures)


def test_case_ids_are_unique() -> None:
    ids = [param.values[0]["id"] for param in cases()]
    assert len(ids) == len(set(ids))
