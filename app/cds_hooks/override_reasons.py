"""Reasons that a clinician can give for not following a card.

Codes of the ValueSet that CDS Hooks 3.0 suggests (http://terminology.hl7.org/ValueSet/non-adherence-reason-clinical);
the display texts are the service's own, in English, where a card does not bring its own.
"""

from __future__ import annotations

from app.cds_hooks.response import Coding

SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"

OVERRIDE_REASONS: tuple[Coding, ...] = (
    Coding("action-completed", SYSTEM, "Already done"),
    Coding("patient-contraindication", SYSTEM, "Contraindicated for this patient"),
    Coding("patient-refuses", SYSTEM, "The patient declines"),
    Coding("cds-not-applicable", SYSTEM, "Does not apply to this patient"),
    Coding("recipient-disagrees-evidence", SYSTEM, "I do not agree with the evidence"),
    Coding("not-convenient-feasible", SYSTEM, "Not feasible now"),
    Coding("service-not-available", SYSTEM, "Not available here"),
)

CODES = frozenset(reason.code for reason in OVERRIDE_REASONS)
