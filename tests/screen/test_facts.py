"""What a row tells of a fact: numbers and sites that features show as text are told, other texts never are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.features.model import Evidence
from app.pipeline import OsteonPipeline
from app.screen.lines import records_of
from app.screen.patient import _fact
from app.settings import Settings
from tests.screen.conftest import Run
from tests.screen.exports import export, patient, t_score


@pytest.mark.parametrize(
    ("value", "number", "code"),
    [
        ("proximal humerus", None, "proximal_humerus"),
        ("<0.5", 0.5, "<"),
        (">=90", 90.0, ">="),
        ("14", 14.0, None),
        ("19500301", None, None),  # could be the number of a person
        ("Anna fell", None, None),
    ],
)
def test_a_fact_as_text(value: str, number: float | None, code: str | None) -> None:
    told = _fact(Evidence("any", value))
    assert (told["number"], told["code"]) == (number, code)


@pytest.mark.parametrize(
    ("reference", "medication"),
    [
        ("Medication/m1", "m1"),
        ("https://ehr.example.org/fhir/Medication/m1/_history/2", "m1"),
        ("urn:uuid:m1", "m1"),
        ("#m1", ""),
        ("Substance/m1", ""),
    ],
)
def test_the_medication_that_a_record_names(reference: str, medication: str) -> None:
    order = {"resourceType": "MedicationRequest", "id": "o", "medicationReference": {"reference": reference}}
    (line,) = records_of(json.dumps(order).encode(), "MedicationRequest")
    assert line.medication == medication


def test_a_run_with_other_settings_is_another_run(
    screen: Run,
    pipeline: OsteonPipeline,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = export(tmp_path / "in", [patient("a"), t_score("o", "Patient/a")])

    def stopped(*_: object) -> None:
        raise OSError("stopped before the end")

    with monkeypatch.context() as broken:
        broken.setattr("app.screen.run.Run.screen", stopped)
        assert screen(folder).status == 2
    assert "stopped before the end" in capsys.readouterr().err
    other = Settings(postmenopausal_from_age=70)
    monkeypatch.setattr("app.commands.screen.build_pipeline", lambda _: replace(pipeline, settings=other))
    assert screen(folder).status == 2
    assert "work of another run" in capsys.readouterr().err
