"""Orders at hand."""

from __future__ import annotations

from typing import Any

import pytest

from app.chart import CourseStatus, DraftOrder, OrderAction
from tests.unit.fhir.builders import ATC, SNOMED, chart, coded, dosage, request, resource, statement

ZOLEDRONATE, ALENDRONATE = coded(ATC, "M05BA08"), coded(ATC, "M05BA04")


def draft(drug: dict[str, Any], *running: dict[str, Any], **members: Any) -> DraftOrder:
    order = request(drug, "d", "draft", **members)
    (found,) = chart(*running, draft_orders=(order,)).draft_orders
    return found


def test_a_draft_is_a_planned_course() -> None:
    order = draft(ZOLEDRONATE, dosageInstruction=[dosage(5, every_days=365)])
    assert (order.action, order.course.status, order.ref) == (
        OrderAction.START,
        CourseStatus.PLANNED,
        "MedicationRequest/d",
    )
    assert "zoledronate" in order.course.drugs


def test_a_draft_of_a_running_drug_is_a_change() -> None:
    running = statement(ALENDRONATE, "r", dateAsserted="2026-06-01")
    assert draft(ALENDRONATE, running).action is OrderAction.CHANGE
    assert draft(ZOLEDRONATE, running).action is OrderAction.START


@pytest.mark.parametrize("members", [{"doNotPerform": True}])
def test_an_order_not_to_give_a_drug_stops_it(members: dict[str, Any]) -> None:
    order = draft(ALENDRONATE, **members)
    assert order.action is OrderAction.STOP
    assert "alendronate" in order.course.drugs


def test_a_drug_that_is_not_known_stays_in_the_list_as_not_recognised() -> None:
    order = draft({"text": "Mystery 5 mg"})
    assert not order.recognised
    assert order.course.name == "Mystery 5 mg"
    assert order.course.drugs == frozenset()


@pytest.mark.parametrize(
    ("selections", "selected"),
    [(None, True), (frozenset({"MedicationRequest/d"}), True), (frozenset({"MedicationRequest/other"}), False)],
)
def test_selections_mark_what_the_clinician_is_looking_at(selections: frozenset[str] | None, selected: bool) -> None:
    order = request(ALENDRONATE, "d", "draft")
    assert chart(draft_orders=(order,), selections=selections).draft_orders[0].selected is selected


def test_drafted_examinations_are_services() -> None:
    order = resource("ServiceRequest", "s", status="draft", intent="order", code=coded(SNOMED, "312681000"))
    (service,) = chart(draft_orders=(order,)).services
    assert service.draft
    assert "dxa_report" in service.concepts


def test_a_draft_does_not_count_as_taken() -> None:
    assert chart(draft_orders=(request(ALENDRONATE, "d", "draft"),)).courses == ()
