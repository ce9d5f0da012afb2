"""The dose a day of each dosage in tests/clinical/dosage/tables, as a clinician reads it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from app.chart import Chart, CourseFact
from app.fhir.reader import ChartInput, read_chart
from app.wire.patient import Patient
from tests.support.wire import record, split

FOLDER = Path(__file__).parent / "dosage" / "tables"
START = date(2026, 1, 5)
Json = dict[str, Any]


def rows(name: str) -> list[Json]:
    """The cases of a table, each with the heading that it stands under."""
    group, found = "", []
    for entry in yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
        if set(entry) == {"group"}:
            group = entry["group"]
        else:
            found.append(entry | {"under": group})
    return found


def label(row: Json) -> str:
    """A short name of a case."""
    shown = {key: value for key, value in row.items() if key not in {"under", "now", "between", "why", "mg", "ends"}}
    return f"{row['under']}: {row.get('say') or shown}"[:110]


def quantity(words: str) -> Json:
    value, _, unit = words.partition(" ")
    return {"value": float(value), "unit": unit} if unit else {"value": float(value)}


def day(number: int) -> str:
    return (START + timedelta(days=number)).isoformat()


def dosage(row: Json) -> Json:
    """The FHIR Dosage of one row."""
    repeat: Json = {}
    for short, member in (("f", "frequency"), ("fmax", "frequencyMax"), ("pmax", "periodMax"), ("count", "count")):
        if short in row:
            repeat[member] = row[short]
    for short, member in (("days", "dayOfWeek"), ("at", "timeOfDay"), ("when", "when")):
        if short in row:
            repeat[member] = row[short]
    if "p" in row:
        period = quantity(row["p"])
        repeat |= {"period": period["value"], "periodUnit": period["unit"]}
    if "for" in row:
        repeat["boundsDuration"] = quantity(row["for"])
    if "from" in row:
        end = {"end": day(row["until"])} if "until" in row else {}
        repeat["boundsPeriod"] = {"start": day(row["from"])} | end
    timing: Json = {"repeat": repeat} if repeat else {}
    if "code" in row:
        system = row.get("system", "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation")
        text = {"text": row["code_text"]} if "code_text" in row else {}
        timing["code"] = {"coding": [{"system": system, "code": row["code"]}]} | text
    if "events" in row:
        timing["event"] = [day(number) for number in row["events"]]
    found: Json = {"timing": timing} if timing else {}
    if "dose" in row:
        low, between, high = row["dose"].partition("-") if not row["dose"].startswith("-") else (row["dose"], "", "")
        if between:
            unit = high.partition(" ")[2]
            found["doseAndRate"] = [{"doseRange": {"low": quantity(f"{low} {unit}"), "high": quantity(high)}}]
        else:
            found["doseAndRate"] = [{"doseQuantity": quantity(row["dose"])}]
    if "seq" in row:
        found["sequence"] = row["seq"]
    if "text" in row:
        found["text"] = row["text"]
    return found | row.get("fhir", {})


def course(dosages: list[Json], product: str, today: date) -> CourseFact:
    """The course of a prednisolone statement that begins on day 0."""
    statement = {
        "resourceType": "MedicationStatement",
        "id": "m",
        "status": "active",
        "subject": {"reference": "Patient/me"},
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.whocc.no/atc", "code": "H02AB06"}],
            "text": product,
        },
        "effectivePeriod": {"start": day(0)},
        "dosage": dosages,
    }
    return chart_of([statement], today).courses[0]


def chart_of(resources: list[Json], today: date) -> Chart:
    """The chart of a woman with these records on a day."""
    records, damaged = split(resources)
    patient = record({"resourceType": "Patient", "id": "me", "gender": "female", "birthDate": "1950-03-02"})
    assert isinstance(patient, Patient)
    data = ChartInput("me", patient, records, {}, damaged=damaged)
    return read_chart(data, today=today, tz=ZoneInfo("UTC"))


def rounded(value: Decimal | float | None) -> Decimal | None:
    """To a nanogram: a seventh of a dose has no end."""
    return None if value is None else round(Decimal(str(value)), 6)


def check(found: CourseFact, expected: Json) -> None:
    if "mg" in expected:
        assert rounded(found.dose.daily_mg) == rounded(expected["mg"]), found.dose
        assert found.dose.unknown_because is None
        return
    low, high = expected["between"]
    assert found.dose.daily_mg is None, found.dose
    assert found.dose.unknown_because == expected["why"]
    assert rounded(found.dose.least_mg or Decimal(0)) == rounded(low)
    assert rounded(found.dose.most_mg) == rounded(high)


@pytest.mark.parametrize("row", rows("structured"), ids=label)
def test_a_coded_instruction(row: Json) -> None:
    check(course([dosage(row)], row.get("product", "prednisolon"), START), row)


@pytest.mark.parametrize("row", rows("text"), ids=label)
def test_a_text(row: Json) -> None:
    check(course([dosage(row)], row.get("product", "Prednisolon 5 mg tablett"), START), row)


@pytest.mark.parametrize("row", rows("over_time"), ids=label)
def test_a_dosage_over_time(row: Json) -> None:
    parts = [dosage(part) for part in row["parts"]]
    for number, mg in row.get("now", {}).items():
        found = course(parts, "Prednisolon 5 mg", START + timedelta(days=number))
        expected = {"mg": mg} if not isinstance(mg, list) else {"between": mg, "why": found.dose.unknown_because}
        check(found, expected)
    found = course(parts, "Prednisolon 5 mg", START)
    if "between" in row:
        check(found, row)
    ends = row["ends"]
    if ends is None:
        assert found.ended is None
        return
    first, last = ends if isinstance(ends, list) else (ends, ends)
    assert found.ended is not None
    assert (found.ended.earliest, found.ended.latest) == (
        START + timedelta(days=first),
        START + timedelta(days=last),
    )


def test_the_tables_are_large_enough_to_mean_something() -> None:
    assert sum(len(rows(name)) for name in ("structured", "text", "over_time")) >= 150
