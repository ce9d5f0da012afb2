from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.cards.orders import (
    OrderContext,
    check_item,
    check_order,
    medication_request,
    service_request,
)
from app.engine.linker import load_knowledge
from app.engine.locale import DoseTexts, DrugTexts, OrderableTexts
from app.engine.schema import DoseOrder, Drug, Orderable
from tests.fhir.suggested import context, drug_orders, orderables

ITEM = Orderable(
    id="spine-xray",
    category="imaging",
    codes=[{"system": "urn:osteon:orderable", "code": "spine-xray", "display": "X-ray"}],
)
DRUG = Drug(
    id="a-drug",
    course="a_drug",
    classes=["bone_drug"],
    codes=[
        {"system": "http://www.whocc.no/atc", "code": "M05BA04", "display": "alendronic acid"},
        {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "46041"},
    ],
    orders={
        "any": DoseOrder(
            dose=Decimal("2.5"),
            unit="mg",
            frequency=2,
            period=Decimal(3),
            period_unit="mo",
            route="subcutaneous",
            from_recommendation="msd.dose.any",
        )
    },
)
LOCALE = (
    load_knowledge()
    .locale("en")
    .model_copy(
        update={
            "orderables": {
                "spine-xray": OrderableTexts(name="X-ray of the spine", body_site="spine", note="standing"),
                "bare": OrderableTexts(name="X-ray of the spine"),
            },
            "drugs": {
                "a-drug": DrugTexts(
                    name="a drug",
                    instructions="with water",
                    orders={"any": DoseTexts(text="2.5 mg twice every three months", source_note="Osteon")},
                )
            },
        }
    )
)


def _context(**changed: Any) -> OrderContext:
    return context(**{"locale": LOCALE, **changed})


def _service(**changed: Any) -> dict[str, Any]:
    return service_request(ITEM, _context(**changed))


def _medication(prior: str | None = None, **changed: Any) -> dict[str, Any]:
    return medication_request(DRUG, "any", _context(**changed), prior=prior)


def test_a_service_request_is_a_draft_for_this_patient_with_its_reason() -> None:
    made = _service()
    assert made | {"id": "any"} == {
        "resourceType": "ServiceRequest",
        "id": "any",
        "status": "draft",
        "intent": "order",
        "category": [
            {"coding": [{"system": "http://snomed.info/sct", "code": "363679005", "display": "Imaging"}]},
        ],
        "code": {
            "coding": [{"system": "urn:osteon:orderable", "code": "spine-xray", "display": "X-ray"}],
            "text": "X-ray of the spine",
        },
        "bodySite": [{"text": "spine"}],
        "subject": {"reference": "Patient/anna-berg"},
        "encounter": {"reference": "Encounter/enc-1"},
        "authoredOn": "2026-05-04",
        "requester": {"reference": "Practitioner/dr-1"},
        "reasonCode": [{"text": "T-score -2.7 in the lumbar spine"}],
        "reasonReference": [{"reference": "Condition/fx-1"}],
        "note": [{"text": "standing"}],
    }


def test_a_medication_request_holds_all_codes_and_the_dose_as_data() -> None:
    made = _medication(prior="MedicationRequest/m7")
    assert made["medicationCodeableConcept"] == {
        "coding": [
            {"system": "http://www.whocc.no/atc", "code": "M05BA04", "display": "alendronic acid"},
            {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "46041"},
        ],
        "text": "a drug",
    }
    assert made["dosageInstruction"] == [
        {
            "text": "2.5 mg twice every three months",
            "timing": {"repeat": {"frequency": 2, "period": 3, "periodUnit": "mo"}},
            "route": {
                "coding": [
                    {"system": "http://snomed.info/sct", "code": "34206005", "display": "Subcutaneous route"},
                ]
            },
            "doseAndRate": [
                {"doseQuantity": {"value": 2.5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}}
            ],
            "patientInstruction": "with water",
        }
    ]
    assert made["priorPrescription"] == {"reference": "MedicationRequest/m7"}
    assert (made["status"], made["intent"]) == ("draft", "order")


def test_a_range_of_doses_is_written_as_a_range() -> None:
    order = DRUG.orders["any"].model_copy(update={"dose": Decimal(500), "dose_high": Decimal(1000)})
    drug = DRUG.model_copy(update={"orders": {"any": order}})
    amount = medication_request(drug, "any", _context())["dosageInstruction"][0]["doseAndRate"][0]
    assert "doseQuantity" not in amount
    assert (amount["doseRange"]["low"]["value"], amount["doseRange"]["high"]["value"]) == (500, 1000)


def test_texts_are_those_of_the_language() -> None:
    drug, _ = drug_orders()["alendronate", "any"]
    made = medication_request(drug, "any", context("sv"))
    assert made["medicationCodeableConcept"]["text"] == "alendronat"
    assert made["dosageInstruction"][0]["text"] == "70 mg per os en gång i veckan"


def test_what_is_not_known_is_left_out() -> None:
    made = service_request(
        ITEM.model_copy(update={"id": "bare"}),
        OrderContext(patient_id="p", reason_text="", authored=date(2026, 5, 4), locale=LOCALE),
    )
    assert set(made) == {
        "resourceType", "id", "status", "intent", "category", "code", "subject", "authoredOn"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given_id", "reference"), [("p", "Patient/p"), ("Patient/p", "Patient/p"), ("p_1", "Patient/p_1")]
)
def test_the_patient_is_referred_to_by_id(given_id: str, reference: str) -> None:
    assert _service(patient_id=given_id)["subject"] == {"reference": reference}


@pytest.mark.parametrize("wrong", ["", "a b", "Group/p", "https://x.example/Patient/p"])
def test_what_is_no_patient_id_is_refused_without_repeating_it(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"^not the id of a Patient$"):
        _medication(patient_id=wrong)


@pytest.mark.parametrize(
    ("changed", "gone"),
    [
        ({"encounter_id": "an encounter"}, "encounter"),
        ({"requester": "Application/x"}, "requester"),
        ({"prior": "MedicationStatement/m1"}, "priorPrescription"),
        ({"reason_refs": ["Observation/o", "urn:uuid:1"]}, "reasonReference"),
    ],
)
def test_a_reference_that_the_standard_does_not_allow_there_is_left_out(changed: dict[str, Any], gone: str) -> None:
    assert gone not in _medication(**changed)


def test_authored_on_is_a_day_even_when_a_time_is_given() -> None:
    assert _service(authored=datetime(2026, 5, 4, 23, 59))["authoredOn"] == "2026-05-04"


def test_the_temporary_id_depends_on_the_content_alone() -> None:
    assert _medication()["id"] == _medication()["id"]
    assert len({_medication()["id"], _medication(reason_text="other")["id"], _service()["id"]}) == 3


def test_drafts_of_two_calls_share_no_object() -> None:
    first, before = _medication(), _medication()
    first["dosageInstruction"][0]["text"] = "changed by the caller"
    first["medicationCodeableConcept"]["coding"].clear()
    assert _medication() == before
    assert DRUG.codes[0]["code"] == "M05BA04"


def test_a_wrong_template_is_found_before_the_first_call() -> None:
    wrong = DRUG.model_copy(update={"codes": [{"system": "not a uri with\tblanks", "code": ""}]})
    with pytest.raises(ValidationError):
        check_order(wrong, "any", LOCALE)


def test_the_orders_of_the_guidelines_are_valid_in_every_language() -> None:
    assert orderables()
    assert drug_orders()
    for locale in load_knowledge().locales.values():
        for item in orderables().values():
            check_item(item, locale)
        for (_, source), (drug, _) in drug_orders().items():
            check_order(drug, source, locale)


def test_a_call_pays_for_no_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A validation by fhir.resources takes longer than the whole rest of a call."""

    def refuse(*_: object) -> None:
        raise AssertionError("validated")

    monkeypatch.setattr(MedicationRequest, "model_validate", refuse)
    other = DRUG.model_copy()
    assert medication_request(other, "any", _context())["resourceType"] == "MedicationRequest"
    with pytest.raises(AssertionError, match="validated"):
        check_order(other, "any", LOCALE)


@given(text=st.text(), ids=st.lists(st.text()), encounter=st.text(), user=st.text())
def test_no_text_of_the_client_makes_writing_fail_or_a_wrong_reference(
    text: str, ids: list[str], encounter: str, user: str
) -> None:
    made = _medication(reason_text=text, reason_refs=ids, encounter_id=encounter, requester=user)
    json.dumps(made)
    assert all(reference["reference"].startswith("Condition/") for reference in made.get("reasonReference", ()))
