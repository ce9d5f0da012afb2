"""What stands below /fhir, put to the same validators as the suggested orders."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import pytest

from app.engine.linker import load_knowledge
from app.published import PublishedKnowledge
from tests.fhir.validating import VALIDATORS, Validator


@cache
def published() -> PublishedKnowledge:
    """From the guidelines that ship."""
    return PublishedKnowledge(load_knowledge(), started=date(2026, 5, 4))


def everything() -> list[dict[str, Any]]:
    kinds = ("CodeSystem", "ValueSet", "PlanDefinition", "ConceptMap", "Library")
    bundles = [published().search(kind, base="https://osteon.example.org/fhir") for kind in kinds]
    return [*published().resources(), *(bundle for bundle in bundles if bundle)]


def test_every_source_is_published_as_a_plan_definition_with_its_applied_statements() -> None:
    for source in load_knowledge().sources:
        plan = published().read("PlanDefinition", source)
        assert plan is not None
        assert plan["action"], source


@pytest.mark.parametrize("validator", VALIDATORS)
def test_no_validator_finds_a_problem_in_any_published_resource(validator: Validator) -> None:
    made = everything()
    assert len(made) > 100
    found = [(r.get("id"), problems) for r, problems in zip(made, validator(made), strict=True) if problems]
    assert found == []
