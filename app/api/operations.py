"""The routes for those who run the service: probes, metrics, and what it knows as FHIR resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.api.log_output import output
from app.api.metrics import CONTENT_TYPE, Metrics
from app.api.openapi import descriptions
from app.api.openapi.descriptions import SEARCH_PARAMETERS, Description
from app.api.ports import Knowledge
from app.api.responses import json_response, outcome_response
from app.api.self_test import Readiness
from app.cds_hooks.errors import MEDIA_TYPE


def router(readiness: Readiness, metrics: Metrics, *, overlay: Mapping[str, str] | None = None) -> APIRouter:
    """Probes and metrics. `overlay`: which overlay of a hospital runs."""
    routes = APIRouter(tags=["Operations"])

    @routes.get("/health/live", **descriptions.LIVE)
    async def get_live() -> Response:
        return json_response({"status": "alive"})

    @routes.get("/health/ready", **descriptions.READY)
    async def get_ready() -> Response:
        if await run_in_threadpool(readiness.ready):
            # Calls are answered without a log; whoever watches should still know.
            told: dict[str, Any] = {"status": "ready"}
            if overlay:
                told["overlay"] = dict(overlay)
            return json_response(told | ({"log": "losing lines"} if output.losing else {}))
        return outcome_response(503, "the service is not ready", code="transient", headers={"Retry-After": "5"})

    @routes.get("/metrics", **descriptions.METRICS)
    async def get_metrics() -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE)

    return routes


def knowledge_router(knowledge: Knowledge | None, *, base_url: str | None = None) -> APIRouter:
    """What the service knows, as FHIR R4; `base_url` is the public address of the service, for links in Bundles."""
    routes = APIRouter(tags=["Knowledge"], prefix="/fhir")
    base = f"{base_url}/fhir" if base_url else None

    def found(resource: dict[str, Any] | None) -> Response:
        if resource is None:
            return outcome_response(404, "there is no such resource")
        return json_response(resource, media_type=MEDIA_TYPE)

    @routes.get("/metadata", **descriptions.CAPABILITIES)
    async def get_metadata() -> Response:
        return found(knowledge.read("CapabilityStatement", "osteon") if knowledge else None)

    def publish(kind: str, listed: Description, read: Description) -> None:
        @routes.get(f"/{kind}", **listed)
        async def search(request: Request) -> Response:
            given = {name: value for name, value in request.query_params.items() if not name.startswith("_")}
            if unknown := sorted(given.keys() - set(SEARCH_PARAMETERS)):
                known = ", ".join(SEARCH_PARAMETERS)
                return outcome_response(400, f"unknown search parameter {unknown[0][:64]!r}; there are {known}")
            return found(knowledge.search(kind, base=base, by=given) if knowledge else None)

        @routes.get(f"/{kind}/{{resource_id}}", **read)
        async def get(resource_id: str) -> Response:
            return found(knowledge.read(kind, resource_id) if knowledge else None)

    for kind, (listed, read) in descriptions.PUBLISHED.items():
        publish(kind, listed, read)
    return routes
