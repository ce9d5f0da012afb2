"""The kinds of resources that a screening reads, and the lists of the service that they fill."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.chart import Source

PATIENT: Final = "Patient"
MEDICATION: Final = "Medication"
LISTS: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "Observation": Source.OBSERVATIONS,
        "MedicationStatement": Source.MEDICATIONS,
        "MedicationRequest": Source.MEDICATION_REQUESTS,
        "MedicationAdministration": Source.MEDICATION_ADMINISTRATIONS,
        "Condition": Source.CONDITIONS,
        "Procedure": Source.PROCEDURES,
        "FamilyMemberHistory": Source.FAMILY_HISTORY,
        "AllergyIntolerance": Source.ALLERGIES,
        "DiagnosticReport": Source.DIAGNOSTIC_REPORTS,
        "ServiceRequest": Source.SERVICE_REQUESTS,
    }
)
"""Kinds with a list of their own."""
READ: Final = frozenset({PATIENT, MEDICATION, *LISTS})
"""All kinds that are read; records of others are counted as not needed."""
