"""The routes of CDS Hooks: discovery, calls and feedback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.api.admission import Admission
from app.api.body import check_media_type, received_body, without_bom
from app.api.calls import Answered, CallWork, Job
from app.api.fetching import Fetcher
from app.api.inline import TooLong, limited
from app.api.large_charts import Fetch, LargeCharts, WorkerFault
from app.api.logs import logger
from app.api.metrics import Metrics
from app.api.openapi import descriptions
from app.api.responses import check_accept, json_response
from app.cds_hooks.configuration import Preferences
from app.cds_hooks.discovery import discovery
from app.cds_hooks.errors import Overloaded, UnknownService
from app.cds_hooks.feedback import read_feedback
from app.cds_hooks.hooks import SERVICES_BY_ID, Service
from app.cds_hooks.queries import queries_with
from app.decoding.strict_json import loads
from app.settings import Settings
from app.vocabulary import Language

if TYPE_CHECKING:
    from app.api.trust.verifier import Caller  # imports joserfc and httpcore, which only trust `required` needs

# Measured: docs/measurements.md. Short work is done where it is: a hop to another process would cost more than it
# gives. For longer work the event loop must stay free for probes and other calls.
INLINE_BYTES = 384 * 1024
INLINE_RECORDS = 1500
RECORD = b'"resourceType"'


Result = TypeVar("Result")


class Run(Protocol):
    """Runs a step of a call."""

    def __call__(self, work: Callable[[], Result]) -> Result:
        """What the step gives."""


def router(
    make: Callable[[], CallWork],
    settings: Settings,
    metrics: Metrics,
    fetcher: Fetcher,
    large_charts: LargeCharts | None = None,
) -> APIRouter:
    """The CDS Hooks routes of one app. `make` gives what answers one call; without `large_charts` all do it here."""
    routes = APIRouter(tags=["CDS Hooks"])
    queries = queries_with(settings.prefetch)
    limit, timeout = settings.max_body_bytes, settings.request_timeout_seconds
    admission = Admission(
        slots=settings.max_concurrent_requests,
        waiting_bytes=max(settings.max_waiting_bytes, settings.max_body_bytes),
    )

    async def work(raw: bytes, service: Service, request: Request) -> Response:
        job = Job(raw, service.id, _preferences(request), request.headers.get("accept-language"))
        fetch = partial(fetcher.fetch, request_id=request.state.request_id)
        try:
            async with asyncio.timeout(timeout):
                if large_charts is None:
                    answered = await _inline(make(), job, fetch, _at_once)
                else:
                    answered = await _where_it_fits(large_charts, make, job, fetch)
        except WorkerFault as fault:
            logger().error("fault in a worker", request_id=request.state.request_id, **fault.fields)
            raise
        except TimeoutError:
            raise Overloaded("no answer within the time limit", headers={"Retry-After": "5"}) from None
        metrics.answered(service.id, answered.tally)
        logger().info("answered", request_id=request.state.request_id, **answered.audit, **_who(request))
        headers = {"Cache-Control": "no-store", "Content-Language": answered.language, "Vary": "Accept-Language"}
        return Response(answered.body, media_type="application/json", headers=headers)

    @routes.get("/cds-services", **descriptions.DISCOVERY)
    async def get_discovery(request: Request) -> Response:
        check_accept(request.headers.get("accept"))
        response = json_response(discovery(queries=queries))
        response.headers["Content-Language"] = Language.EN.value  # its texts are for those who set up a client
        return response

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


async def _where_it_fits(large_charts: LargeCharts, make: Callable[[], CallWork], job: Job, fetch: Fetch) -> Answered:
    """Answer a short call on the event loop; one that is long, or turns out to be, in a worker process."""
    if is_small(job.raw):
        try:
            return await _inline(make(), job, fetch, limited)
        except TooLong:
            logger().info("handed over", service=job.service_id, body_bytes=len(job.raw))
    return await large_charts.answer(job, fetch)


async def _inline(work: CallWork, job: Job, fetch: Fetch, run: Run) -> Answered:
    """Answer a call on the event loop. `run` runs each step; it may end it with TooLong."""
    needs = run(lambda: work.begin(job))
    fetched = await fetch(needs) if needs else None
    return run(lambda: work.finish(fetched))


def _at_once(work: Callable[[], Result]) -> Result:
    return work()


def is_small(raw: bytes) -> bool:
    """Whether a call is short work: little to read, and few records to think about."""
    return len(raw) <= INLINE_BYTES and raw.count(RECORD) <= INLINE_RECORDS


def _service(service_id: str) -> Service:
    service = SERVICES_BY_ID.get(service_id)
    if service is None:
        raise UnknownService("there is no service of this id; GET /cds-services lists them")
    return service


def _preferences(request: Request) -> tuple[Preferences, ...]:
    """What the path and the client ask for, the path first."""
    by_path: Preferences | None = getattr(request.state, "path_preferences", None)
    caller: Caller | None = getattr(request.state, "caller", None)
    return (*((by_path,) if by_path else ()), *((caller.preferences,) if caller else ()))


def _who(request: Request) -> dict[str, str | None]:
    """The client behind a call, where its token was checked; never the token."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return {"iss": caller.iss, "tenant": caller.tenant, "jti": caller.jti} if caller else {}
