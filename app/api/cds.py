"""The routes of CDS Hooks: discovery, calls and feedback."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import anyio.to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.api.admission import Admission
from app.api.body import check_media_type, received_body, without_bom
from app.api.fetching import Fetcher
from app.api.logs import logger
from app.api.metrics import Metrics, explanations
from app.api.openapi import descriptions
from app.api.ports import Ports
from app.api.responses import check_accept, json_response
from app.api.trust.verifier import Caller
from app.cds_hooks.configuration import Configuration, Preferences
from app.cds_hooks.discovery import discovery
from app.cds_hooks.errors import Overloaded, UnknownService
from app.cds_hooks.feedback import read_feedback
from app.cds_hooks.hooks import SERVICES_BY_ID, Service
from app.cds_hooks.queries import queries_with
from app.cds_hooks.request import HookRequest, read_request
from app.cds_hooks.response import HookAnswer
from app.decoding.call import decode_call
from app.decoding.strict_json import loads
from app.settings import Settings

Result = TypeVar("Result")

# Measured in process, 2026-11: a chart of 18 kB takes 4 ms, one of 290 kB some 10 ms, one of 2.8 MB ten times as much.
# Short work is done where it is: a hop to a thread would cost more than it gives. For longer work the event loop must
# stay free for probes and other calls.
INLINE_BYTES = 384 * 1024


def router(ports: Ports, settings: Settings, metrics: Metrics, fetcher: Fetcher | None = None) -> APIRouter:
    """The CDS Hooks routes of one app."""
    routes = APIRouter(tags=["CDS Hooks"])
    default = Configuration(profile=descriptions.profile(settings), language=descriptions.language(settings))
    queries = queries_with(settings.prefetch)
    limit, timeout = settings.max_body_bytes, settings.request_timeout_seconds
    admission = Admission(
        slots=settings.max_concurrent_requests,
        waiting_bytes=max(settings.max_waiting_bytes, settings.max_body_bytes),
    )
    large_charts = asyncio.Semaphore(settings.max_large_charts)

    def read(raw: bytes, service: Service, request: Request) -> HookRequest:
        language = request.headers.get("accept-language")
        preferences = _preferences(request)
        call = decode_call(without_bom(raw))
        return read_request(
            call, service, default=default, preferences=preferences, accept_language=language, queries=queries
        )

    def answer(call: HookRequest, request: Request) -> Response:
        call.records.require()
        zone = call.configuration.timezone
        today = ports.today_in(ZoneInfo(zone)) if zone else ports.today()
        result = ports.pipeline.answer(call, today=today)
        response = json_response(result.to_json())
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Language"] = call.configuration.language.value
        response.headers["Vary"] = "Accept-Language"
        metrics.answered(call.service_id, result)
        _audit(request, call, result)
        return response

    async def work(raw: bytes, service: Service, request: Request) -> Response:
        inline = len(raw) <= INLINE_BYTES
        try:
            async with asyncio.timeout(timeout), nullcontext() if inline else large_charts:
                call = await _run(inline, read, raw, service, request)
                if fetcher:
                    call = await fetcher.complete(call, request_id=request.state.request_id)
                return await _run(inline, answer, call, request)
        except TimeoutError:
            raise Overloaded("no answer within the time limit", headers={"Retry-After": "5"}) from None

    @routes.get("/cds-services", **descriptions.DISCOVERY)
    async def get_discovery(request: Request) -> Response:
        check_accept(request.headers.get("accept"))
        return json_response(discovery(queries=queries))

    @routes.post("/cds-services/{service_id}", **descriptions.CALL)
    async def post_call(service_id: str, request: Request) -> Response:
        service = _service(service_id)
        check_accept(request.headers.get("accept"))
        check_media_type(request)
        with admission.slot():
            async with received_body(request, admission, limit=limit, timeout=timeout) as raw:
                return await work(raw, service, request)

    @routes.post("/cds-services/{service_id}/feedback", **descriptions.FEEDBACK)
    async def post_feedback(service_id: str, request: Request) -> Response:
        service = _service(service_id)
        check_accept(request.headers.get("accept"))
        check_media_type(request)
        with admission.slot():
            async with received_body(request, admission, limit=limit, timeout=timeout) as raw:
                items = read_feedback(loads(without_bom(raw)))
        metrics.feedback(service.id, items)
        logger().info(
            "feedback", request_id=request.state.request_id, service=service.id, items=len(items), **_who(request)
        )
        return json_response({})

    return routes


async def _run(inline: bool, work: Callable[..., Result], *arguments: Any) -> Result:
    """Do the work here, or in a thread."""
    if inline:
        return work(*arguments)
    return await anyio.to_thread.run_sync(work, *arguments, abandon_on_cancel=True)


def _service(service_id: str) -> Service:
    service = SERVICES_BY_ID.get(service_id)
    if service is None:
        raise UnknownService("there is no service of this id; GET /cds-services lists them")
    return service


def _audit(request: Request, call: HookRequest, answer: HookAnswer) -> None:
    """One line per answered call: what was asked and which cards were given, without anything of the chart."""
    advice: list[Any] = [explanation.get("advice") for explanation in explanations(answer)]
    logger().info(
        "answered",
        request_id=request.state.request_id,
        service=call.service_id,
        hook=call.hook.value,
        hook_instance_hash=_hashed(call.hook_instance),
        # A user can be the patient: the id is only told as a hash.
        user_type=(call.context.user_id or "").partition("/")[0] or None,
        user_hash=_hashed(call.context.user_id) if call.context.user_id else None,
        guideline_version=answer.guideline_version,
        profile=call.configuration.profile.value,
        language=call.configuration.language.value,
        timezone=call.configuration.timezone,
        switched=sorted(call.configuration.switched) or None,
        cards=len(answer.cards),
        card_ids=[card.uuid for card in answer.cards],
        advice=[name for name in advice if name],
        **_who(request),
    )


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _preferences(request: Request) -> tuple[Preferences, ...]:
    """What the path and the client ask for, the path first."""
    by_path: Preferences | None = getattr(request.state, "path_preferences", None)
    caller: Caller | None = getattr(request.state, "caller", None)
    return (*((by_path,) if by_path else ()), *((caller.preferences,) if caller else ()))


def _who(request: Request) -> dict[str, str | None]:
    """The client behind a call, where its token was checked; never the token."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return {"iss": caller.iss, "tenant": caller.tenant, "jti": caller.jti} if caller else {}
