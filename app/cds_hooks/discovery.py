"""Discovery: which services there are and what they would like to be sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.cds_hooks.configuration import MAX_CARDS, OPTIONAL_TOPICS, OPTIONS_NAME
from app.cds_hooks.hooks import SERVICES, Service
from app.cds_hooks.queries import DEFAULT_QUERIES, Queries

CDS_HOOKS_VERSION = "2.0.1"

USAGE_REQUIREMENTS = (
    "Works from prefetch alone with FHIR R4. Needs patient, one of the keys with Observations, and medications or "
    "medicationRequests (HTTP 412 without them); what is not sent is treated as unknown, and the cards name what is "
    "missing. Send null, or a Bundle without entries, where a query found nothing."
)


def discovery(services: Iterable[Service] = SERVICES, *, queries: Queries = DEFAULT_QUERIES) -> dict[str, Any]:
    """The body of the discovery answer, with the queries of this deployment."""
    return {"services": [_described(service, queries) for service in services]}


def _described(service: Service, queries: Queries) -> dict[str, Any]:
    # hookVersion is left out: the library's metadata and change logs disagree about it, and it is optional.
    return {
        "hook": service.hook.value,
        "title": service.title,
        "description": service.description,
        "id": service.id,
        "version": CDS_HOOKS_VERSION,
        "usageRequirements": USAGE_REQUIREMENTS,
        "prefetch": dict(queries.templates),
        "extension": {OPTIONS_NAME: _options()},
    }


def _options() -> list[dict[str, Any]]:
    """What a request can choose in `extension`: the number of cards, and their topics."""
    limit = {
        "code": MAX_CARDS,
        "type": "integer",
        "name": "Maximum number of cards",
        "description": "The most urgent cards come first; red flags and drug safety come beyond the number. What is "
        "left out is named in the extension of the answer.",
    }
    topics = [
        {"code": code, "type": "boolean", "name": name, "description": f"Cards of the topic {code}", "default": True}
        for code, name in OPTIONAL_TOPICS.items()
    ]
    return [limit, *topics]
