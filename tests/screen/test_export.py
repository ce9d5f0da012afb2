"""What an export can be complete for, by its manifest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.chart import Availability
from app.screen.export import read_export
from app.screen.lines import ExportError
from tests.screen.exports import export, manifest, patient, t_score

PROVIDED, PARTIAL, ABSENT, FAILED = (
    Availability.PROVIDED,
    Availability.PARTIAL,
    Availability.ABSENT,
    Availability.FAILED,
)
URL = "https://ehr.example.org/fhir/$export"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return export(tmp_path / "export", [patient("a"), t_score("o", "Patient/a")])


@pytest.mark.parametrize(
    ("request_url", "observation", "condition"),
    [
        (URL, PROVIDED, ABSENT),
        (f"{URL}?_type=Patient,Observation,Condition", PROVIDED, PROVIDED),
        (f"{URL}?_type=Patient,Condition", ABSENT, PROVIDED),
        (f"{URL}?_type=Patient,Observation&_type=Condition", PROVIDED, PROVIDED),
        (f"{URL}?_typeFilter=Observation%3Fcategory%3Dlaboratory", PARTIAL, ABSENT),
        (f"{URL}?_elements=id", PARTIAL, PARTIAL),
    ],
)
def test_availability(folder: Path, request_url: str, observation: Availability, condition: Availability) -> None:
    manifest(folder, request_url)
    found = read_export([folder]).availability
    assert (found["Observation"], found["Condition"]) == (observation, condition)


def test_without_a_manifest_nothing_is_whole_unless_it_is_said(folder: Path) -> None:
    assert read_export([folder]).availability["Observation"] is PARTIAL
    assert read_export([folder]).availability["Condition"] is ABSENT
    assert set(read_export([folder], complete=True).availability.values()) == {PROVIDED}


def test_an_error_of_the_export_makes_everything_partial_or_failed(folder: Path) -> None:
    manifest(
        folder, f"{URL}?_type=Patient,Observation,Condition", error=[{"type": "OperationOutcome", "url": "x/e.ndjson"}]
    )
    found = read_export([folder]).availability
    assert (found["Observation"], found["Condition"], found["Procedure"]) == (PARTIAL, FAILED, ABSENT)


def test_the_day_is_that_of_the_export(folder: Path) -> None:
    manifest(folder)
    assert str(read_export([folder]).as_of) == "2026-06-15"


def test_the_log_of_smart_fetch_is_a_manifest(folder: Path) -> None:
    events = [
        {"eventId": "kickoff", "eventDetail": {"exportUrl": f"{URL}?_type=Patient,Observation,Condition"}},
        {"eventId": "status_complete", "eventDetail": {"transactionTime": "2026-06-14T00:00:00Z"}},
    ]
    (folder / "log.ndjson").write_text("".join(json.dumps(one) + "\n" for one in events), encoding="utf-8")
    found = read_export([folder])
    assert found.availability["Condition"] is PROVIDED
    assert str(found.as_of) == "2026-06-14"


def test_a_lone_since_export_is_refused_with_what_to_do(folder: Path) -> None:
    manifest(folder, f"{URL}?_since=2026-01-01T00:00:00Z")
    with pytest.raises(ExportError, match=r"manifest\.json.*_since.*whole export before it"):
        read_export([folder])


def test_a_since_export_after_a_whole_one_is_read(folder: Path, tmp_path: Path) -> None:
    manifest(folder)
    later = export(tmp_path / "later", [t_score("o", "Patient/a", -1.0)])
    manifest(later, f"{URL}?_since=2026-01-01T00:00:00Z", transactionTime="2026-07-01T00:00:00Z")
    assert str(read_export([folder, later]).as_of) == "2026-07-01"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not the manifest"),
        ('{"output": [{}]}', "not the manifest"),
        ('{"deleted": [{"url": "x/d.ndjson"}]}', "deletions"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_named(folder: Path, text: str, message: str) -> None:
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(ExportError, match=message):
        read_export([folder])


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no \.ndjson"):
        read_export([tmp_path])
    with pytest.raises(ExportError, match="no such folder"):
        read_export([tmp_path / "nothing"])
