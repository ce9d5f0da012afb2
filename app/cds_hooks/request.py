"""The call of a client, checked: what is required is there and has the right type, what is unknown is ignored.

Checked by hand, because the messages must name the member and must not repeat what the client sent. An optional member
that is null counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.cds_hooks.configuration import Configuration, Preferences, configuration_of
from app.cds_hooks.context_records import Found, bundle_of, intolerances_of, refills_of, selected_in
from app.cds_hooks.errors import MalformedRequest
from app.cds_hooks.hooks import OCCASIONS, USER_TYPES, Hook, Service
from app.cds_hooks.prefetch import Records, resolve
from app.cds_hooks.queries import DEFAULT_QUERIES, Queries
from app.chart import UNREADABLE, Occasion, SetAside
from app.wire.call import Call, Context, Decoded
from app.wire.record import Record
from app.wire.resources import Damaged

_REFERENCE = re.compile(r"(?:\S*/)?([A-Z][A-Za-z]+)/([^/\s]+)")
_BARE_ID = re.compile(r"[^\s/?#&]{1,128}")


@dataclass(frozen=True, slots=True)
class FhirAuthorization:
    """The client's access token for its FHIR server; lives no longer than the call and is never printed."""

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    scope: str
    subject: str
    patient: str | None = None


@dataclass(frozen=True, slots=True)
class HookContext:
    """The context of a call. `selections` is None for hooks without it.

    `draft_orders`: the orders of the order hooks, or the prescriptions that medication-refill renews. `user_id` is None
    only where the hook leaves it out.
    """

    user_id: str | None
    patient_id: str
    encounter_id: str | None = None
    draft_orders: tuple[Record, ...] = field(default=(), repr=False)
    selections: frozenset[str] | None = None
    conditions: tuple[Record, ...] = field(default=(), repr=False)
    intolerances: tuple[Record, ...] = field(default=(), repr=False)
    damaged: tuple[Damaged, ...] = field(default=(), repr=False)
    addresses: Mapping[str, Record] = field(default_factory=dict, repr=False)
    set_aside: tuple[SetAside, ...] = ()


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One call, ready to be answered once `records.require()` has passed."""

    hook: Hook
    service_id: str
    hook_instance: str
    context: HookContext = field(repr=False)
    records: Records = field(repr=False)
    configuration: Configuration = field(default_factory=Configuration)
    fhir_server: str | None = None
    fhir_authorization: FhirAuthorization | None = None

    @property
    def occasion(self) -> Occasion:
        """What the call is about."""
        return OCCASIONS[self.hook]


def read_request(
    decoded: Decoded,
    service: Service,
    *,
    default: Configuration | None = None,
    preferences: Sequence[Preferences] = (),
    accept_language: str | None = None,
    queries: Queries = DEFAULT_QUERIES,
) -> HookRequest:
    """Check a decoded body against the service that it was sent to.

    Raises MalformedRequest that names the member; does not check that required prefetch came (`Records.require`).
    """
    body, wrong = decoded
    if "" in wrong:
        raise MalformedRequest("the body must be a JSON object")
    _check_hook(body, service)
    hook_instance = _required_text(body.hook_instance, "hookInstance")
    if body.context is None:
        raise MalformedRequest("context is required and must be an object", expression="context")
    context = _context(body.context, service, wrong)
    fhir_server = _fhir_server(body.fhir_server)
    authorization = _authorization(body.fhir_authorization)
    if authorization and not fhir_server:
        raise MalformedRequest("fhirAuthorization needs fhirServer", expression="fhirServer")
    configuration = configuration_of(
        _object(body.extension, "extension"),
        default=default or Configuration(),
        preferences=preferences,
        accept_language=accept_language,
    )
    if "prefetch" in wrong:
        raise MalformedRequest("prefetch must be an object", expression="prefetch")
    return HookRequest(
        hook=service.hook,
        service_id=service.id,
        hook_instance=hook_instance,
        context=context,
        records=resolve(body.prefetch or {}, patient_id=context.patient_id, wrong=wrong, queries=queries),
        configuration=configuration,
        fhir_server=fhir_server,
        fhir_authorization=authorization,
    )


def _check_hook(body: Call, service: Service) -> None:
    if _required_text(body.hook, "hook") != service.hook:
        raise MalformedRequest(f"hook must be '{service.hook}' for service '{service.id}'", expression="hook")


def _context(context: Context, service: Service, wrong: frozenset[str]) -> HookContext:
    orders, conditions, intolerances = Found(), Found(), Found()
    match service.orders_in:
        case "draftOrders":
            orders = bundle_of(context.draft_orders, "context.draftOrders", wrong)
        case "medications":
            orders = refills_of(context.medications, "context.medications", wrong)
    if service.conditions:
        conditions = bundle_of(context.conditions, "context.conditions", wrong)
    if service.intolerance:
        intolerances = intolerances_of(context, wrong)
    selections, unknown = selected_in(_selections(context), orders) if service.selections else (None, 0)
    lost = (SetAside("context.selections", UNREADABLE, unknown),) if unknown else ()
    return HookContext(
        user_id=_user(context, required=service.user_required),
        patient_id=_patient_id(context),
        encounter_id=_text(context.encounter_id, "context.encounterId", required=service.encounter_required),
        draft_orders=orders.records,
        selections=selections,
        conditions=conditions.records,
        intolerances=intolerances.records,
        damaged=(*orders.damaged, *conditions.damaged, *intolerances.damaged),
        addresses={**orders.addresses, **conditions.addresses, **intolerances.addresses},
        set_aside=(*orders.set_aside, *conditions.set_aside, *intolerances.set_aside, *lost),
    )


def _user(context: Context, *, required: bool) -> str | None:
    text = _text(context.user_id, "context.userId", required=required)
    if text is None:
        return None
    match = _REFERENCE.fullmatch(text)
    if not match or match[1] not in USER_TYPES:
        allowed = ", ".join(sorted(USER_TYPES))
        raise MalformedRequest(
            f"context.userId must be 'Type/id' with one of the types: {allowed}", expression="context.userId"
        )
    return f"{match[1]}/{match[2]}"


def _patient_id(context: Context) -> str:
    text = _required_text(context.patient_id, "context.patientId").strip().removeprefix("Patient/")
    if not _BARE_ID.fullmatch(text):
        raise MalformedRequest("context.patientId must be the id of a Patient", expression="context.patientId")
    return text


def _selections(context: Context) -> frozenset[str]:
    path = "context.selections"
    selections = context.selections
    if not isinstance(selections, list) or not all(isinstance(item, str) and item.strip() for item in selections):
        raise MalformedRequest(f"{path} is required and must be an array of strings", expression=path)
    return frozenset(selections)


def _fhir_server(value: Any) -> str | None:
    server = _text(value, "fhirServer")
    if server is not None and not server.lower().startswith(("https://", "http://")):
        raise MalformedRequest("fhirServer must be an absolute http(s) URL", expression="fhirServer")
    return server


def _authorization(value: Any) -> FhirAuthorization | None:
    name = "fhirAuthorization"
    if value is None:
        return None
    members = _object(value, name)
    expires_in = members.get("expires_in")
    if not isinstance(expires_in, int) or isinstance(expires_in, bool):
        raise MalformedRequest(f"{name}.expires_in must be an integer", expression=f"{name}.expires_in")
    token_type = _required_text(members.get("token_type"), f"{name}.token_type")
    if token_type.lower() != "bearer":
        raise MalformedRequest(f"{name}.token_type must be 'Bearer'", expression=f"{name}.token_type")
    return FhirAuthorization(
        access_token=_required_text(members.get("access_token"), f"{name}.access_token"),
        token_type=token_type,
        expires_in=expires_in,
        scope=_required_text(members.get("scope"), f"{name}.scope"),
        subject=_required_text(members.get("subject"), f"{name}.subject"),
        patient=_text(members.get("patient"), f"{name}.patient"),
    )


def _object(value: Any, path: str) -> dict[str, Any]:
    """An optional member that is an object; empty where it is absent or null."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedRequest(f"{path} must be an object", expression=path)
    return value


def _text(value: Any, path: str, *, required: bool = False) -> str | None:
    if value is None and not required:
        return None
    if not isinstance(value, str) or not value.strip():
        problem = "is required and must be a non-empty string" if required else "must be a non-empty string"
        raise MalformedRequest(f"{path} {problem}", expression=path)
    return value


def _required_text(value: Any, path: str) -> str:
    return _text(value, path, required=True) or ""
