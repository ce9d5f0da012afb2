"""Writes the FHIR R4 resources that suggestions carry: drafts of orders that a clinician reads, changes and signs.

Pure functions: the same arguments give the same JSON, also the temporary `id` (made from the content; the server
gives its own when the draft is stored). No name, identifier or address of the patient is written, only the reference.

`osteon check`, which CI runs, validates what is constant for an orderable or a drug order with fhir.resources
(`check_item`, `check_order`). What comes with the call (references, dates, texts) is checked here: a full validation
takes a third of a millisecond, and its import is a good part of a start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import orjson

from app.cards.order_codes import (
    MEDICATION_CATEGORIES,
    MEDICATION_REQUEST_CATEGORY,
    ROUTES,
    SERVICE_CATEGORIES,
    SNOMED,
    DoseOrderLike,
    DrugLike,
    OrderableLike,
    coding,
    concept,
    number,
    quantity,
    reference_to,
    references_of_kind,
)
from app.engine.locale import DoseTexts, DrugTexts, Locale, OrderableTexts

Resource = dict[str, Any]
"""A FHIR resource as plain JSON."""

_ID_LENGTH = 32
_REASONS = frozenset({"Condition"})  # other evidence is given in words: reasonReference of both types takes a Condition
_REQUESTERS = ("Practitioner", "PractitionerRole", "Organization", "Patient", "RelatedPerson", "Device")


class OrderContext:
    """For whom, when and why orders are written: the same for all orders of a card.

    `patient_id` and `encounter_id` are ids or "Type/id"; an encounter that cannot be referred to is left out.
    `reason_refs` are "Type/id"; those that are no Conditions are left out (the reason is in `reason_text`).
    `requester` is "Type/id". Raises ValueError for a patient's id that is none.
    """

    def __init__(
        self,
        *,
        patient_id: str,
        reason_text: str,
        reason_refs: Sequence[str] = (),
        authored: date,
        locale: Locale,
        encounter_id: str | None = None,
        requester: str | None = None,
    ) -> None:
        self.locale = locale
        self.members = _context(patient_id, authored, encounter_id, requester) | _reasons(reason_text, reason_refs)


def service_request(item: OrderableLike, context: OrderContext) -> Resource:
    """A draft ServiceRequest for a test, examination or referral."""
    texts = context.locale.orderables[item.id]
    return _completed(_constant(_service_constant, item, texts), context.members | _note(texts.note))


def medication_request(drug: DrugLike, source: str, context: OrderContext, *, prior: str | None = None) -> Resource:
    """A draft MedicationRequest for a drug with its order of `source` (a source id, or "any").

    `prior` is the MedicationRequest that this one takes the place of ("MedicationRequest/id"; a record of another type
    cannot be referred to and is left out).
    """
    texts = context.locale.drugs[drug.id]
    constant = _constant(_medication_constant, drug, drug.orders[source], texts, texts.orders[source])
    replaced = references_of_kind([prior] if prior else [], frozenset({"MedicationRequest"}))
    before = {"priorPrescription": replaced[0]} if replaced else {}
    return _completed(constant, context.members | before | _note(texts.orders[source].source_note))


def check_item(item: OrderableLike, locale: Locale) -> None:
    """Validate the constant part of an examination order. Raises ValueError."""
    _validate(_constant(_service_constant, item, locale.orderables[item.id]))


def check_order(drug: DrugLike, source: str, locale: Locale) -> None:
    """Validate the constant part of a drug order. Raises ValueError."""
    texts = locale.drugs[drug.id]
    _validate(_constant(_medication_constant, drug, drug.orders[source], texts, texts.orders[source]))


_constants: dict[tuple[object, ...], tuple[tuple[object, ...], bytes]] = {}
"""Constant parts by how and of which objects they are made; no personal data.

Keyed by id(): the objects are frozen, and kept here so that no id is reused.
"""


def _constant(make: Callable[..., Resource], *parts: object) -> Resource:
    """A constant part: made once, and a new object for each call."""
    key = (make, *map(id, parts))
    known = _constants.get(key)
    if known is None:
        known = _constants[key] = (parts, orjson.dumps(make(*parts)))
    made: Resource = orjson.loads(known[1])
    return made


def _service_constant(item: OrderableLike, texts: OrderableTexts) -> Resource:
    code, term = SERVICE_CATEGORIES[item.category]
    made: Resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "category": [concept([coding(SNOMED, code, term)])],
        "code": concept(item.codes, texts.name),
    }
    if texts.body_site:
        made["bodySite"] = [{"text": texts.body_site}]
    return made


def _medication_constant(drug: DrugLike, order: DoseOrderLike, texts: DrugTexts, dose: DoseTexts) -> Resource:
    code, term = MEDICATION_CATEGORIES[order.route]
    return {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "category": [concept([coding(MEDICATION_REQUEST_CATEGORY, code, term)])],
        "medicationCodeableConcept": concept(drug.codes, texts.name),
        "dosageInstruction": [_dosage(order, dose.text, texts.instructions)],
    }


def _dosage(order: DoseOrderLike, text: str, instruction: str) -> Resource:
    code, term = ROUTES[order.route]
    if order.dose_high is None:
        amount: Resource = {"doseQuantity": quantity(order.dose, order.unit)}
    else:
        amount = {"doseRange": {"low": quantity(order.dose, order.unit), "high": quantity(order.dose_high, order.unit)}}
    made: Resource = {
        "text": text,
        "timing": {
            "repeat": {
                "frequency": order.frequency,
                "period": number(order.period),
                "periodUnit": order.period_unit,
            }
        },
        "route": concept([coding(SNOMED, code, term)]),
        "doseAndRate": [amount],
    }
    return made | ({"patientInstruction": instruction} if instruction else {})


def _context(patient_id: str, authored: date, encounter_id: str | None, requester: str | None) -> Resource:
    made: Resource = {"subject": reference_to("Patient", patient_id)}
    if encounter_id is not None:
        # nothing in the order depends on the encounter: an odd id does not cost the suggestion
        encounters = references_of_kind(
            [f"Encounter/{encounter_id.removeprefix('Encounter/')}"], frozenset({"Encounter"})
        )
        if encounters:
            made["encounter"] = encounters[0]
    made["authoredOn"] = date(authored.year, authored.month, authored.day).isoformat()  # a datetime would need a zone
    if requester is not None:
        # hooks give the user as "Practitioner/id", and FHIR knows more kinds of users than requesters
        known = references_of_kind([requester], frozenset(_REQUESTERS))
        if known:
            made["requester"] = known[0]
    return made


def _reasons(text: str, references: Sequence[str]) -> Resource:
    made: Resource = {"reasonCode": [{"text": text}]} if text else {}
    conditions = references_of_kind(references, _REASONS)
    return made | ({"reasonReference": conditions} if conditions else {})


def _note(text: str | None) -> Resource:
    return {"note": [{"text": text}]} if text else {}


def _completed(constant: Resource, variable: Resource) -> Resource:
    made = constant | variable
    temporary_id = hashlib.sha256(orjson.dumps(made)).hexdigest()[:_ID_LENGTH]
    return {"resourceType": made.pop("resourceType"), "id": temporary_id, **made}


def _validate(constant: Resource) -> None:
    """Validate a constant part, completed with a subject. Raises ValueError (pydantic's ValidationError)."""
    # only `osteon check` pays for this import
    from fhir.resources.R4B.medicationrequest import MedicationRequest
    from fhir.resources.R4B.servicerequest import ServiceRequest

    resource = constant | {"subject": {"reference": "Patient/any"}}
    model: Any = {"MedicationRequest": MedicationRequest, "ServiceRequest": ServiceRequest}[resource["resourceType"]]
    model.model_validate(resource)
