"""MedicationStatement, MedicationRequest, MedicationAdministration, MedicationDispense and Medication."""

from __future__ import annotations

from typing_extensions import override

from app.wire.dosage import Dosage
from app.wire.elements import (
    CodeableConcept,
    CodeableReference,
    Extension,
    Period,
    Quantity,
    Ratio,
    Reference,
    WireType,
)
from app.wire.record import ClinicalRecord, Record


class Ingredient(WireType, frozen=True, gc=False):
    """What is in a product."""

    item_codeable_concept: CodeableConcept | None = None
    item_reference: Reference | None = None
    item: CodeableReference | None = None  # R5
    strength: Ratio | None = None
    strength_ratio: Ratio | None = None  # R5
    strength_quantity: Quantity | None = None  # R5


class Medication(Record, frozen=True, gc=False):
    """A product to which medication records refer."""

    code: CodeableConcept | None = None
    ingredient: tuple[Ingredient, ...] = ()
    modifier_extension: tuple[Extension, ...] = ()


class MedicationReference(WireType, frozen=True, gc=False):
    """R5: the drug as a concept or as a reference."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class Adherence(WireType, frozen=True, gc=False):
    """R5: whether the drug is taken."""

    code: CodeableConcept | None = None


class MedicationRecord(ClinicalRecord, frozen=True, gc=False):
    """What medication records have in common; the kinds below add their dates."""

    status: str | None = None
    status_reason: tuple[CodeableConcept, ...] = ()
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    medication: MedicationReference | None = None  # R5
    reason_code: tuple[CodeableReference, ...] = ()
    reason: tuple[CodeableReference, ...] = ()  # R5
    intent: str | None = None
    do_not_perform: bool | None = None
    taken: str | None = None  # STU3
    not_given: bool | None = None  # STU3
    reason_not_taken: tuple[CodeableConcept, ...] = ()  # STU3
    adherence: Adherence | None = None  # R5

    @property
    def instructions(self) -> tuple[Dosage, ...]:
        """How the drug is taken, was given or is ordered."""
        raise NotImplementedError


class MedicationStatement(MedicationRecord, frozen=True, gc=False):
    """A statement of what the patient takes."""

    effective_date_time: str | None = None
    effective_period: Period | None = None
    date_asserted: str | None = None
    dosage_instruction: tuple[Dosage, ...] = ()
    dosage: tuple[Dosage, ...] = ()

    @property
    @override
    def instructions(self) -> tuple[Dosage, ...]:
        return self.dosage or self.dosage_instruction


class DispenseRequest(WireType, frozen=True, gc=False):
    """How long an order is valid."""

    validity_period: Period | None = None


class MedicationRequest(MedicationRecord, frozen=True, gc=False):
    """An order of a drug."""

    authored_on: str | None = None
    dispense_request: DispenseRequest | None = None
    prior_prescription: Reference | None = None
    requester: Reference | None = None
    dosage_instruction: tuple[Dosage, ...] = ()
    dosage: tuple[Dosage, ...] = ()

    @property
    @override
    def instructions(self) -> tuple[Dosage, ...]:
        return self.dosage_instruction or self.dosage


class MedicationAdministration(MedicationRecord, frozen=True, gc=False):
    """A dose that was given."""

    effective_date_time: str | None = None
    effective_period: Period | None = None
    occurence_date_time: str | None = None  # R5, spelt so there
    occurence_period: Period | None = None  # R5, spelt so there
    dosage: Dosage | None = None

    @property
    @override
    def instructions(self) -> tuple[Dosage, ...]:
        return () if self.dosage is None else (self.dosage,)


class MedicationDispense(MedicationRecord, frozen=True, gc=False):
    """A drug that was handed out."""

    when_prepared: str | None = None
    when_handed_over: str | None = None
    dosage_instruction: tuple[Dosage, ...] = ()
    dosage: tuple[Dosage, ...] = ()

    @property
    @override
    def instructions(self) -> tuple[Dosage, ...]:
        return self.dosage_instruction or self.dosage
