"""Errors planted into valid resources: shows that a validator that finds nothing elsewhere is really looking.

Each error names the validators that find it; together they find all of them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from app.cards.orders import service_request
from tests.fhir.suggested import all_suggested, context, orderables
from tests.fhir.validating import VALIDATORS, Validator, with_fhirkit, with_google_fhir, with_invariants

Resource = dict[str, Any]
Plant = Callable[[Resource], None]


def _dosage(resource: Resource) -> Resource:
    return resource["dosageInstruction"][0]


def _quantity(resource: Resource) -> Resource:
    return _dosage(resource)["doseAndRate"][0]["doseQuantity"]


def _repeat(resource: Resource) -> Resource:
    return _dosage(resource)["timing"]["repeat"]


KIT, GOOGLE, RULES = with_fhirkit, with_google_fhir, with_invariants

PLANTED: list[tuple[str, Plant, set[Validator]]] = [
    ("status missing", lambda r: r.pop("status"), {KIT, GOOGLE}),
    ("subject missing", lambda r: r.pop("subject"), {KIT, GOOGLE}),
    ("status that does not exist", lambda r: r.update(status="activ"), {GOOGLE}),
    ("intent that does not exist", lambda r: r.update(intent="wish"), {GOOGLE}),
    ("element that does not exist", lambda r: r.update(colour="red"), {KIT, GOOGLE, RULES}),
    (
        "medication twice",
        lambda r: r.update(medicationReference={"reference": "Medication/1"}),
        {KIT},
    ),
    ("no medication", lambda r: r.pop("medicationCodeableConcept"), {KIT, GOOGLE}),
    ("date that does not exist", lambda r: r.update(authoredOn="2026-13-40"), {KIT, GOOGLE}),
    ("object where a list belongs", lambda r: r.update(dosageInstruction=_dosage(r)), {KIT, GOOGLE}),
    ("text where a number belongs", lambda r: _quantity(r).update(value="70"), {KIT, GOOGLE}),
    ("unit of time that does not exist", lambda r: _repeat(r).update(periodUnit="week"), {GOOGLE}),
    ("period without unit", lambda r: _repeat(r).pop("periodUnit"), {RULES}),
    ("unit code without system", lambda r: _quantity(r).pop("system"), {RULES}),
    ("subject that is an Observation", lambda r: r.update(subject={"reference": "Observation/1"}), {GOOGLE}),
    ("empty list", lambda r: r.update(note=[]), {KIT}),
]


def _valid() -> Resource:
    return next(
        resource
        for resource in all_suggested()
        if resource["resourceType"] == "MedicationRequest" and "doseQuantity" in _dosage(resource)["doseAndRate"][0]
    )


@pytest.mark.parametrize("validator", VALIDATORS)
def test_each_validator_finds_the_planted_errors_that_it_can_find(validator: Validator) -> None:
    spoilt = []
    for _, plant, _ in PLANTED:
        resource = copy.deepcopy(_valid())
        plant(resource)
        spoilt.append(resource)
    found = {name for (name, _, _), problems in zip(PLANTED, validator(spoilt), strict=True) if problems}
    assert found == {name for name, _, finders in PLANTED if validator in finders}


def test_every_planted_error_is_found_by_some_validator() -> None:
    assert [name for name, _, finders in PLANTED if not finders] == []


@pytest.mark.parametrize("validator", VALIDATORS[2:])
def test_the_invariants_reach_into_a_service_request(validator: Validator) -> None:
    """prr-1: orderDetail only with a code."""
    resource = service_request(next(iter(orderables().values())), context())
    del resource["code"]
    resource["orderDetail"] = [{"text": "fasting"}]
    assert [problem.partition(" ")[0] for problem in validator([resource])[0]] == ["prr-1"]
