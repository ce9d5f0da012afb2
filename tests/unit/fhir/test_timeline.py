"""The drawing of drug courses: one line for each, month by month."""

from __future__ import annotations

from app.commands.timeline import MONTHS, timeline
from tests.unit.fhir.builders import ATC, chart, coded, dosage, request, resource, statement

PREDNISOLONE = coded(ATC, "H02AB06", text="prednisolone")
DENOSUMAB = coded(ATC, "M05BX04", text="denosumab")


def bar(line: str) -> str:
    drawn = line.split("|")[1]
    assert len(drawn) == MONTHS
    return drawn


def test_a_course_fills_its_months() -> None:
    ended = statement(
        PREDNISOLONE,
        status="completed",
        effectivePeriod={"start": "2026-01-10", "end": "2026-03-05"},
        dosage=[dosage(5)],
    )
    line = list(timeline(chart(ended)))[1]
    assert bar(line) == "." * 30 + "===" + "..."
    assert "past; 2026-01-10 - 2026-03-05; 5 mg/d; MedicationStatement/x" in line


def test_a_running_course_reaches_today_and_a_planned_one_draws_nothing() -> None:
    running = statement(PREDNISOLONE, "a", effectivePeriod={"start": "2026-05-01"})
    planned = request(DENOSUMAB, "b", authoredOn="2026-08-01")
    lines = list(timeline(chart(running, planned)))
    by_name = {line.split("|")[0].strip(): bar(line) for line in lines[1:]}
    assert by_name == {"prednisolone": "." * 34 + "==", "denosumab": "." * 36}


def test_the_last_dose_is_marked() -> None:
    given = {"status": "completed", "medicationCodeableConcept": DENOSUMAB, "effectiveDateTime": "2026-04-02"}
    line = list(timeline(chart(resource("MedicationAdministration", **given))))[1]
    assert bar(line) == "." * 33 + "+=="
    assert "last given 2026-04-02" in line


def test_doses_that_change_and_doses_that_are_not_known_are_written_out() -> None:
    steps = [dosage(20, sequence=1, repeat={"boundsDuration": {"value": 10, "unit": "d"}}), dosage(10, sequence=2)]
    taper = statement(PREDNISOLONE, effectivePeriod={"start": "2026-06-01"}, dosage=steps)
    lines = list(timeline(chart(taper)))
    assert [line.strip() for line in lines[2:]] == ["2026-06-01 - 2026-06-10  20 mg/d", "2026-06-11 - ...  10 mg/d"]
    needed = statement(PREDNISOLONE, effectivePeriod={"start": "2026-06-01"}, dosage=[dosage(5, asNeededBoolean=True)])
    assert "0-5 mg/d (as needed)" in list(timeline(chart(needed)))[1]


def test_nothing_on_record_is_said() -> None:
    assert list(timeline(chart()))[1:] == ["no drug that matters here is on record"]
