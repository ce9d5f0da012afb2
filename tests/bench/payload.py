"""Made-up patient-view requests of three sizes, always the same."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

SIZES = {"small": (10, 3, 2), "typical": (200, 20, 10), "heavy": (2000, 100, 50)}
LABS = [
    ("2160-0", "Creatinine", 0.9, "mg/dL"),
    ("17861-6", "Calcium", 9.4, "mg/dL"),
    ("718-7", "Hemoglobin", 13.2, "g/dL"),
    ("2951-2", "Sodium", 140, "mmol/L"),
    ("2823-3", "Potassium", 4.1, "mmol/L"),
    ("29463-7", "Body weight", 68, "kg"),
    ("8302-2", "Body height", 164, "cm"),
    ("8480-6", "Systolic blood pressure", 132, "mm[Hg]"),
    ("6299-2", "Urea nitrogen", 15, "mg/dL"),
    ("1751-7", "Albumin", 4.1, "g/dL"),
]
DRUGS = [("M05BA04", "alendronic acid"), ("C09AA02", "enalapril"), ("A12AX", "calcium with vitamin D")]
DRUGS += [("C10AA05", "atorvastatin"), ("B01AC06", "acetylsalicylic acid"), ("N02BE01", "paracetamol")]
DIAGNOSES = [
    ("M81.9", "Osteoporosis"),
    ("I10", "Hypertension"),
    ("E11.9", "Type 2 diabetes"),
    ("S52.5", "Fracture of radius"),
]


def request(size: str, today: date) -> dict[str, Any]:
    """A request with so many Observations, MedicationStatements and Conditions."""
    observations, medications, conditions = SIZES[size]
    rng = random.Random(size)
    subject = {"reference": "Patient/bench"}

    def day(most: int) -> str:
        return (today - timedelta(days=rng.randrange(most))).isoformat()

    def observation(index: int) -> dict[str, Any]:
        code, display, value, unit = LABS[index % len(LABS)]
        quantity = {"value": round(value * rng.uniform(0.9, 1.1), 2), "unit": unit}
        return {
            "resourceType": "Observation",
            "id": f"o{index}",
            "status": "final",
            "category": [{"coding": [{"system": "urn:category", "code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}], "text": display},
            "subject": subject,
            "effectiveDateTime": f"{day(2000)}T08:30:00+01:00",
            "issued": f"{day(2000)}T09:30:00.000+01:00",
            "valueQuantity": quantity | {"system": "http://unitsofmeasure.org", "code": unit},
            "referenceRange": [
                {"low": {"value": value * 0.8, "unit": unit}, "high": {"value": value * 1.2, "unit": unit}}
            ],
        }

    def medication(index: int) -> dict[str, Any]:
        code, display = DRUGS[index % len(DRUGS)]
        return {
            "resourceType": "MedicationStatement",
            "id": f"m{index}",
            "status": "active" if index % 3 else "completed",
            "medicationCodeableConcept": {
                "coding": [{"system": "http://www.whocc.no/atc", "code": code, "display": display}],
                "text": display,
            },
            "subject": subject,
            "effectivePeriod": {"start": day(3000)} if index % 3 else {"start": "2015-01-01", "end": "2016-01-01"},
            "dateAsserted": day(100),
            "dosage": [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}],
        }

    def condition(index: int) -> dict[str, Any]:
        code, display = DIAGNOSES[index % len(DIAGNOSES)]
        coding = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
        return {
            "resourceType": "Condition",
            "id": f"c{index}",
            "clinicalStatus": {"coding": [coding]},
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code, "display": display}]},
            "subject": subject,
            "onsetDateTime": day(3000),
        }

    def bundle(made: list[dict[str, Any]]) -> dict[str, Any]:
        return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in made]}

    return {
        "hookInstance": "6bc883b2-b795-4dcb-b661-34884a31d472",
        "hook": "patient-view",
        "context": {"userId": "Practitioner/p1", "patientId": "bench"},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "bench", "gender": "female", "birthDate": "1952-03-04"},
            "observations": bundle([observation(i) for i in range(observations)]),
            "medications": bundle([medication(i) for i in range(medications)]),
            "conditions": bundle([condition(i) for i in range(conditions)]),
        },
    }
