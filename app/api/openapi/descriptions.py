"""How the routes are described in the OpenAPI document: texts, schemas by name, examples from openapi/examples."""

from __future__ import annotations

from typing import Any

import orjson

from app.cds_hooks.hooks import SERVICES
from app.data_files import data_path
from app.profiles import profile_ids
from app.vocabulary import Language

Description = dict[str, Any]


def _schema(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(name: str, **more: Any) -> dict[str, Any]:
    return {"application/json": {"schema": _schema(name), **more}}


def _fhir(name: str) -> dict[str, Any]:
    return {"application/fhir+json": {"schema": _schema(name)}}


_ERRORS = {
    400: "The body is not JSON, or a member is missing or wrong; the text names it",
    404: "No such service or resource",
    405: "Method not allowed; `Allow` names those that are",
    406: "The client accepts no JSON",
    408: "The body did not arrive in time",
    412: "Required data came neither by prefetch nor from a FHIR server",
    413: "The body is larger than OSTEON_MAX_BODY_BYTES",
    415: "The body is not declared as JSON",
    500: "A fault of the service; the log has it under X-Request-ID",
    503: "No capacity; `Retry-After` says when to try again",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Descriptions of error answers."""
    return {status: {"description": _ERRORS[status], "content": _fhir("OperationOutcome")} for status in statuses}


def examples(*names: str) -> dict[str, Any]:
    """Examples of openapi/examples by file name without `.json`; `fill_examples` puts their content in."""
    return {name: {"externalValue": name} for name in names}


def fill_examples(document: Any) -> Any:
    """The document with the content of its examples: read when it is made, because `osteon openapi` writes them."""
    if isinstance(document, list):
        return [fill_examples(item) for item in document]
    if not isinstance(document, dict):
        return document
    if set(document) == {"externalValue"}:
        return {
            "value": orjson.loads(data_path("openapi", "examples", f"{document['externalValue']}.json").read_bytes())
        }
    return {name: fill_examples(value) for name, value in document.items()}


def _route(
    operation: str,
    summary: str,
    description: str,
    success: dict[str, Any],
    *statuses: int,
    request: dict[str, Any] | None = None,
    parameters: list[dict[str, Any]] | None = None,
) -> Description:
    extra: dict[str, Any] = {}
    if request:
        extra["requestBody"] = {"required": True, "content": request}
    if parameters:
        extra["parameters"] = parameters
    return {
        "operation_id": operation,
        "name": operation,
        "summary": summary,
        "description": description,
        "responses": {200: success, **errors(*statuses)},
        "openapi_extra": extra,
        # Answers are written by hand; without this FastAPI would look for a model in the return type.
        "response_model": None,
    }


_SERVICE_ID = {
    "name": "service_id",
    "in": "path",
    "required": True,
    "description": "The id of a service, as in discovery",
    "schema": {"type": "string", "enum": [service.id for service in SERVICES]},
}
_RESOURCE_ID = {
    "name": "resource_id",
    "in": "path",
    "required": True,
    "description": "The id of the resource",
    "schema": {"type": "string"},
}
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "Language of the cards where the request does not say it; what is not served falls back",
    "schema": {"type": "string"},
}

PATH_DEFAULTS = [
    {
        "name": "profile",
        "in": "path",
        "required": True,
        "description": "The guideline profile of calls that name none",
        "schema": {"type": "string", "enum": list(profile_ids())},
    },
    {
        "name": "language",
        "in": "path",
        "required": True,
        "description": "The language of calls that name none",
        "schema": {"type": "string", "enum": [language.value for language in Language]},
    },
]

DISCOVERY = _route(
    "getDiscovery",
    "Discovery",
    "Which services there are and which prefetch they would like to be sent.",
    {"description": "The services", "content": _json("Discovery", examples=examples("discovery.response"))},
    406,
    500,
    503,
)
CALL = _route(
    "callService",
    "Call a service",
    "Answers one hook with cards. Unknown members are ignored. `extension['osteon.configuration']` chooses profile, "
    "language, the number of cards and their topics for this call, and with `explain` the whole explanation."
    " Order: request, path, client, Accept-Language, setting.",
    {
        "description": "The cards; an empty list means that there is nothing to advise",
        "content": _json("Cards", examples=examples("patient-view.response")),
    },
    400,
    404,
    405,
    406,
    408,
    412,
    413,
    415,
    500,
    503,
    request=_json(
        "HookRequest",
        examples=examples(
            "patient-view.request",
            "order-select.request",
            "order-sign.request",
            "encounter-discharge.request",
            "problem-list-item-create.request",
            "medication-refill.request",
            "allergyintolerance-create.request",
            "encounter-start.request",
        ),
    ),
    parameters=[_SERVICE_ID, _LANGUAGE],
)
FEEDBACK = _route(
    "sendFeedback",
    "Feedback",
    "What became of cards. Counted, not kept: any card id is accepted, comments are not stored.",
    {"description": "Taken", "content": {"application/json": {"schema": {"type": "object"}}}},
    400,
    404,
    405,
    406,
    408,
    413,
    415,
    500,
    503,
    request=_json("Feedback", examples=examples("feedback.request")),
    parameters=[_SERVICE_ID],
)
LIVE = _route(
    "getLive",
    "Alive",
    "The process answers.",
    {"description": "Alive", "content": _json("Health")},
    500,
)
READY = _route(
    "getReady",
    "Ready",
    "The knowledge is loaded and a built-in case comes out as it should.",
    {"description": "Ready", "content": _json("Health")},
    500,
    503,
)
METRICS = _route(
    "getMetrics",
    "Metrics",
    "Counters for Prometheus.",
    {"description": "Text format of Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}},
    500,
)
PAGE = _route(
    "getPage",
    "Page for people",
    "Choose a shipped patient or paste one: cards, the record over time, and what each recommendation says.",
    {"description": "HTML", "content": {"text/html": {"schema": {"type": "string"}}}},
    500,
)


def _page(
    operation: str, summary: str, description: str, *statuses: int, parameters: list[dict[str, Any]] | None = None
) -> Description:
    success = {"description": "HTML", "content": {"text/html": {"schema": {"type": "string"}}}}
    return _route(operation, summary, description, success, *statuses, 500, parameters=parameters)


def _parameter(name: str, place: str, description: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": description,
        "schema": schema,
    }


_SOURCE = _parameter("source", "path", "The id of a source, as in the overview")
GUIDELINES = _page(
    "getGuidelines",
    "Guideline browser",
    "The sources, and a search over all statements.",
    parameters=[
        _parameter("q", "query", "Words that all have to occur in a statement, its quotation or its criteria"),
        _parameter("source", "query", "Only statements of this source"),
        _parameter("use", "query", "Only statements of this use: card, rides, logic, text, none"),
    ],
)
GUIDELINE_CHANGES = _page("getGuidelineChanges", "Changes", "The statements that changed since the last release.")
GUIDELINE = _page("getGuideline", "A guideline", "All statements of a source; prints on A4.", 404, parameters=[_SOURCE])
STATEMENT = _page(
    "getStatement",
    "A statement",
    "The words of the source beside recommendation, criteria and cases. Cards link here.",
    404,
    parameters=[_SOURCE, _parameter("statement", "path", "The id of a recommendation, as cards cite it")],
)


def _resource(operation: str, kind: str, meaning: str) -> Description:
    return _route(
        operation,
        kind,
        meaning,
        {"description": f"The {kind}", "content": _fhir("FhirResource")},
        404,
        500,
        503,
        parameters=[_RESOURCE_ID],
    )


SEARCH_PARAMETERS = {
    "url": "The canonical URL, exactly",
    "version": "The version, exactly",
    "status": "draft or active, exactly",
    "name": "The beginning of the computable name, in capitals or not",
    "title": "The beginning of the title, in capitals or not",
}
"""What the published resources are searched by; parameters that begin with _ are not looked at."""


def _search(kind: str) -> Description:
    return _route(
        f"list{kind}s",
        f"All {kind}s",
        f"A searchset Bundle with a summary of each {kind}.",
        {"description": "The Bundle", "content": _fhir("FhirResource")},
        400,
        404,
        500,
        503,
        parameters=[_parameter(name, "query", meaning) for name, meaning in SEARCH_PARAMETERS.items()],
    )


CAPABILITIES = _route(
    "getCapabilities",
    "CapabilityStatement",
    "What can be read below /fhir.",
    {"description": "The CapabilityStatement", "content": _fhir("FhirResource")},
    404,
    500,
    503,
)
PUBLISHED = {
    kind: (_search(kind), _resource(f"get{kind}", kind, meaning))
    for kind, meaning in {
        "CodeSystem": "A code system of the service: card-topic, finding.",
        "ValueSet": "The codes by which the service recognises a concept.",
        "ConceptMap": "What the codes of the hospital mean: the id is local.",
        "Library": "The source attributes of the decision support: the id is osteon-dsi.",
        "PlanDefinition": "A guideline as the service applies it.",
    }.items()
}
"""The kinds of resources below /fhir, each with the descriptions of its search and its read."""
