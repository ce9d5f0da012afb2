"""The published interface is the one that runs, and its examples are true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from app.cds_hooks.discovery import discovery
from app.docgen import openapi as publish
from tests.conftest import Client
from tests.support import calls

ROOT = Path(__file__).parents[2]


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_the_committed_document_is_the_one_of_the_app(client: Client) -> None:
    """Contract section 6: otherwise `make openapi` is due."""
    assert (ROOT / "openapi" / "openapi.json").read_bytes() == publish.written(client.app.openapi())


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """Contract section 6: by the validator of the OpenAPI schema."""
    validate(document)


def test_all_routes_of_the_contract_are_described(document: dict[str, Any]) -> None:
    """Contract section 6: with an operation id, a summary and an outcome for every error."""
    assert set(document["paths"]) == {
        "/",
        "/cds-services",
        "/cds-services/{service_id}",
        "/cds-services/{service_id}/feedback",
        "/{profile}/{language}/cds-services",
        "/{profile}/{language}/cds-services/{service_id}",
        "/{profile}/{language}/cds-services/{service_id}/feedback",
        "/fhir/CodeSystem",
        "/fhir/CodeSystem/{resource_id}",
        "/fhir/ConceptMap",
        "/fhir/ConceptMap/{resource_id}",
        "/fhir/Library",
        "/fhir/Library/{resource_id}",
        "/fhir/PlanDefinition",
        "/fhir/PlanDefinition/{resource_id}",
        "/fhir/ValueSet",
        "/fhir/ValueSet/{resource_id}",
        "/fhir/metadata",
        "/guidelines",
        "/guidelines/changes",
        "/guidelines/{source}",
        "/guidelines/{source}/{statement}",
        "/health/live",
        "/health/ready",
        "/metrics",
    }
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        assert "422" not in operation["responses"]
        for status, response in operation["responses"].items():
            if status != "200":
                assert response["content"]["application/fhir+json"]["schema"]["$ref"].endswith("OperationOutcome")


@pytest.mark.parametrize("path", sorted(calls.EXAMPLES.glob("*.json")), ids=lambda path: path.name)
def test_each_example_fits_its_schema(path: Path, document: dict[str, Any]) -> None:
    """JSON-1: requests, answers and feedback."""
    name, kind, _ = path.name.split(".")
    schemas = {"discovery": "Discovery", "feedback": "Feedback"}
    schema = schemas.get(name, "HookRequest" if kind == "request" else "Cards")
    reference = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    jsonschema.validate(calls.example(f"{name}.{kind}"), reference, cls=jsonschema.Draft202012Validator)


def test_the_example_of_discovery_is_true() -> None:
    """DISC-1: the committed example is what is answered."""
    assert calls.example("discovery.response") == discovery()


REQUEST = calls.patient_view()


@pytest.mark.parametrize(
    "body",
    [
        calls.without(REQUEST, "hook"),
        calls.without(REQUEST, "hookInstance"),
        calls.without(REQUEST, "context"),
        calls.without(REQUEST, "context", "userId"),
        calls.without(REQUEST, "context", "patientId"),
        calls.replaced(REQUEST, 7, "hook"),
        calls.replaced(REQUEST, [], "context"),
        calls.replaced(REQUEST, 7, "context", "patientId"),
        calls.replaced(REQUEST, [], "prefetch"),
        calls.replaced(REQUEST, "x", "prefetch", "patient"),
        calls.replaced(REQUEST, [], "extension"),
        calls.replaced(REQUEST, "ftp://x", "fhirServer"),
        {**REQUEST, "extension": {"osteon.configuration": {"profile": "xx"}}},
        *(
            calls.without(calls.example(f"{hook}.request"), "context", member)
            for hook, member in (
                ("order-select", "selections"),
                ("order-sign", "draftOrders"),
                ("encounter-discharge", "encounterId"),
                ("problem-list-item-create", "conditions"),
                ("medication-refill", "medications"),
                ("allergyintolerance-create", "allergyIntolerance"),
                ("encounter-start", "encounterId"),
            )
        ),
    ],
)
def test_the_schema_refuses_what_the_service_refuses(client: Client, document: dict[str, Any], body: Any) -> None:
    """CALL-6: the published schema and the checks by hand agree."""
    reference = {"$ref": "#/components/schemas/HookRequest", "components": document["components"]}
    service = f"osteoporosis-{body['hook']}" if isinstance(body.get("hook"), str) else calls.PATIENT_VIEW
    assert client.call(body, service).status_code == 400
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, reference, cls=jsonschema.Draft202012Validator)


def test_ids_of_published_answers_do_not_change() -> None:
    """Contract section 6: writing the interface twice gives the same files."""
    answer = {"cards": [{"uuid": "a", "suggestions": [{"uuid": "b"}]}, {"uuid": "c"}]}
    stable = publish.with_stable_ids(answer)
    assert stable == publish.with_stable_ids(stable)
    assert (
        len({stable["cards"][0]["uuid"], stable["cards"][1]["uuid"], stable["cards"][0]["suggestions"][0]["uuid"]}) == 3
    )
