"""A drug that is suggested in the place of another names the prescription that it replaces."""

from __future__ import annotations

from typing import Any

import pytest

from app.advice.draft import replaced_prescription
from app.cases.builder import ATC, Builder
from app.cds_hooks.request import HookRequest
from tests.property.patients import pipeline, read
from tests.unit.advice.test_drug_options import TODAY, woman
from tests.unit.fhir.builders import chart

ALENDRONATE, ZOLEDRONATE, DENOSUMAB, ROMOSOZUMAB = "M05BA04", "M05BA08", "M05BX04", "M05BX06"
RALOXIFENE, CALCIUM = "G03XC01", "A12AX"


def prescribed(code: str, name: str, kind: str = "MedicationRequest", status: str = "active") -> dict[str, Any]:
    """A record of a drug that has run since May."""
    when = {"authoredOn": "2026-05-03"} if kind == "MedicationRequest" else {"dateAsserted": "2026-05-03"}
    return {
        "resourceType": kind,
        "id": name,
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": ATC, "code": code}]},
        "subject": {"reference": "Patient/me"},
    } | when


@pytest.mark.parametrize(
    ("drug", "code"),
    [("bone_drug", ALENDRONATE), ("denosumab", DENOSUMAB), ("anabolic", ROMOSOZUMAB)],
)
def test_the_running_drug_that_gives_way_is_named(drug: str, code: str) -> None:
    found = chart(prescribed(code, "rx"), prescribed(CALCIUM, "calcium"))
    assert replaced_prescription(drug, found) == "MedicationRequest/rx"


def test_a_card_that_changes_no_drug_replaces_none() -> None:
    assert replaced_prescription(None, chart(prescribed(ALENDRONATE, "rx"))) is None


@pytest.mark.parametrize(
    "records",
    [
        [],
        [prescribed(ALENDRONATE, "rx")],
        [prescribed(DENOSUMAB, "rx", status="stopped")],
        [prescribed(DENOSUMAB, "rx", kind="MedicationStatement")],
        [prescribed(DENOSUMAB, "not an id")],
        [prescribed(DENOSUMAB, "one"), prescribed(DENOSUMAB, "two") | {"authoredOn": "2026-06-01"}],
    ],
)
def test_nothing_is_guessed(records: list[dict[str, Any]]) -> None:
    """Another drug, one that has ended, one known otherwise, without id, and two of which nobody can tell."""
    assert replaced_prescription("denosumab", chart(*records)) is None


def taking(code: str, **facts: Any) -> HookRequest:
    """The call for a woman who did not tolerate alendronate and has a prescription of this drug."""
    case = woman(allergies=[{"concept": "alendronate", "reaction": "oesophagitis"}], **facts)
    body = Builder(case, TODAY).request()
    running = prescribed(code, "rx") | {"subject": {"reference": f"Patient/{body['context']['patientId']}"}}
    entries = [{"resource": running}]
    body["prefetch"]["medicationRequests"] = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    return read(body)


def test_what_stands_in_the_place_of_a_draft_replaces_no_prescription() -> None:
    """The draft is deleted with it; the prescription that runs is another matter."""
    draft = [{"concept": "alendronate", "dose_mg": 70, "every_days": 7}]
    worked = pipeline().work(taking(RALOXIFENE, hook="order-sign", draft_orders=draft), today=TODAY)
    card = next(advice for advice in worked.advice.advice if advice.id == "order-other-drug")
    assert card.options
    assert card.replaces is None
    assert replaced_prescription("bone_drug", worked.chart) == "MedicationRequest/rx"


def test_the_order_on_a_switch_card_says_what_it_replaces() -> None:
    """FHIR R4, MedicationRequest.priorPrescription; only orders of the drugs offered in its place have it."""
    answer = pipeline().answer(taking(ALENDRONATE), today=TODAY).to_json()
    orders = [
        action["resource"]
        for card in answer["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
        if action["resource"]["resourceType"] == "MedicationRequest"
    ]
    replaced = {
        order["medicationCodeableConcept"]["coding"][0]["code"]: order.get("priorPrescription") for order in orders
    }
    assert replaced == {ZOLEDRONATE: {"reference": "MedicationRequest/rx"}, CALCIUM: None}
