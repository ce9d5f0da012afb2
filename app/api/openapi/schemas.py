"""JSON Schemas of the bodies, for the OpenAPI document.

Requests are open (unknown members are ignored), answers are closed except `extension`. The checks themselves are in
`app.cds_hooks`; the contract tests hold the two against each other.
"""

from __future__ import annotations

from typing import Any

from app.cds_hooks.configuration import CRD_EXTENSION_NAME, EXPLAIN, EXTENSION_NAME, MAX_CARDS, OPTIONAL_TOPICS
from app.cds_hooks.context_records import INTOLERANCE
from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.queries import DEFAULT_QUERIES
from app.cds_hooks.response import SUMMARY_LIMIT, ActionType, Indicator, LinkType
from app.chart import Source
from app.profiles import profile_ids
from app.vocabulary import Language

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
URL: Schema = {"type": "string", "format": "uri", "pattern": "^https?://"}
UUID: Schema = {"type": "string", "format": "uuid"}
EXTENSION: Schema = {"type": "object", "minProperties": 1}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _open(required: tuple[str, ...], **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def _closed(required: tuple[str, ...], **properties: Schema) -> Schema:
    return {**_open(required, **properties), "additionalProperties": False}


def _list(items: Schema, *, least: int = 1) -> Schema:
    return {"type": "array", "items": items, "minItems": least}


def _optional(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _context() -> Schema:
    rules = []
    for service in SERVICES:
        required = ["userId", "patientId"] if service.user_required else ["patientId"]
        required += ["encounterId"] if service.encounter_required else []
        required += [service.orders_in] if service.orders_in else []
        required += ["selections"] if service.selections else []
        required += ["conditions"] if service.conditions else []
        required += [INTOLERANCE] if service.intolerance else []
        rules.append(
            {
                "if": {"properties": {"hook": {"const": service.hook.value}}},
                "then": {"properties": {"context": {"required": required}}},
            }
        )
    return {"allOf": rules}


def _prefetch() -> Schema:
    value = _optional(_ref("FhirResource"))
    every = {Source.OBSERVATIONS.value: "All Observations at once: accepted from every client"}
    templates = {**DEFAULT_QUERIES.templates, **every}
    return {
        "type": "object",
        "description": "null = looked and found nothing; a key that is left out = unknown; OperationOutcome = failed",
        "properties": {key: {**value, "description": template} for key, template in templates.items()},
    }


def _options() -> dict[str, Schema]:
    """What a request can choose of the cards, as discovery publishes it."""
    topics = {code: _optional({"type": "boolean"}) for code in OPTIONAL_TOPICS}
    return {MAX_CARDS: _optional({"type": "integer", "minimum": 1}), **topics}


def _requests() -> dict[str, Schema]:
    bundle = {**_ref("FhirResource"), "description": "A FHIR Bundle"}
    return {
        "HookRequest": {
            **_open(
                ("hook", "hookInstance", "context"),
                hook={"type": "string", "enum": [service.hook.value for service in SERVICES]},
                hookInstance={**TEXT, "description": "A UUID of this call"},
                fhirServer=_optional(URL),
                fhirAuthorization=_optional(_ref("FhirAuthorization")),
                context=_ref("HookContext"),
                prefetch=_optional(_prefetch()),
                extension=_optional(_ref("RequestExtension")),
            ),
            **_context(),
        },
        "HookContext": _open(
            ("patientId",),
            userId={"type": "string", "pattern": "(Practitioner|PractitionerRole|Patient|RelatedPerson)/[^/\\s]+$"},
            patientId={**TEXT, "description": "The id of the Patient, without 'Patient/'"},
            encounterId=_optional(TEXT),
            draftOrders=bundle,
            selections=_list(TEXT, least=0),
            conditions=bundle,
            medications=bundle,
            allergyIntolerance={**_ref("FhirResource"), "description": "The new AllergyIntolerance"},
        ),
        "FhirAuthorization": _open(
            ("access_token", "token_type", "expires_in", "scope", "subject"),
            access_token=TEXT,
            token_type={"type": "string", "const": "Bearer"},
            expires_in={"type": "integer"},
            scope=TEXT,
            subject=TEXT,
            patient=_optional(TEXT),
        ),
        "RequestExtension": {
            "type": "object",
            "properties": {
                EXTENSION_NAME: _open(
                    (),
                    profile=_optional({"type": "string", "enum": list(profile_ids())}),
                    language=_optional({"type": "string", "enum": [language.value for language in Language]}),
                    **{EXPLAIN: _optional({"type": "boolean", "description": "Tell the whole explanation as well"})},
                    **_options(),
                ),
                CRD_EXTENSION_NAME: _open((), **_options()),
            },
        },
        "Feedback": _open(("feedback",), feedback=_list(_ref("FeedbackItem"))),
        "FeedbackItem": _open(
            ("card", "outcome", "outcomeTimestamp"),
            card=TEXT,
            outcome={"type": "string", "enum": ["accepted", "overridden"]},
            acceptedSuggestions=_list(_open(("id",), id=TEXT)),
            overrideReason=_open(
                (), reason=_open(("code", "system"), code=TEXT, system=TEXT, display=TEXT), userComment=TEXT
            ),
            outcomeTimestamp={"type": "string", "format": "date-time"},
        ),
    }


def _answers() -> dict[str, Schema]:
    coding = {"code": TEXT, "system": TEXT, "display": TEXT}
    return {
        "Discovery": _closed(("services",), services=_list(_ref("Service"), least=0)),
        "Service": _closed(
            ("hook", "id", "description"),
            hook=TEXT,
            id=TEXT,
            title=TEXT,
            description=TEXT,
            version=TEXT,
            usageRequirements=TEXT,
            prefetch={"type": "object", "additionalProperties": TEXT, "minProperties": 1},
            extension=EXTENSION,
        ),
        "Cards": _closed(("cards",), cards=_list(_ref("Card"), least=0), extension=EXTENSION),
        "Card": _closed(
            ("uuid", "summary", "indicator", "source"),
            uuid=UUID,
            summary={**TEXT, "maxLength": SUMMARY_LIMIT},
            detail={**TEXT, "description": "GitHub Flavored Markdown without HTML"},
            indicator={"type": "string", "enum": [indicator.value for indicator in Indicator]},
            source=_closed(("label",), label=TEXT, url=URL, icon=URL, topic=_ref("Coding")),
            suggestions=_list(_ref("Suggestion")),
            selectionBehavior={"type": "string", "enum": ["at-most-one"]},
            overrideReasons=_list(_closed(("code", "system", "display"), **coding)),
            links=_list(_ref("Link")),
            extension=EXTENSION,
        ),
        "Coding": _closed(("code", "system"), **coding),
        "Suggestion": _closed(
            ("label", "uuid"),
            label=TEXT,
            uuid=UUID,
            isRecommended={"type": "boolean"},
            actions=_list(_ref("Action")),
            extension=EXTENSION,
        ),
        "Action": _closed(
            ("type", "description"),
            type={"type": "string", "enum": [kind.value for kind in ActionType]},
            description=TEXT,
            resource=_ref("FhirResource"),
            resourceId=TEXT,
            extension=EXTENSION,
        ),
        "Link": _closed(
            ("label", "url", "type"),
            label=TEXT,
            url=URL,
            type={"type": "string", "enum": [kind.value for kind in LinkType]},
            appContext=TEXT,
        ),
        "Health": _closed(("status",), status={"type": "string", "enum": ["alive", "ready"]}),
        "OperationOutcome": _open(
            ("resourceType", "issue"),
            resourceType={"type": "string", "const": "OperationOutcome"},
            issue=_list(
                _open(
                    ("severity", "code"),
                    severity={"type": "string", "enum": ["fatal", "error", "warning", "information"]},
                    code=TEXT,
                    details=_open((), text=TEXT),
                    diagnostics=TEXT,
                    expression=_list(TEXT),
                )
            ),
        ),
        "FhirResource": _open(("resourceType",), resourceType=TEXT),
    }


def component_schemas() -> dict[str, Schema]:
    """All schemas by name, for `components.schemas`."""
    return {**_requests(), **_answers()}
