"""`osteon shadow`: counts over a hospital's own requests, and nothing of its patients."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.cases.builder import Builder
from app.commands.shadow import main
from tests.unit.engine.test_overlay import fractured

TODAY = "2026-11-22"
PATIENT = {"resourceType": "Patient", "id": "anna-1", "gender": "female", "birthDate": "1950-05-05"}
FRACTURE = {
    "resourceType": "Condition",
    "id": "f1",
    "subject": {"reference": "Patient/anna-1"},
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "S32.0"}], "text": "Secret text"},
    "onsetDateTime": "2026-01-03",
}
UNKNOWN = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "subject": {"reference": "Patient/anna-1"},
    "code": {"coding": [{"system": "https://lab.example", "code": "XYZ", "display": "Secret name"}]},
    "valueString": "Secret value",
}


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--today", TODAY, "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def written(path: Path, *values: Any) -> str:
    path.write_text("\n".join(map(json.dumps, values)) + "\n", encoding="utf-8")
    return str(path)


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def test_each_request_counts_once_for_each_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = Builder(fractured(), date(2026, 11, 22)).request()
    told = report(capsys, written(tmp_path / "a.ndjson", body, body), "--profile", "se")
    assert told["requests"] == told["with_cards"] == 2
    assert told["advice"]["refer-dxa"] == 2
    assert told["hooks"] == {"chart": 2}


def test_a_bundle_is_a_part_of_the_record_unless_it_is_said_to_be_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "b.json", bundle(PATIENT, FRACTURE))
    part, whole = report(capsys, path), report(capsys, path, "--complete")
    assert part["with_cards"] == whole["with_cards"] == 1
    assert set(whole["missing"]) < set(part["missing"])
    assert "bone_drug_use" in part["missing"]


def test_codes_are_counted_and_nothing_of_the_chart_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "c.ndjson", bundle(PATIENT, FRACTURE, UNKNOWN))
    told = report(capsys, path)
    assert told["unrecognised"] == {"observation https://lab.example XYZ": 1}
    assert main([path, "--today", TODAY]) == 0
    text = capsys.readouterr().out
    assert "observation https://lab.example XYZ" in text
    assert not any(secret in text + json.dumps(told) for secret in ("anna-1", "1950", "Secret", "2026-01-03"))


def test_a_request_that_the_service_refuses_is_counted_by_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = Builder(fractured(), date(2026, 11, 22)).request()
    body["prefetch"].pop("patient")
    assert report(capsys, written(tmp_path / "d.json", body))["not_answered"] == {"DataUnavailable": 1}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (FRACTURE, "a Condition alone is no request; `osteon screen` reads exports"),
        (bundle(FRACTURE), "the Bundle has 0 Patients"),
        (bundle(PATIENT, PATIENT), "the Bundle has 2 Patients"),
        ([1], "a request is a JSON object"),
    ],
)
def test_what_is_no_request_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: Any, told: str
) -> None:
    assert main([written(tmp_path / "e.json", value)]) == 2
    assert f"e.json: {told}" in capsys.readouterr().err
