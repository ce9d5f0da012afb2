"""A drug that is suggested in the place of another names the prescription that it replaces."""

from __future__ import annotations

from typing import Any

import pytest

from app.advice.replaced import replaced_prescription
from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import read_request
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from tests.clinical.builder import ATC, Builder
from tests.unit.advice.test_drug_options import TODAY, woman
from tests.unit.fhir.builders import chart

ALENDRONATE, ZOLEDRONATE, DENOSUMAB, ROMOSOZUMAB = "M05BA04", "M05BA08", "M05BX04", "M05BX06"
CALCIUM = "A12AX"


@pytest.fixture(scope="module")
def pipeline() -> OsteonPipeline:
    return build_pipeline(Settings())


def prescribed(code: str, name: str, kind: str = "MedicationRequest", status: str = "active") -> dict[str, Any]:
    """A record of a drug that has run since May."""
    when = {"authoredOn": "2026-05-03"} if kind == "MedicationRequest" else {"dateAsserted": "2026-10-03"}
    return {
        "resourceType": kind,
        "id": name,
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": ATC, "code": code}]},
        "subject": {"reference": "Patient/me"},
    } | when


@pytest.mark.parametrize(
    ("purpose", "code"),
    [("change", ALENDRONATE), ("follow-denosumab", DENOSUMAB), ("follow-anabolic", ROMOSOZUMAB)],
)
def test_the_running_drug_that_gives_way_is_named(purpose: str, code: str) -> None:
    found = chart(prescribed(code, "rx"), prescribed(CALCIUM, "calcium"))
    assert replaced_prescription(purpose, found) == "MedicationRequest/rx"


@pytest.mark.parametrize("purpose", [None, "start", "anabolic"])
def test_a_card_that_changes_no_drug_replaces_none(purpose: str | None) -> None:
    assert replaced_prescription(purpose, chart(prescribed(ALENDRONATE, "rx"))) is None


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
    assert replaced_prescription("follow-denosumab", chart(*records)) is None


def test_the_order_on_a_switch_card_says_what_it_replaces(pipeline: OsteonPipeline) -> None:
    """FHIR R4, MedicationRequest.priorPrescription; only orders of the drugs offered in its place have it."""
    body = Builder(
        woman(
            allergies=[{"concept": "alendronate", "reaction": "oesophagitis"}],
            observations=[{"concept": "crcl", "value": 70, "unit": "mL/min", "days_ago": 10}],
        ),
        TODAY,
    ).request()
    patient = body["context"]["patientId"]
    running = prescribed(ALENDRONATE, "rx") | {"subject": {"reference": f"Patient/{patient}"}}
    body["prefetch"]["medicationRequests"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": running}],
    }
    service = next(service for service in SERVICES if service.hook == body["hook"])
    answer = pipeline.answer(read_request(body, service), today=TODAY).to_json()
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
