"""Puts the parts of the service together: `create_app` for tests and embedding, `service` for a server process."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app import __version__
from app.api import cds, guideline_pages, operations
from app.api.calls import CallWork
from app.api.documentation import add_documentation
from app.api.fetching import Fetcher
from app.api.large_charts import LargeCharts
from app.api.logs import configure, logger
from app.api.metrics import Metrics
from app.api.middleware import Cors, Observe
from app.api.openapi import document as openapi
from app.api.page.routes import router as page_router
from app.api.path_defaults import PathDefaults
from app.api.ports import Knowledge, Pages, Pipeline, Ports
from app.api.responses import error_response, outcome_response, status_text
from app.api.self_test import Readiness, sample_case
from app.api.trust.middleware import ClientTrust
from app.api.trust.settings import TrustSettings
from app.cds_hooks.errors import CallError
from app.cds_hooks.queries import queries_with
from app.collector import paused_collector
from app.features import FeatureSettings
from app.outbound.settings import FhirClientSettings
from app.profiles import profile_ids
from app.settings import Settings

if TYPE_CHECKING:
    from app.api.trust.verifier import Verifier
    from app.engine.local import Local
    from app.outbound.fhir_client import FhirClient

GC_THRESHOLD = 10_000
"""How many more objects than at its last look may live before the collector of cycles looks at the young ones again."""


def create_app(
    *,
    pipeline: Pipeline,
    settings: Settings | None = None,
    knowledge: Knowledge | None = None,
    today: Callable[[], date] | None = None,
    self_test: Callable[[], None] | None = None,
    fhir_client: FhirClient | None = None,
    trust: TrustSettings | None = None,
    verifier: Verifier | None = None,
    worker_processes: bool = False,
    overlay: Mapping[str, str] | None = None,
    pages: Pages | None = None,
) -> FastAPI:
    """The ASGI app.

    `today` is the clock (by default the day in the time zone of the settings); `self_test` raises where a built-in case
    does not come out (by default the sample patient of openapi/examples). `knowledge` is what stands below /fhir,
    `fhir_client` asks FHIR servers for what was left out of prefetch (without it no other host is called). `trust` says
    who may call, by default from the environment; `verifier` checks tokens, by default by `trust`.
    `overlay`: the fingerprint of the overlay of a hospital and its name, for readiness. `pages`: the guideline browser,
    by default of the guidelines that ship.
    With `worker_processes` large charts are answered in processes of their own, which are forked here: do it before
    there are threads.
    """
    settings = settings or Settings()
    trust = trust or TrustSettings()
    if trust.trust == "required" and verifier is None:
        from app.api.trust.verifier import Verifier  # cryptography is loaded only where tokens are checked

        verifier = Verifier(trust)
    zone = settings.zone
    metrics = Metrics(version=__version__)
    ports = Ports(
        pipeline=pipeline,
        today=today or (lambda: datetime.now(zone).date()),
        today_in=(lambda _: today()) if today else (lambda other: datetime.now(other).date()),
        self_test=self_test or sample_case(pipeline),
        knowledge=knowledge,
    )
    readiness = Readiness(ports.self_test)
    make = partial(CallWork, ports, settings.default_configuration(), queries_with(settings.prefetch))
    large_charts = (
        LargeCharts(make, readiness.ready, workers=settings.max_large_charts, memory=settings.large_chart_bytes)
        if worker_processes
        else None
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ready = await run_in_threadpool(readiness.ready)
        logger().info("started", version=__version__, outcome="ready" if ready else "not ready")
        # What is loaded now lives as long as the process: the collector need not look at it again with each call. A
        # call makes some ten thousand objects that go without its help; looking at them every 700 costs it a twentieth.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        yield
        if large_charts:
            await large_charts.aclose()
        if fhir_client:
            await fhir_client.aclose()
        if verifier:
            await verifier.aclose()
        logger().info("stopped", version=__version__)

    app = FastAPI(
        title="Osteon",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        lifespan=lifespan,
        redirect_slashes=False,
        telemetry={"logs": False, "metrics": False},  # its log records hold messages of exceptions
    )
    app.include_router(cds.router(make, settings, metrics, Fetcher(fhir_client, metrics), large_charts))
    app.include_router(operations.knowledge_router(knowledge, base_url=settings.public_base_url))
    app.include_router(operations.router(readiness, metrics, overlay=overlay))
    app.include_router(guideline_pages.router(pages or _shipped_pages()))
    app.include_router(
        page_router(
            version=__version__,
            settings=settings,
            trust=trust,
            profiles=profile_ids(settings.local),
            today=ports.today,
        )
    )
    add_documentation(app)
    app.openapi = openapi.document_maker(app)  # type: ignore[method-assign]  # FastAPI's documented way
    _add_error_handlers(app)
    # The last one added is the outermost: every answer has CORS headers, errors included.
    app.add_middleware(ClientTrust, settings=trust, verifier=verifier, refused=metrics.refused)
    app.add_middleware(PathDefaults, profiles=profile_ids(settings.local))
    app.add_middleware(Observe, metrics=metrics, readiness=readiness)
    if settings.cors_origins:
        app.add_middleware(Cors, origins=settings.cors_origins)
    return app


def _add_error_handlers(app: FastAPI) -> None:
    async def call_error(_: Request, error: Exception) -> Response:
        if not isinstance(error, CallError):
            raise error
        return error_response(error)

    async def http_error(_: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        return outcome_response(error.status_code, status_text(error.status_code), headers=error.headers)

    async def validation_error(_: Request, __: Exception) -> Response:
        return outcome_response(400, "a parameter is wrong")

    app.add_exception_handler(CallError, call_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, validation_error)


def service() -> FastAPI:
    """The app with everything real, from the environment: what a server process runs (uvicorn factory)."""
    # The pipeline loads all guidelines: only a process that serves pays for it.
    from app.advice.reconcile import Advisor
    from app.browser import GuidelinePages
    from app.engine.linker import load_knowledge
    from app.pipeline import build_pipeline
    from app.published import PublishedKnowledge

    settings = Settings()
    configure(settings.log_level, style=settings.log)
    with paused_collector():
        pipeline = build_pipeline(settings)
        knowledge = PublishedKnowledge(pipeline.knowledge)
    local = pipeline.knowledge.local
    for risk in local.risks:
        logger().warning("safety statement switched off", setting="OSTEON_LOCAL", detail=str(risk))
    # What the deployment sets in its environment comes before what the overlay says.
    settings = settings.model_copy(update={"prefetch": {**local.prefetch, **settings.prefetch}})
    trust = TrustSettings()
    for client in trust.clients():
        for defaults in client.defaults:
            pipeline.knowledge.check_profile(defaults.profile, "OSTEON_TRUSTED_CLIENTS")
            pipeline.knowledge.check_switched(defaults.disabled_recommendations, "OSTEON_TRUSTED_CLIENTS")
    # The built-in case is about what ships, not about what a hospital has chosen: with its settings and its overlay
    # other cards may be right.
    shipped = load_knowledge()
    reference = replace(
        pipeline,
        knowledge=shipped,
        advisor=Advisor(shipped),
        settings=Settings.model_construct(),
        feature_settings=FeatureSettings(),
    )
    app = create_app(
        pipeline=pipeline,
        settings=settings,
        self_test=sample_case(reference),
        knowledge=knowledge,
        fhir_client=_fhir_client(),
        trust=trust,
        worker_processes=True,
        overlay=_overlay(local),
        pages=GuidelinePages(pipeline.knowledge),
    )
    _stop_with_parent()
    return app


def _shipped_pages() -> Pages:
    from app.browser import GuidelinePages
    from app.engine.linker import load_knowledge

    return GuidelinePages(load_knowledge())


def _overlay(local: Local) -> dict[str, str] | None:
    """The overlay that runs, as readiness names it."""
    if not local.fingerprint:
        return None
    return {"fingerprint": local.fingerprint, **({"hospital": local.hospital} if local.hospital else {})}


def _fhir_client() -> FhirClient | None:
    """The client for the FHIR servers of the environment, None where none is set."""
    settings = FhirClientSettings()
    if not settings.fhir_servers:
        return None
    from app.outbound.fhir_client import FhirClient

    return FhirClient(settings)


def _stop_with_parent() -> None:
    """As one of several worker processes: stop when the process that started it is gone, however it ended.

    Otherwise workers of a killed parent keep the port, and no process is left to stop them.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="follow-parent", daemon=True).start()
