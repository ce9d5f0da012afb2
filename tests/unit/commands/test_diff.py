"""`osteon diff`: which patients get other advice, why, and nothing of their charts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from app.browser.cases import case_files
from app.cases.builder import Builder
from app.commands.diff import main
from app.commands.requests import SHIPPED, pipeline_of
from app.pipeline import OsteonPipeline
from app.settings import Settings
from tests.unit.advice.test_drug_options import woman
from tests.unit.engine.test_overlay import fractured

TODAY = "2026-11-22"


@pytest.fixture(autouse=True, scope="module")
def shipped_once() -> Iterator[None]:
    """The knowledge that ships is loaded once for all tests of this file."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("app.commands.diff.pipeline_of", shipped_or_new)
        yield


def shipped_or_new(name: str, settings: Settings) -> OsteonPipeline:
    return _shipped() if name == SHIPPED else pipeline_of(name, settings)


@cache
def _shipped() -> OsteonPipeline:
    return pipeline_of(SHIPPED, Settings())


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """A woman with a fracture that was never measured, and one without."""
    well = {"id": "y", "profile": "se", "patient": {"sex": "female", "age": 60}}
    bodies = [Builder(case, date(2026, 11, 22)).request() for case in (fractured(), well)]
    path = tmp_path / "patients.ndjson"
    path.write_text("\n".join(map(json.dumps, bodies)) + "\n", encoding="utf-8")
    return path


def test_the_same_knowledge_gives_the_same_advice(patients: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shipped", "shipped", "--patients", str(patients), "--today", TODAY]) == 0
    assert "0 of 2 requests get other advice" in capsys.readouterr().out


def test_a_statement_that_is_off_shows_who_is_concerned_and_why(
    tmp_path: Path, patients: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    local = tmp_path / "local"
    local.mkdir()
    (local / "overlay.yaml").write_text("off: [uppsala.dxa.low-energy-fracture]\n", encoding="utf-8")
    arguments = ["shipped", str(local), "--patients", str(patients), "--today", TODAY]
    assert main([*arguments, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["different"] == 1
    assert report["advice"]["refer-dxa"] == {"old": 1, "new": 0}
    (patient,) = report["patients"]
    assert (patient["request"], patient["lost"]) == ("patients.ndjson:1", ["refer-dxa"])
    why = next(one for one in patient["why"] if one["statement"] == "uppsala.dxa.low-energy-fracture")
    assert (why["cited"], why["criterion"], why["facts"]) == ("old", "fragility_fracture.any", ["fragility_fracture"])
    page = tmp_path / "changes.html"
    assert main([*arguments, "--page", str(page)]) == 1
    assert "refer-dxa: 1 -> 0" in capsys.readouterr().out
    shown = page.read_text(encoding="utf-8")
    assert "<h1>1 of 2 requests get other advice</h1>" in shown
    assert (
        "old: <code>uppsala.dxa.low-energy-fracture</code>, fragility_fracture.any (decided by fragility_fracture)"
        in shown
    )
    assert "http" not in shown  # nothing is loaded from elsewhere


def test_the_page_shows_the_names_of_files_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "<b>.json"
    path.write_text('{"hook": "x"}', encoding="utf-8")
    assert main(["shipped", "shipped", "--patients", str(path), "--page", str(tmp_path / "page.html")]) == 0
    assert "not read: <b>.json" in capsys.readouterr().out
    assert "&lt;b&gt;.json" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text('{"hook": "x"}\n{"hook": "y"}\n', encoding="utf-8")
    assert main(["shipped", "shipped", "--patients", str(path)]) == 0
    assert "not read: a.ndjson:2 (ValueError)" in capsys.readouterr().out
    path.write_text('{"hook": "x"}\nnot json\n', encoding="utf-8")
    assert main(["shipped", "shipped", "--patients", str(path)]) == 2
    assert main(["shipped", str(tmp_path / "none"), "--patients", str(path)]) == 2


def test_another_order_of_drugs_is_a_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "overlay.yaml").write_text("drugs: {not-stocked: [alendronate]}\n", encoding="utf-8")
    path = tmp_path / "patient.json"
    path.write_text(json.dumps(Builder(woman("intl"), date(2026, 11, 22)).request()), encoding="utf-8")
    assert main(["shipped", str(tmp_path), "--patients", str(path), "--today", TODAY]) == 1
    told = capsys.readouterr().out
    assert "drugs of start-bone-drug: alendronate" in told
    assert "alendronate (not-stocked)" in told


def test_release_notes_over_the_clinical_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [path for path in case_files() or () if path.parent.name == "uppsala"]
    monkeypatch.setattr("app.commands.shipped_cases.case_files", lambda: files)
    (tmp_path / "overlay.yaml").write_text("off: [uppsala.dxa.low-energy-fracture]\n", encoding="utf-8")
    notes = tmp_path / "notes.md"
    arguments = ["--cases", "--today", TODAY, "--notes", str(notes)]
    assert main(["shipped", str(tmp_path), *arguments]) == 1
    text = notes.read_text(encoding="utf-8")
    assert text.startswith("## Knowledge ")
    assert "requests get other advice" in text
    assert "### no longer `refer-dxa`" in text
    assert "* old cites `uppsala.dxa.low-energy-fracture` (fragility_fracture.any)" in text
    assert "`uppsala/" in text


def test_without_patients_and_cases_it_says_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["shipped", "shipped"])
    assert "--patients FILES, --cases, or both" in capsys.readouterr().err


def test_recorded_answers_stand_for_a_side(tmp_path: Path, patients: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A later release compares with what an earlier one answered, whose files it may not be able to read."""
    answers = tmp_path / "answers.json"
    common = ["--patients", str(patients), "--today", TODAY]
    assert main(["shipped", "shipped", *common, "--record", str(answers)]) == 0
    (tmp_path / "overlay.yaml").write_text("off: [uppsala.dxa.low-energy-fracture]\n", encoding="utf-8")
    assert main([str(answers), str(tmp_path), *common]) == 1
    told = capsys.readouterr().out
    assert "refer-dxa: 1 -> 0" in told
    assert "old cites uppsala.dxa.low-energy-fracture: fragility_fracture.any" in told
    answers.write_text('{"knowledge": 1}', encoding="utf-8")
    assert main([str(answers), "shipped", *common]) == 2
    assert "no answers that `osteon diff --record` wrote" in capsys.readouterr().err
