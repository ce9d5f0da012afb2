"""Procedure and ServiceRequest."""

from __future__ import annotations

from app.wire.elements import CodeableConcept, CodeableReference, Period
from app.wire.record import ClinicalRecord


class Procedure(ClinicalRecord, frozen=True, gc=False):
    """A procedure that was done, or is planned."""

    status: str | None = None
    code: CodeableConcept | None = None
    body_site: tuple[CodeableConcept, ...] = ()
    performed_date_time: str | None = None
    performed_period: Period | None = None
    occurrence_date_time: str | None = None  # R5
    occurrence_period: Period | None = None  # R5


class ServiceRequest(ClinicalRecord, frozen=True, gc=False):
    """An examination that is ordered."""

    status: str | None = None
    intent: str | None = None
    do_not_perform: bool | None = None
    code: CodeableReference | None = None
    authored_on: str | None = None
