"""Small requests of one made-up patient, to be changed by the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

PATIENT_VIEW = "osteoporosis-patient-view"
EXAMPLES = Path(__file__).parents[2] / "openapi" / "examples"

Body = dict[str, Any]


def example(name: str) -> Any:
    """One of the published examples."""
    return orjson.loads((EXAMPLES / f"{name}.json").read_bytes())


def observation(number: int = 1, patient: str = "p1") -> Body:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "valueQuantity": {"value": 61, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }


def bundle(*resources: Body, **members: Any) -> Body:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in resources], **members}


def outcome(severity: str = "error") -> Body:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "exception"}]}


def patient_view(**prefetch: Any) -> Body:
    """A patient-view call with the three required keys; keyword arguments add or replace prefetch keys."""
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/d1", "patientId": "p1"},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1955-03-14"},
            "observations": bundle(observation()),
            "medications": bundle(),
            **prefetch,
        },
    }


def without(body: Body, *path: str) -> Body:
    """The body without the member at the path."""
    if len(path) == 1:
        return {name: value for name, value in body.items() if name != path[0]}
    return {**body, path[0]: without(body[path[0]], *path[1:])}


def replaced(body: Body, value: Any, *path: str) -> Body:
    """The body with another value at the path."""
    inner = value if len(path) == 1 else replaced(body.get(path[0], {}), value, *path[1:])
    return {**body, path[0]: inner}
