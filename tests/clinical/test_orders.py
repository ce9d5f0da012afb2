"""Draft orders in the shapes that real clients send: the facts of a case, with its drafts written by hand."""

from __future__ import annotations

from typing import Any

from app.cases.builder import Builder
from tests.clinical.cases import TODAY
from tests.conftest import Client

Json = dict[str, Any]
ATC = "http://www.whocc.no/atc"
RUNNING_ALENDRONATE = {"concept": "alendronate", "dose_mg": 70, "every_days": 7, "started_days_ago": 200}


def drug(code: str | None, text: str | None, identifier: str = "d1", **more: Any) -> Json:
    concept: Json = {}
    if code:
        concept["coding"] = [{"system": ATC, "code": code}]
    if text:
        concept["text"] = text
    return {
        "resourceType": "MedicationRequest",
        "id": identifier,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": concept,
    } | more


def cards(osteon: Client, drafts: list[Json], *, clearance: float = 60, **facts: Any) -> list[Json]:
    case = {
        "profile": "intl",
        "hook": "order-sign",
        "patient": {"sex": "female", "age": 75},
        "observations": [
            {"concept": "crcl", "value": clearance, "unit": "mL/min", "days_ago": 10},
            {"concept": "calcium_total", "value": 2.3, "days_ago": 10, "reference_low": 2.15, "reference_high": 2.5},
        ],
        "draft_orders": [{"concept": "alendronate"}],
    } | facts
    request = Builder(case, TODAY).request()
    patient = {"reference": f"Patient/{request['context']['patientId']}"}
    entries = [{"resource": draft | {"subject": patient} if "subject" in draft else draft} for draft in drafts]
    request["context"]["draftOrders"]["entry"] = entries
    answer = osteon.call(request, service="osteoporosis-order-sign")
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["cards"]
    return found


def advice(found: list[Json]) -> list[str]:
    return [card["extension"]["osteon.explanation"]["advice"] for card in found]


def test_a_drug_that_only_a_contained_code_names_is_called_by_its_name(osteon: Client) -> None:
    medication = {"resourceType": "Medication", "id": "x", "code": {"coding": [{"system": ATC, "code": "M05BA04"}]}}
    draft = drug(None, None, contained=[medication], medicationReference={"reference": "#x"})
    del draft["medicationCodeableConcept"]
    found = cards(osteon, [draft], clearance=20)
    assert found[0]["summary"].startswith("Do not sign alendronate")


def test_a_drug_that_cannot_be_told_is_named_as_not_checked(osteon: Client) -> None:
    found = cards(osteon, [drug("M05BA04", "alendronate"), drug(None, "Zorbofix 70", "d2")], clearance=20)
    assert "not checked: Zorbofix 70" in found[0]["detail"]
    assert {"resource": "MedicationRequest/d2", "reason": "drug not recognised"} in (
        found[0]["extension"]["osteon.explanation"]["notUsed"]
    )


def test_a_coded_drug_that_matters_not_here_is_not_called_unknown(osteon: Client) -> None:
    found = cards(osteon, [drug("M05BA04", "alendronate"), drug("N02BE01", "paracetamol", "d2")], clearance=20)
    assert "paracetamol" not in found[0]["detail"]


def test_two_bone_drugs_are_both_named_and_either_can_be_removed(osteon: Client) -> None:
    found = cards(osteon, [drug("M05BX04", "Prolia"), drug("M05BA07", "risedronate", "d2")])
    assert "duplicate-bone-drug" in advice(found)
    card = found[advice(found).index("duplicate-bone-drug")]
    assert "denosumab" in card["summary"]
    assert "risedronate" in card["summary"]
    removed = {a["resourceId"] for s in card["suggestions"] for a in s["actions"]}
    assert removed == {"MedicationRequest/d1", "MedicationRequest/d2"}


def test_an_order_that_stops_or_replaces_the_running_drug_is_no_duplicate(osteon: Client) -> None:
    medications = [RUNNING_ALENDRONATE]
    prolia = drug("M05BX04", "Prolia")
    stop = drug("M05BA04", "alendronate", "d2", status="stopped")
    assert "duplicate-bone-drug" in advice(cards(osteon, [prolia], medications=medications))
    assert "duplicate-bone-drug" not in advice(cards(osteon, [prolia, stop], medications=medications))


def test_the_oncological_dose_is_no_osteoporosis_order_but_two_of_the_kind_are_too_many(osteon: Client) -> None:
    dose = {"doseAndRate": [{"doseQuantity": {"value": 4, "unit": "mg"}}]}
    zometa = drug("M05BA08", "zoledronic acid", dosageInstruction=[dose])
    assert cards(osteon, [zometa], clearance=60) == []
    both = cards(osteon, [zometa, drug("M05BX04", "Prolia", "d2")])
    assert "duplicate-bone-drug" in advice(both)


def test_stopping_denosumab_asks_for_what_follows_unless_it_is_ordered_with_it(osteon: Client) -> None:
    running = [{"concept": "denosumab", "dose_mg": 60, "every_days": 182, "started_days_ago": 900}]
    stop = drug("M05BX04", "Prolia", status="stopped")
    after = drug("M05BA08", "Aclasta", "d2")
    assert "follow-denosumab" in advice(cards(osteon, [stop], medications=running))
    assert "follow-denosumab" not in advice(cards(osteon, [stop, after], medications=running))


def test_the_alternative_is_not_what_is_ordered_beside_it(osteon: Client) -> None:
    found = cards(osteon, [drug("M05BX04", "Prolia"), drug("M05BA07", "risedronate", "d2")], clearance=30)
    created = [a for c in found for s in c.get("suggestions", []) for a in s["actions"] if a["type"] == "create"]
    assert not created
