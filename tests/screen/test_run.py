"""Runs: nothing is lost, the same result however the work is divided, stopped and resumed, and private."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from app.screen.run import WORK
from tests.screen.conftest import Result, Run
from tests.screen.exports import export, manifest, patient, t_score
from tests.support.patience import PATIENCE

CANARY = "Canary-Rönnbäck-1947"


def hazards() -> list[Any]:
    """Patients whose records come in every form, right and wrong."""
    names = ["rel", "abs", "urn", "ver", "cut", "dup", "nan", "ident", "two", "none"]
    text = json.dumps(t_score("o5", "Patient/cut"), sort_keys=True).encode()
    return [
        *(patient(name, name=[{"family": CANARY}]) for name in names),
        t_score("o1", "Patient/rel", note=[{"text": CANARY}]),
        t_score("o2", "https://ehr.example.org/fhir/Patient/abs"),
        t_score("o3", "urn:uuid:urn"),
        t_score("o4", "Patient/ver/_history/7"),
        text[: text.index(b'"valueQuantity"') + 20],
        t_score("o6", "Patient/orphan"),
        t_score("o7", "Patient/dup", meta={"lastUpdated": "2026-01-01T00:00:00Z"}),
        t_score("o7", "Patient/dup", -0.5, meta={"lastUpdated": "2026-05-01T00:00:00Z"}),
        json.dumps(t_score("o8", "Patient/nan")).replace("-2.9", "NaN").encode(),
        t_score("o9", "Patient/two"),
        b'{"resourceType":"Observation","id":"o10","subject":{"reference":"Patient/two"},"x":"\xff"}',
    ]


def same(one: Result, other: Result) -> bool:
    return all(one.table(name) == other.table(name) for name in ("patients", "worklist"))


def test_every_line_is_used_set_aside_or_counted(screen: Run, tmp_path: Path) -> None:
    folder = export(tmp_path / "in", [*hazards(), t_score("o11", None), b"{not json"])
    result = screen(folder, arguments=("--complete",))
    assert result.status == 3
    report = result.report
    for file in report["files"]:
        told = file["assigned"] + file["shared"] + file["not_needed"] + file["unassigned"]
        assert told == file["records"] == file["lines"]
    assert report["unassigned"] == 2
    observations = next(file for file in report["files"] if "Observation" in file["name"])
    assert observations["unassigned_lines"] == [12, 13]
    assert observations["unreadable"] == 4
    assert report["availability"]["Observation"] == "partial"
    assert report["availability"]["Condition"] == "provided"
    patients = result.patients()
    assert patients["orphan"]["status"] == "no-patient-record"
    for name in ("cut", "nan", "two"):
        assert patients[name]["damaged_lines"] == {"Observation": 1}
        assert "observations" in patients[name]["incomplete_lists"]


def test_a_damaged_line_makes_only_its_own_patient_incomplete(screen: Run, tmp_path: Path) -> None:
    result = screen(export(tmp_path / "in", hazards()), arguments=("--complete",))
    assert result.status == 0
    patients = result.patients()
    assert {name for name, row in patients.items() if not row["complete"]} == {"cut", "nan", "two", "orphan"}
    advice = {(row["patient"], row["advice"]) for row in result.table("worklist")}
    for name in ("rel", "abs", "urn", "ver", "two"):
        assert (name, "start-bone-drug") in advice, name
    assert ("dup", "start-bone-drug") not in advice


@pytest.mark.parametrize(
    "arguments", [("--workers", "2"), ("--buckets", "1"), ("--buckets", "7", "--workers", "2"), ("--memory", "64MB")]
)
def test_the_result_does_not_depend_on_how_the_work_is_divided(
    screen: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    folder = export(tmp_path / "in", hazards())
    shuffled = hazards()
    random.Random(7).shuffle(shuffled)
    other = export(tmp_path / "shuffled", shuffled, packed=True, files=3)
    assert same(screen(folder), screen(other, out="other", arguments=arguments))


def test_deletions_and_newer_exports(screen: Run, tmp_path: Path) -> None:
    first = export(
        tmp_path / "first", [patient("a"), patient("b"), t_score("o1", "Patient/a"), t_score("o2", "Patient/b")]
    )
    manifest(first, "https://x.example/$export?_type=Patient,Observation,MedicationRequest,MedicationStatement")
    second = export(tmp_path / "second", [t_score("o2", "Patient/b", -0.4)])
    gone = {"resourceType": "Bundle", "entry": [{"request": {"method": "DELETE", "url": "Observation/o1"}}]}
    (second / "deleted").mkdir()
    (second / "deleted" / "gone.ndjson").write_text(json.dumps(gone) + "\n", encoding="utf-8")
    manifest(
        second,
        "https://x.example/$export?_since=2026-01-01",
        deleted=[{"type": "Bundle", "url": "https://x/gone.ndjson"}],
    )
    treated = {row["patient"] for row in screen(first).table("worklist") if row["advice"] == "start-bone-drug"}
    assert treated == {"a", "b"}
    later = screen(first, second, out="later")
    assert {row["patient"] for row in later.table("worklist") if row["advice"] == "start-bone-drug"} == set()


def test_without_any_medication_list_nobody_is_answered_and_it_is_said(
    screen: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = export(tmp_path / "in", [patient("a"), t_score("o1", "Patient/a")])
    manifest(folder)
    result = screen(folder)
    assert result.patients()["a"]["status"] == "no-answer"
    assert "1 patients got no answer" in capsys.readouterr().err


def test_shared_medications_are_joined(screen: Run, tmp_path: Path) -> None:
    drug = {"coding": [{"system": "http://www.whocc.no/atc", "code": "M05BA04"}]}
    order = {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/a"},
        "authoredOn": "2026-05-01",
        "medicationReference": {"reference": "Medication/med1"},
    }
    folder = [patient("a"), t_score("o", "Patient/a"), order]
    without = screen(export(tmp_path / "without", folder), arguments=("--complete",))
    assert (
        "start-bone-drug" in {row["advice"] for row in without.table("worklist")}
        or not without.patients()["a"]["complete"]
    )
    joined = screen(
        export(tmp_path / "with", [*folder, {"resourceType": "Medication", "id": "med1", "code": drug}]),
        out="joined",
        arguments=("--complete",),
    )
    assert "start-bone-drug" not in {row["advice"] for row in joined.table("worklist")}


def test_what_is_written_names_nobody(screen: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = screen(export(tmp_path / "in", hazards()), identified=False)
    told = capfd.readouterr()
    files = [path for path in result.folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {
        "patients.parquet",
        "patients.csv",
        "worklist.parquet",
        "worklist.csv",
        "run.json",
        "summary.html",
        "measure-report.json",
    }
    written = "".join(path.read_text(encoding="utf-8") for path in files if path.suffix != ".parquet")
    written += repr(result.table("patients")) + repr(result.table("worklist")) + told.out + told.err
    assert CANARY not in written
    assert "1950-03-01" not in written
    assert "Observation/" not in written
    assert '"ident"' not in written
    assert "ident," not in written
    key, names = tmp_path / "out.key", tmp_path / "out.map.csv"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (key, names)} == {0o600}
    pseudonyms = dict(line.split(",") for line in names.read_text(encoding="utf-8").splitlines()[1:])
    assert set(pseudonyms.values()) >= {"ident", "rel"}
    assert result.patients().keys() == pseudonyms.keys()
    again = screen(tmp_path / "in", identified=False, out="again", arguments=("--key", str(key)))
    assert again.patients().keys() == pseudonyms.keys()
    assert not (result.folder / WORK).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--profile", "fr"), "no such profile; there are cn, dk, intl, se"),
        (("--workers", "0"), "at least 1"),
    ],
)
def test_what_cannot_be_used_is_said(
    screen: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    result = screen(export(tmp_path / "in", hazards()), arguments=arguments)
    assert result.status == 2
    assert message in capsys.readouterr().err


def test_the_work_folder_of_another_run_is_refused(
    screen: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "out" / WORK
    work.mkdir(parents=True)
    (work / "run.json").write_text('{"export": "another"}', encoding="utf-8")
    assert screen(export(tmp_path / "in", hazards())).status == 2
    assert "work of another run" in capsys.readouterr().err
    assert (work / "run.json").exists()


def children_of(process: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process:
            found.append(int(path.parent.name))
    return found


def until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("victim", ["parent", "worker", "parent alone"])
def test_killed_and_started_again(screen: Run, tmp_path: Path, victim: str) -> None:
    """kill -9 of the parent ends its workers; the run goes on where it was, and nothing stands twice."""
    people = [one for n in range(40) for one in (patient(f"p{n}"), t_score(f"o{n}", f"Patient/p{n}"))]
    folder = export(tmp_path / "in", people)
    arguments = ["--profile", "intl", "--as-of", "2026-06-15", "--identified", "--buckets", "20"]
    arguments += ["--workers", "1" if victim == "parent alone" else "2", "--out"]
    command = [sys.executable, "-m", "app", "screen", str(folder), *arguments, str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    results = tmp_path / "out" / WORK / "results"
    until(lambda: list(results.glob("*.done.json")))
    workers = children_of(process.pid)
    for pid in [process.pid] if victim != "worker" else workers:
        os.kill(pid, signal.SIGKILL)
    process.wait(timeout=PATIENCE)
    assert process.returncode != 0
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert stat.S_IMODE((tmp_path / "out" / WORK).stat().st_mode) == 0o700
    resumed = screen(folder, arguments=("--buckets", "20"))
    assert same(resumed, screen(folder, out="undisturbed"))
    assert len(resumed.table("patients")) == 40
