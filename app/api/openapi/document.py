"""The OpenAPI document of the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.openapi.descriptions import PATH_DEFAULTS, fill_examples
from app.api.openapi.schemas import component_schemas

DESCRIPTION = """Decision support for osteoporosis over [CDS Hooks](https://cds-hooks.hl7.org) 2.0.1 with FHIR R4.

Every answer that is not a success is a FHIR OperationOutcome. No clinician has reviewed this version yet; it is not a
medical device."""

TAGS = [
    {"name": "CDS Hooks", "description": "Discovery, calls, feedback"},
    {"name": "Knowledge", "description": "What the service knows, as FHIR R4"},
    {"name": "Operations", "description": "Probes and metrics"},
    {"name": "Page", "description": "For people"},
]


def document_maker(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """A function for `app.openapi` that makes the document once."""
    made: dict[str, Any] = {}

    def document() -> dict[str, Any]:
        if not made:
            made.update(_document(app))
        return made

    return document


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
        servers=[{"url": "/", "description": "This server"}],
    )
    for path in document["paths"].values():
        for operation in path.values():
            # FastAPI describes its own validation error, which this service never sends (always 400), and a second
            # time the path parameters that are described here.
            operation["responses"].pop("422", None)
            operation["parameters"] = _unique(operation.get("parameters", []))
            if not operation["parameters"]:
                del operation["parameters"]
    document["paths"] |= _with_defaults(document["paths"])
    document["components"] = {"schemas": component_schemas()}
    filled: dict[str, Any] = fill_examples(document)
    return filled


def _with_defaults(paths: dict[str, Any]) -> dict[str, Any]:
    """The routes of CDS Hooks once more, below the parts of a path that choose profile and language."""
    return {
        f"/{{profile}}/{{language}}{path}": {
            method: operation
            | {
                "operationId": f"{operation['operationId']}WithDefaults",
                "description": f"{operation['description']} Either part of the path before it can be left out.",
                "parameters": [*PATH_DEFAULTS, *operation.get("parameters", [])],
            }
            for method, operation in operations.items()
        }
        for path, operations in paths.items()
        if path.startswith("/cds-services")
    }


def _unique(parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_name: dict[tuple[str, str], dict[str, Any]] = {}
    for parameter in parameters:
        key = (parameter["in"], parameter["name"])
        if key not in by_name or "description" in parameter:
            by_name[key] = parameter
    return list(by_name.values())
