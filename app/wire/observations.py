"""Observation and DiagnosticReport."""

from __future__ import annotations

from app.wire.elements import (
    Attachment,
    CodeableConcept,
    Narrative,
    Number,
    Period,
    Quantity,
    Reference,
    ReportText,
    Sentences,
    WireType,
)
from app.wire.record import ClinicalRecord


class ReferenceRange(WireType, frozen=True, gc=False):
    """The normal range of a result, or another range as `type` states."""

    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None


class ObservationComponent(WireType, frozen=True, gc=False):
    """One of several results in an Observation."""

    code: CodeableConcept | None = None
    value_quantity: Quantity | None = None
    value_integer: Number = None
    value_decimal: Number = None
    value_string: Sentences | None = None
    value_boolean: bool | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_date_time: str | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    reference_range: tuple[ReferenceRange, ...] = ()
    body_site: CodeableConcept | None = None
    method: CodeableConcept | None = None


class Observation(ClinicalRecord, frozen=True, gc=False):
    """A measurement, an answer or a finding."""

    status: str | None = None
    code: CodeableConcept | None = None
    focus: tuple[Reference, ...] = ()
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    value_quantity: Quantity | None = None
    value_integer: Number = None
    value_decimal: Number = None
    value_string: Sentences | None = None
    value_boolean: bool | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_date_time: str | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    reference_range: tuple[ReferenceRange, ...] = ()
    body_site: CodeableConcept | None = None
    method: CodeableConcept | None = None
    device: Reference | None = None
    component: tuple[ObservationComponent, ...] = ()


Result = Observation | ObservationComponent
"""What carries a value: an Observation, or one of its components."""


class DiagnosticReport(ClinicalRecord, frozen=True, gc=False):
    """The report of an examination; read where it is bone densitometry."""

    status: str | None = None
    code: CodeableConcept | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    text: Narrative | None = None
    conclusion: ReportText | None = None
    presented_form: tuple[Attachment, ...] = ()
