"""Drug courses: one fact told twice is one fact."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.chart import CourseStatus, Route
from tests.unit.fhir.builders import ATC, RXNORM, SNOMED, chart, coded, dosage, request, resource, statement

PREDNISOLONE = coded(ATC, "H02AB06", text="prednisolone")
DENOSUMAB = coded(ATC, "M05BX04")
ZOLEDRONATE = coded(ATC, "M05BA08")
ALENDRONATE = coded(ATC, "M05BA04")


def since(start: str, end: str | None = None) -> dict[str, Any]:
    return {"effectivePeriod": {"start": start} | ({"end": end} if end else {}), "dateAsserted": end or "2026-05-01"}


def test_a_statement_and_an_order_of_one_drug_and_dose_are_one_course() -> None:
    told = statement(PREDNISOLONE, "s", dosage=[dosage(10)], **since("2025-01-01"))
    ordered = request(PREDNISOLONE, "r", authoredOn="2026-05-20", dosageInstruction=[dosage(10)])
    (course,) = chart(told, ordered).courses
    assert course.status is CourseStatus.CURRENT
    assert course.started is not None
    assert course.started.earliest == date(2025, 1, 1)
    assert set(course.refs) == {"MedicationStatement/s", "MedicationRequest/r"}


def test_one_drug_in_two_code_systems_is_one_course() -> None:
    atc = statement(PREDNISOLONE, "a", dosage=[dosage(10)], **since("2025-01-01"))
    rxnorm = statement(coded(RXNORM, "8638"), "b", dosage=[dosage(10)], **since("2025-01-01"))
    assert len(chart(atc, rxnorm).courses) == 1


def test_different_strengths_at_the_same_time_stay_apart_and_add_up() -> None:
    five = statement(PREDNISOLONE, "a", dosage=[dosage(5)], **since("2025-01-01"))
    ten = statement(PREDNISOLONE, "b", dosage=[dosage(2.5)], **since("2025-01-01"))
    courses = chart(five, ten).courses
    assert sum(course.dose.daily_mg or 0 for course in courses) == Decimal("7.5")


def test_courses_with_a_pause_between_them_are_two() -> None:
    first = statement(PREDNISOLONE, "a", "completed", dosage=[dosage(10)], **since("2020-01-01", "2020-06-01"))
    second = statement(PREDNISOLONE, "b", dosage=[dosage(10)], **since("2026-01-01"))
    assert [course.status for course in chart(first, second).courses] == [CourseStatus.PAST, CourseStatus.CURRENT]


@pytest.mark.parametrize(
    ("build", "status", "expected"),
    [
        (statement, "active", CourseStatus.CURRENT),
        (statement, "completed", CourseStatus.PAST),
        (statement, "stopped", CourseStatus.PAST),
        (statement, "on-hold", CourseStatus.ON_HOLD),
        (statement, "intended", CourseStatus.PLANNED),
        (statement, "unknown", CourseStatus.UNKNOWN),
        (request, "active", CourseStatus.CURRENT),
        (request, "stopped", CourseStatus.PAST),
        (request, "draft", CourseStatus.PLANNED),
    ],
)
def test_statuses(build: Any, status: str, expected: CourseStatus) -> None:
    assert chart(build(ALENDRONATE, "x", status)).courses[0].status is expected


@pytest.mark.parametrize(
    "record",
    [
        statement(ALENDRONATE, "x", "not-taken"),
        request(ALENDRONATE, "x", "cancelled"),
        request(ALENDRONATE, "x", doNotPerform=True),
        request(ALENDRONATE, "x", intent="proposal"),
        statement(ALENDRONATE, "x", " Entered-In-Error "),
        resource("MedicationAdministration", status="not-done", medicationCodeableConcept=ALENDRONATE),
    ],
)
def test_what_is_no_exposure_is_set_aside(record: dict[str, Any]) -> None:
    found = chart(record)
    assert found.courses == ()
    assert [item.resource for item in found.set_aside] == [f"{record['resourceType']}/x"]


def test_an_active_record_without_a_sign_of_life_is_unknown() -> None:
    # decision 34: 15 months before 15 June 2026 is 15 March 2025
    for authored, expected in (("2025-03-15", CourseStatus.CURRENT), ("2025-03-14", CourseStatus.UNKNOWN)):
        assert chart(request(ALENDRONATE, authoredOn=authored)).courses[0].status is expected


def test_an_administration_is_a_sign_of_life_and_the_last_dose() -> None:
    order = request(DENOSUMAB, "r", authoredOn="2022-01-10", dosageInstruction=[dosage(60, every_days=182)])
    given = resource(
        "MedicationAdministration",
        "a",
        status="completed",
        medicationCodeableConcept=DENOSUMAB,
        effectiveDateTime="2026-01-20",
        dosage={"dose": {"value": 60, "unit": "mg"}},
    )
    (course,) = chart(order, given).courses
    assert course.status is CourseStatus.CURRENT
    assert course.last_given is not None
    assert course.last_given.latest == date(2026, 1, 20)
    assert course.refs == ("MedicationRequest/r", "MedicationAdministration/a")


@pytest.mark.parametrize(("day", "status"), [("2025-07-01", CourseStatus.CURRENT), ("2025-06-14", CourseStatus.PAST)])
def test_an_infusion_without_an_order_acts_for_its_interval(day: str, status: CourseStatus) -> None:
    given = {"status": "completed", "medicationCodeableConcept": ZOLEDRONATE, "effectiveDateTime": day}
    assert chart(resource("MedicationAdministration", **given)).courses[0].status is status


@pytest.mark.parametrize(
    ("drug", "instruction", "oncological"),
    [
        (DENOSUMAB, dosage(60, every_days=182), False),
        (DENOSUMAB, dosage(120, every_days=28), True),
        (DENOSUMAB, dosage(120, every_days=365), True),
        (ZOLEDRONATE, dosage(5, every_days=365), False),
        (ZOLEDRONATE, dosage(4, every_days=28), True),
        (ZOLEDRONATE, dosage(5, every_days=90), True),
        (coded(RXNORM, "1114085"), None, True),
    ],
)
def test_dose_and_interval_tell_the_product(drug: dict[str, Any], instruction: Any, oncological: bool) -> None:
    drugs = chart(statement(drug, dosage=[instruction] if instruction else [])).courses[0].drugs
    assert ("oncological_bone_drug" in drugs) is oncological
    assert ("bone_drug" in drugs) is not oncological


@pytest.mark.parametrize(
    ("route", "systemic", "oral"),
    [
        (None, True, True),
        (coded(SNOMED, "26643006"), True, True),
        ({"text": "intravenös"}, True, False),
        ({"text": "cutaneous"}, False, False),
        ({"text": "inhalation"}, False, False),
    ],
)
def test_a_glucocorticoid_counts_by_its_route(route: Any, systemic: bool, oral: bool) -> None:
    instruction = dosage(10) | ({"route": route} if route else {})
    drugs = chart(statement(PREDNISOLONE, dosage=[instruction])).courses[0].drugs
    assert ("glucocorticoid" in drugs, "oral_glucocorticoid" in drugs) == (systemic, oral)


def test_a_cream_is_topical_by_its_name() -> None:
    course = chart(statement({"text": "Hydrocortisone Topical Cream"})).courses[0]
    assert course.route is Route.TOPICAL
    assert "glucocorticoid" not in course.drugs
    assert course.matched_by_text


def test_a_salt_is_not_the_drug() -> None:
    assert chart(statement({"text": "Pitavastatin calcium 2 mg"})).courses == ()


def test_exposure_comes_from_the_bounds_of_the_dosage_not_from_the_order_date() -> None:
    bounds = {"boundsPeriod": {"start": "2026-01-02", "end": "2026-04-01"}}
    order = request(PREDNISOLONE, authoredOn="2026-05-31", dosageInstruction=[dosage(10, repeat=bounds)])
    course = chart(order).courses[0]
    assert (str(course.started), str(course.ended)) == ("2026-01-02", "2026-04-01")
    assert course.status is CourseStatus.PAST


@pytest.mark.parametrize("reference", ["#m", "Medication/m", "https://ehr.example/fhir/Medication/m", "urn:uuid:m"])
def test_a_referenced_medication_is_found(reference: str) -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": ALENDRONATE}
    record = resource("MedicationStatement", status="active", medicationReference={"reference": reference})
    namesake = {"resourceType": "Observation", "id": "m", "code": PREDNISOLONE}
    given = [record | {"contained": [medication]}] if reference.startswith("#") else [medication, namesake, record]
    found = chart(*given)
    assert "alendronate" in found.courses[0].drugs


def test_a_reference_that_leads_nowhere_is_read_by_its_display() -> None:
    reference = {"reference": "Medication/gone", "display": "Fosamax 70 mg"}
    course = chart(resource("MedicationStatement", status="active", medicationReference=reference)).courses[0]
    assert "alendronate" in course.drugs
    assert course.matched_by_text


def test_a_contradicting_name_is_marked() -> None:
    assert chart(statement(coded(ATC, "M05BA04", text="Prednisolon 5 mg"))).courses[0].code_text_conflict


def test_the_later_assertion_decides_about_contradicting_statements() -> None:
    earlier = statement(ALENDRONATE, "a", "active", dateAsserted="2025-10-01")
    later = statement(ALENDRONATE, "b", "stopped", dateAsserted="2026-03-01", statusReason=[{"text": "nausea"}])
    (course,) = chart(earlier, later).courses
    assert course.status is CourseStatus.PAST
    assert course.stop_reason == "nausea"


def test_an_r5_medication_is_read() -> None:
    record = resource("MedicationStatement", status="recorded", medication={"concept": ALENDRONATE})
    assert "alendronate" in chart(record).courses[0].drugs
