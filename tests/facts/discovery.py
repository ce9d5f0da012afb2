"""The services and prefetch queries, literally as clients have them in their settings."""

from __future__ import annotations

SERVICES = [
    ("osteoporosis-patient-view", "patient-view"),
    ("osteoporosis-order-select", "order-select"),
    ("osteoporosis-order-sign", "order-sign"),
    ("osteoporosis-encounter-discharge", "encounter-discharge"),
    ("osteoporosis-problem-list-item-create", "problem-list-item-create"),
    ("osteoporosis-medication-refill", "medication-refill"),
    ("osteoporosis-allergyintolerance-create", "allergyintolerance-create"),
    ("osteoporosis-encounter-start", "encounter-start"),
]
PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "observationsLaboratory": "Observation?patient={{context.patientId}}&category=laboratory",
    "observationsVitalSigns": "Observation?patient={{context.patientId}}&category=vital-signs",
    "observationsSocialHistory": "Observation?patient={{context.patientId}}&category=social-history",
    "observationsImaging": "Observation?patient={{context.patientId}}&category=imaging",
    "observationsExam": "Observation?patient={{context.patientId}}&category=exam",
    "observationsSurvey": "Observation?patient={{context.patientId}}&category=survey",
    "medications": "MedicationStatement?patient={{context.patientId}}",
    "medicationRequests": "MedicationRequest?patient={{context.patientId}}",
    "medicationAdministrations": "MedicationAdministration?patient={{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
    "procedures": "Procedure?patient={{context.patientId}}",
    "familyHistory": "FamilyMemberHistory?patient={{context.patientId}}",
    "allergies": "AllergyIntolerance?patient={{context.patientId}}",
    "diagnosticReports": "DiagnosticReport?patient={{context.patientId}}",
    "serviceRequests": "ServiceRequest?patient={{context.patientId}}",
}
