"""The call of a client, checked: what is required is there and has the right type, what is unknown is ignored.

Checked by hand, because the messages must name the member and must not repeat what the client sent. An optional member
that is null counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.cds_hooks.configuration import Configuration, configuration_of
from app.cds_hooks.context_records import bundle_of, intolerances_of, refills_of
from app.cds_hooks.errors import MalformedRequest
from app.cds_hooks.hooks import OCCASIONS, USER_TYPES, Hook, Service
from app.cds_hooks.prefetch import Records, Resource, resolve
from app.chart import Occasion, SetAside

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
    draft_orders: tuple[Resource, ...] = field(default=(), repr=False)
    selections: frozenset[str] | None = None
    conditions: tuple[Resource, ...] = field(default=(), repr=False)
    intolerances: tuple[Resource, ...] = field(default=(), repr=False)
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
    body: object, service: Service, *, default: Configuration | None = None, accept_language: str | None = None
) -> HookRequest:
    """Check a decoded body against the service that it was sent to.

    Raises MalformedRequest that names the member; does not check that required prefetch came (`Records.require`).
    """
    if not isinstance(body, dict):
        raise MalformedRequest("the body must be a JSON object")
    _check_hook(body, service)
    hook_instance = _required_text(body, "hookInstance", "hookInstance")
    context = _context(_object(body, "context", "context", required=True), service)
    fhir_server = _fhir_server(body)
    authorization = _authorization(body)
    if authorization and not fhir_server:
        raise MalformedRequest("fhirAuthorization needs fhirServer", expression="fhirServer")
    configuration = configuration_of(
        _object(body, "extension", "extension"), default=default or Configuration(), accept_language=accept_language
    )
    prefetch = _object(body, "prefetch", "prefetch")
    return HookRequest(
        hook=service.hook,
        service_id=service.id,
        hook_instance=hook_instance,
        context=context,
        records=resolve(prefetch, patient_id=context.patient_id),
        configuration=configuration,
        fhir_server=fhir_server,
        fhir_authorization=authorization,
    )


def _check_hook(body: Mapping[str, Any], service: Service) -> None:
    if _required_text(body, "hook", "hook") != service.hook:
        raise MalformedRequest(f"hook must be '{service.hook}' for service '{service.id}'", expression="hook")


def _context(context: Mapping[str, Any], service: Service) -> HookContext:
    read_orders = refills_of if service.occasion is Occasion.REFILL else bundle_of
    orders, lost_orders = read_orders(context, service.orders_in) if service.orders_in else ((), ())
    conditions, lost_conditions = bundle_of(context, "conditions") if service.conditions else ((), ())
    intolerances, lost_intolerances = intolerances_of(context) if service.intolerance else ((), ())
    return HookContext(
        user_id=_user(context, required=service.user_required),
        patient_id=_patient_id(context),
        encounter_id=_text(context, "encounterId", "context.encounterId", required=service.encounter_required),
        draft_orders=orders,
        selections=_selections(context) if service.selections else None,
        conditions=conditions,
        intolerances=intolerances,
        set_aside=(*lost_orders, *lost_conditions, *lost_intolerances),
    )


def _user(context: Mapping[str, Any], *, required: bool) -> str | None:
    text = _text(context, "userId", "context.userId", required=required)
    if text is None:
        return None
    match = _REFERENCE.fullmatch(text)
    if not match or match[1] not in USER_TYPES:
        allowed = ", ".join(sorted(USER_TYPES))
        raise MalformedRequest(
            f"context.userId must be 'Type/id' with one of the types: {allowed}", expression="context.userId"
        )
    return f"{match[1]}/{match[2]}"


def _patient_id(context: Mapping[str, Any]) -> str:
    text = _required_text(context, "patientId", "context.patientId").strip().removeprefix("Patient/")
    if not _BARE_ID.fullmatch(text):
        raise MalformedRequest("context.patientId must be the id of a Patient", expression="context.patientId")
    return text


def _selections(context: Mapping[str, Any]) -> frozenset[str]:
    path = "context.selections"
    selections = context.get("selections")
    if not isinstance(selections, list) or not all(isinstance(item, str) and item.strip() for item in selections):
        raise MalformedRequest(f"{path} is required and must be an array of strings", expression=path)
    return frozenset(selections)


def _fhir_server(body: Mapping[str, Any]) -> str | None:
    server = _text(body, "fhirServer", "fhirServer")
    if server is not None and not server.lower().startswith(("https://", "http://")):
        raise MalformedRequest("fhirServer must be an absolute http(s) URL", expression="fhirServer")
    return server


def _authorization(body: Mapping[str, Any]) -> FhirAuthorization | None:
    name = "fhirAuthorization"
    if body.get(name) is None:
        return None
    members = _object(body, name, name)
    expires_in = members.get("expires_in")
    if not isinstance(expires_in, int) or isinstance(expires_in, bool):
        raise MalformedRequest(f"{name}.expires_in must be an integer", expression=f"{name}.expires_in")
    token_type = _required_text(members, "token_type", f"{name}.token_type")
    if token_type.lower() != "bearer":
        raise MalformedRequest(f"{name}.token_type must be 'Bearer'", expression=f"{name}.token_type")
    return FhirAuthorization(
        access_token=_required_text(members, "access_token", f"{name}.access_token"),
        token_type=token_type,
        expires_in=expires_in,
        scope=_required_text(members, "scope", f"{name}.scope"),
        subject=_required_text(members, "subject", f"{name}.subject"),
        patient=_text(members, "patient", f"{name}.patient"),
    )


def _object(members: Mapping[str, Any], name: str, path: str, *, required: bool = False) -> dict[str, Any]:
    """A member that is an object; an optional one that is absent or null is empty."""
    value = members.get(name)
    if value is None and not required:
        return {}
    if not isinstance(value, dict):
        problem = "is required and must be an object" if required else "must be an object"
        raise MalformedRequest(f"{path} {problem}", expression=path)
    return value


def _text(members: Mapping[str, Any], name: str, path: str, *, required: bool = False) -> str | None:
    value = members.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not value.strip():
        problem = "is required and must be a non-empty string" if required else "must be a non-empty string"
        raise MalformedRequest(f"{path} {problem}", expression=path)
    return value


def _required_text(members: Mapping[str, Any], name: str, path: str) -> str:
    return _text(members, name, path, required=True) or ""
