"""Which drugs are taken today, out of single records: tests/clinical/dosage/tables/courses.yaml."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from app.chart import Availability, Chart, CourseStatus, Source
from app.features.evaluation import PatientFeatures
from tests.clinical.test_dosage_tables import chart_of, dosage, label, rounded, rows

TODAY = date(2026, 6, 15)
Json = dict[str, Any]
CODES = {
    "prednisolone": "H02AB06",
    "prednisone": "H02AB07",
    "dexamethasone": "H02AB02",
    "hydrocortisone": "H02AB09",
    "alendronate": "M05BA04",
    "ibandronate": "M05BA06",
    "zoledronate": "M05BA08",
    "denosumab": "M05BX04",
    "romosozumab": "M05BX06",
    "leuprorelin": "L02AE02",
}
NAMES = {"zoledronate": "zoledronic_acid", "prednisolone": "gc_prednisolone", "leuprorelin": "gnrh_agonist"}


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


def drug(name: str) -> Json:
    return {"coding": [{"system": "http://www.whocc.no/atc", "code": CODES[name]}]}


def record(row: Json, of: str) -> Json:
    """An order, statement or dispense of one row."""
    kind = next(kind for kind in ("order", "statement", "dispense") if kind in row)
    resource = {"order": "MedicationRequest", "statement": "MedicationStatement", "dispense": "MedicationDispense"}
    found: Json = {
        "resourceType": resource[kind],
        "id": row[kind],
        "status": row.get("status", "completed" if kind == "dispense" else "active"),
        "subject": {"reference": "Patient/me"},
        "medicationCodeableConcept": drug(row.get("drug", of)),
    }
    day = ago(row["from"])
    found |= {
        "order": {"authoredOn": day, "intent": "order"},
        "statement": {"effectivePeriod": {"start": day}},
        "dispense": {"whenHandedOver": day},
    }[kind]
    amount = row.get("mg", row.get("single"))
    if amount is not None:
        instruction: Json = {"doseAndRate": [{"doseQuantity": {"value": amount, "unit": "mg"}}]}
        repeat: Json = {}
        if "mg" in row or "every" in row:
            repeat = {"frequency": 1, "period": row.get("every", 1), "periodUnit": "d"}
        if "days" in row:
            repeat["boundsDuration"] = {"value": row["days"], "unit": "d"}
        if repeat:
            instruction["timing"] = {"repeat": repeat}
        if "route" in row:
            instruction["route"] = {"text": row["route"]}
        found["dosageInstruction" if kind == "order" else "dosage"] = [instruction]
    if "replaces" in row:
        prior = row["replaces"]
        found["priorPrescription"] = {"reference": prior if "/" in prior else f"MedicationRequest/{prior}"}
    return found


def administrations(given: Json, of: str) -> list[Json]:
    """Doses, the last one so many days ago."""
    found = []
    for number in range(given["times"]):
        for hour in range(given.get("a_day", 1)):
            day = ago(given["last"] + number * given["every"])
            dose: Json = {"dosage": {"dose": {"value": given["mg"], "unit": "mg"}}} if "mg" in given else {}
            found.append(
                {
                    "resourceType": "MedicationAdministration",
                    "id": f"g{number}-{hour}",
                    "status": given.get("status", "completed"),
                    "subject": {"reference": "Patient/me"},
                    "medicationCodeableConcept": drug(of),
                    "effectiveDateTime": f"{day}T{8 + hour * 4:02d}:00:00Z",
                }
                | dose
            )
    return found


def chart_of_row(row: Json) -> Chart:
    of = row.get("drug", "prednisolone")
    records = [record(entry, of) for entry in row.get("records", ())]
    if "given" in row:
        records += administrations(row["given"], of)
    if "parts" in row:
        instructions = {"dosage": [dosage(part) for part in row["parts"]]}
        records.append(record({"statement": "p", "from": row["from"]}, of) | instructions)
    return chart_of(records, TODAY)


@pytest.mark.parametrize("row", rows("courses"), ids=label)
def test_courses(row: Json) -> None:
    found = chart_of_row(row)
    name = NAMES.get(row["drug"], row["drug"])
    own = [course for course in found.courses if name in course.drugs or row["drug"] in course.drugs]
    running = [course for course in own if course.status is CourseStatus.CURRENT]
    if "mg_now" in row:
        doses = [course.dose.daily_mg for course in running]
        assert None not in doses
        assert rounded(sum((dose for dose in doses if dose is not None), Decimal(0))) == rounded(row["mg_now"])
    elif row["now"] == "none":
        assert own == []
    else:
        assert {str(course.status) for course in own} == {row["now"]}
    if "why" in row:
        assert [course.dose.unknown_because for course in running] == [row["why"]]
    if "set_aside" in row:
        assert row["set_aside"] in {item.reason for item in found.set_aside}
    else:
        assert "dated in the future" not in {item.reason for item in found.set_aside}


@pytest.mark.parametrize("row", rows("averages"), ids=label)
def test_averages(row: Json) -> None:
    chart = chart_of_row(row)
    known_lists = replace(chart, availability=dict.fromkeys(Source, Availability.PROVIDED))
    found = PatientFeatures(known_lists)
    average = found.feature("glucocorticoid_average_dose")
    if "between" in row:
        low, high = row["between"]
        assert average.value is None
        assert (rounded(average.low), rounded(average.high)) == (rounded(low), rounded(high))
        assert average.missing == ("glucocorticoid_dose",)
        return
    assert isinstance(average.value, Decimal)
    assert rounded(average.value) == rounded(row["average"])
    now = found.feature("glucocorticoid_daily_dose").value
    assert isinstance(now, Decimal)
    assert rounded(now) == rounded(row["now"])
