"""What does not concern the bones does not change the advice: order, copies, strangers, units, irrelevant records."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.patients import Json, advice_in, cases, request_of

ICD10, LOINC, SNOMED = "http://hl7.org/fhir/sid/icd-10", "http://loinc.org", "http://snomed.info/sct"
SUBJECT = {"reference": "Patient/case"}
IRRELEVANT: tuple[tuple[str, Json], ...] = (
    ("conditions", {"resourceType": "Condition", "code": {"coding": [{"system": ICD10, "code": "H52.4"}]}}),
    ("conditions", {"resourceType": "Condition", "code": {"coding": [{"system": ICD10, "code": "J06.9"}]}}),
    ("conditions", {"resourceType": "Condition", "code": {"coding": [{"system": ICD10, "code": "L20.9"}]}}),
    (
        "observations",
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": LOINC, "code": "8867-4"}]},
            "effectiveDateTime": "2026-11-20",
            "valueQuantity": {"value": 72, "unit": "/min"},
        },
    ),
    (
        "observations",
        {"resourceType": "Observation", "status": "final", "code": {"text": "eye pressure"}, "valueString": "normal"},
    ),
    (
        "medications",
        {
            "resourceType": "MedicationStatement",
            "status": "active",
            "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "N02BE01"}]},
        },
    ),
    (
        "procedures",
        {
            "resourceType": "Procedure",
            "status": "completed",
            "code": {"coding": [{"system": SNOMED, "code": "80146002"}]},
            "performedDateTime": "2011-03-01",
        },
    ),
    ("observations", {"resourceType": "Immunization", "status": "completed"}),
    ("conditions", {"resourceType": "Coverage", "status": "active"}),
)
# What one unit of the other measure is in ours: molar masses and definitions, not the factors of the service.
OTHER_UNITS: dict[str, tuple[str, float]] = {
    "umol/L": ("mg/dL", 88.4),
    "nmol/L": ("ng/mL", 2.496),
    "cm": ("m", 100.0),
    "kg": ("g", 0.001),
}
few = settings(max_examples=80, derandomize=True)


def lists_of(body: Json) -> list[list[Json]]:
    return [value["entry"] for value in body["prefetch"].values() if value.get("resourceType") == "Bundle"]


@few
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(case: Json, random: Any) -> None:
    body = request_of(case)
    before = advice_in(body)
    for entries in lists_of(body):
        random.shuffle(entries)
    assert advice_in(body) == before


@few
@given(cases(), st.booleans())
def test_a_record_that_comes_twice_is_one(case: Json, other_id: bool) -> None:
    body = request_of(case)
    before = advice_in(body)
    for entries in lists_of(body):
        copies = copy.deepcopy(entries)
        for entry in copies:
            # The same fact from another system has another id.
            entry["resource"]["id"] += "-copy" if other_id else ""
        entries.extend(copies)
    assert advice_in(body) == before


@few
@given(cases(), st.lists(st.sampled_from(IRRELEVANT), min_size=1, unique_by=id))
def test_irrelevant_records_change_nothing(case: Json, irrelevant: list[tuple[str, Json]]) -> None:
    body = request_of(case)
    before = advice_in(body)
    for number, (key, resource) in enumerate(irrelevant):
        entry = {"resource": {"id": f"extra-{number}", "subject": SUBJECT} | resource}
        body["prefetch"][key]["entry"].insert(number, entry)
    assert advice_in(body) == before


@few
@given(cases())
def test_records_of_somebody_else_change_nothing(case: Json) -> None:
    body = request_of(case)
    before = advice_in(body)
    for entries in lists_of(body):
        strangers = copy.deepcopy(entries)
        for entry in strangers:
            for member in ("subject", "patient"):
                if member in entry["resource"]:
                    entry["resource"][member] = {"reference": "Patient/other"}
        entries.extend(strangers)
    assert advice_in(body) == before


@few
@given(cases())
def test_the_unit_of_measurement_does_not_matter(case: Json) -> None:
    body = request_of(case)
    before = advice_in(body)
    changed = 0
    for entry in body["prefetch"]["observations"]["entry"]:
        quantity = entry["resource"].get("valueQuantity", {})
        if quantity.get("code") in OTHER_UNITS and "referenceRange" not in entry["resource"]:
            unit, factor = OTHER_UNITS[quantity["code"]]
            quantity |= {"value": round(quantity["value"] / factor, 6), "unit": unit, "code": unit}
            changed += 1
    if changed:
        assert advice_in(body) == before
