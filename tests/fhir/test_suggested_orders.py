from __future__ import annotations

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from app.vocabulary import Language
from tests.fhir.suggested import all_suggested, drug_orders, orderables
from tests.fhir.validating import VALIDATORS, Validator


def test_every_order_of_the_guidelines_is_written_in_every_language() -> None:
    made = all_suggested()
    assert len(made) == (len(orderables()) + len(drug_orders())) * len(Language)
    assert {resource["resourceType"] for resource in made} == {"ServiceRequest", "MedicationRequest"}


@pytest.mark.parametrize("validator", VALIDATORS)
def test_no_validator_finds_a_problem_in_any_suggested_order(validator: Validator) -> None:
    made = all_suggested()
    found = {resource["id"]: problems for resource, problems in zip(made, validator(made), strict=True) if problems}
    assert found == {}


def test_the_model_that_the_service_checks_with_accepts_the_whole_resource() -> None:
    models = {"ServiceRequest": ServiceRequest, "MedicationRequest": MedicationRequest}
    for resource in all_suggested():
        assert models[resource["resourceType"]].model_validate(resource).id == resource["id"]


def test_the_lower_end_of_a_dose_range_is_not_above_the_upper_end() -> None:
    """Invariant rng-2, which the FHIRPath library cannot evaluate."""
    amounts = [
        amount["doseRange"]
        for resource in all_suggested()
        for dosage in resource.get("dosageInstruction", ())
        for amount in dosage["doseAndRate"]
        if "doseRange" in amount
    ]
    assert amounts
    for amount in amounts:
        assert amount["low"]["code"] == amount["high"]["code"]
        assert amount["low"]["value"] < amount["high"]["value"]
