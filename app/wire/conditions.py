"""Condition, FamilyMemberHistory and AllergyIntolerance."""

from __future__ import annotations

from app.wire.elements import CodeableConcept, CodeableReference, Period, Quantity, Range, WireType
from app.wire.record import ClinicalRecord


class Condition(ClinicalRecord, frozen=True, gc=False):
    """A diagnosis or problem."""

    verification_status: CodeableConcept | str | None = None  # a code in STU3
    clinical_status: CodeableConcept | str | None = None  # a code in STU3
    code: CodeableConcept | None = None
    body_site: tuple[CodeableConcept, ...] = ()
    onset_date_time: str | None = None
    onset_period: Period | None = None
    onset_age: Quantity | None = None
    onset_range: Range | None = None
    onset_string: str | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    abatement_age: Quantity | None = None
    abatement_range: Range | None = None
    abatement_string: str | None = None
    abatement_boolean: bool | None = None  # STU3
    recorded_date: str | None = None
    asserted_date: str | None = None  # STU3


class FamilyCondition(WireType, frozen=True, gc=False):
    """A condition of a relative."""

    code: CodeableConcept | None = None


class FamilyMemberHistory(ClinicalRecord, frozen=True, gc=False):
    """The conditions of one relative."""

    status: str | None = None
    relationship: CodeableConcept | None = None
    condition: tuple[FamilyCondition, ...] = ()


class Reaction(WireType, frozen=True, gc=False):
    """A reaction to a substance."""

    substance: CodeableConcept | None = None
    manifestation: tuple[CodeableReference, ...] = ()
    description: str | None = None
    exposure_route: CodeableConcept | None = None


class AllergyIntolerance(ClinicalRecord, frozen=True, gc=False):
    """An allergy or intolerance."""

    verification_status: CodeableConcept | str | None = None  # a code in STU3
    clinical_status: CodeableConcept | str | None = None  # a code in STU3
    code: CodeableConcept | None = None
    substance: CodeableConcept | None = None  # DSTU2
    reaction: tuple[Reaction, ...] = ()
    recorded_date: str | None = None
    asserted_date: str | None = None  # STU3
