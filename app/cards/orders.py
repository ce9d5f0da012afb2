"""Writes the FHIR R4 resources that suggestions carry: drafts of orders that a clinician reads, changes and signs.

Pure functions: the same arguments give the same JSON, also the temporary `id` (made from the content; the server
gives its own when the draft is stored). No name, identifier or address of the patient is written, only the reference.

`osteon check`, which CI runs, validates what is constant for an orderable or a drug order with fhir.resources
(`check_item`, `check_order`). What comes with the call (references, dates, texts) is checked here: a full validation
takes a third of a millisecond, and its import is a good part of a start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

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
    in_language,
    number,
    quantity,
    reference_to,
    references_of_kind,
)

Resource = dict[str, Any]
"""A FHIR resource as plain JSON."""

_ID_LENGTH = 32
_REASONS = frozenset({"Condition"})  # other evidence is told in words: reasonReference of both types takes a Condition
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
        language: str,
        encounter_id: str | None = None,
        requester: str | None = None,
    ) -> None:
        self.language = language
        self.members = _context(patient_id, authored, encounter_id, requester) | _reasons(reason_text, reason_refs)


def service_request(item: OrderableLike, context: OrderContext) -> Resource:
    """A draft ServiceRequest for a test, examination or referral."""
    constant = _constant(_service_constant, context.language, item)
    return _completed(constant, context.members | _note(in_language(item.note, context.language)))


def medication_request(
    drug: DrugLike, order: DoseOrderLike, context: OrderContext, *, prior: str | None = None, note: str | None = None
) -> Resource:
    """A draft MedicationRequest for a drug with the dose of the source.

    `prior` is the MedicationRequest that this one takes the place of ("MedicationRequest/id"; a record of another type
    cannot be referred to and is left out).
    """
    constant = _constant(_medication_constant, context.language, drug, order)
    replaced = references_of_kind([prior] if prior else [], frozenset({"MedicationRequest"}))
    before = {"priorPrescription": replaced[0]} if replaced else {}
    return _completed(constant, context.members | before | _note(note))


@dataclass(frozen=True, slots=True)
class MedicationChanges:
    """What an update changes in a MedicationRequest; None leaves it as it is.

    `drug` and `order` come together: the dose of one drug is never left on another.
    """

    language: str
    status: Literal["draft", "active", "on-hold", "cancelled", "stopped"] | None = None
    status_reason: str | None = None
    drug: DrugLike | None = None
    order: DoseOrderLike | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if self.drug is not None and self.order is None:
            raise ValueError("a changed drug needs its own dose order")
        if self.status_reason is not None and self.status is None:
            raise ValueError("a status reason needs a status")


def updated_medication_request(original: Mapping[str, Any], changes: MedicationChanges) -> Resource:
    """The whole resource for an update action: `original` (not changed) with the changes, everything else as it was.

    A changed drug also takes away what described the former one (amount to dispense, substitution). Raises ValueError
    when the original is no MedicationRequest with an id.
    """
    if original.get("resourceType") != "MedicationRequest" or not isinstance(original.get("id"), str):
        raise ValueError("only a MedicationRequest with an id can be updated")
    updated: Resource = deepcopy(dict(original))
    if changes.drug is not None and changes.order is not None:
        for former in ("medicationReference", "dispenseRequest", "substitution"):
            updated.pop(former, None)
        constant = _constant(_medication_constant, changes.language, changes.drug, changes.order)
        updated["medicationCodeableConcept"] = constant["medicationCodeableConcept"]
        updated["dosageInstruction"] = constant["dosageInstruction"]
    elif changes.order is not None:
        updated["dosageInstruction"] = [_dosage(changes.order, changes.language)]
    if changes.status is not None:
        updated["status"] = changes.status
    if changes.status_reason:
        updated["statusReason"] = {"text": changes.status_reason}
    if changes.note:
        updated["note"] = [*updated.get("note", []), {"text": changes.note}]
    return updated


def check_item(item: OrderableLike, language: str) -> None:
    """Validate the constant part of an examination order. Raises ValueError."""
    _validate(_constant(_service_constant, language, item))


def check_order(drug: DrugLike, order: DoseOrderLike, language: str) -> None:
    """Validate the constant part of a drug order. Raises ValueError."""
    _validate(_constant(_medication_constant, language, drug, order))


_constants: dict[tuple[object, ...], tuple[tuple[object, ...], bytes]] = {}
"""Constant parts by how, in which language and of which objects they are made; nobody's data.

The objects are frozen and told apart by identity. They are kept here, so that none can take the place of another.
"""


def _constant(make: Callable[..., Resource], language: str, *parts: object) -> Resource:
    """A constant part: made once, and a new object for each call."""
    key = (make, language, *map(id, parts))
    known = _constants.get(key)
    if known is None:
        known = _constants[key] = (parts, orjson.dumps(make(*parts, language)))
    made: Resource = orjson.loads(known[1])
    return made


def _service_constant(item: OrderableLike, language: str) -> Resource:
    code, term = SERVICE_CATEGORIES[item.category]
    made: Resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "category": [concept([coding(SNOMED, code, term)])],
        "code": concept(item.codes, in_language(item.name, language)),
    }
    site = in_language(item.body_site, language)
    if site:
        made["bodySite"] = [{"text": site}]
    return made


def _medication_constant(drug: DrugLike, order: DoseOrderLike, language: str) -> Resource:
    code, term = MEDICATION_CATEGORIES[order.route]
    return {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "category": [concept([coding(MEDICATION_REQUEST_CATEGORY, code, term)])],
        "medicationCodeableConcept": concept(drug.codes, in_language(drug.name, language)),
        "dosageInstruction": [_dosage(order, language, in_language(drug.advice, language))],
    }


def _dosage(order: DoseOrderLike, language: str, instruction: str = "") -> Resource:
    code, term = ROUTES[order.route]
    if order.dose_high is None:
        amount: Resource = {"doseQuantity": quantity(order.dose, order.unit)}
    else:
        amount = {"doseRange": {"low": quantity(order.dose, order.unit), "high": quantity(order.dose_high, order.unit)}}
    made: Resource = {
        "text": in_language(order.text, language),
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
