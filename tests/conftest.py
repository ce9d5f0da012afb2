"""What all tests share: an app around a constant pipeline, and a client that speaks HTTP to it without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.pipeline import build_pipeline
from app.settings import Settings
from tests.support import calls
from tests.support.fake import FakePipeline, passing
from tests.support.patience import PATIENCE, patient_settings

TODAY = date(2026, 11, 22)
SHARED = Path(__file__).parents[2] / "shared"

# No deadline: how long an example takes depends on what else the machine does.
hypothesis.settings.register_profile(
    "osteon", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("osteon")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud what did not run for want of the shared material; a skip alone is easily overlooked."""
    if not SHARED.is_dir():
        terminalreporter.section("WARNING: ../shared is not there", red=True, bold=True)
        terminalreporter.line("The tests over its patients, vignettes, sources and checklist did NOT run.", red=True)


class Client:
    """A synchronous face of httpx's ASGI transport."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://osteon.test") as client:
                return await client.request(method, url, **options)

        return asyncio.run(send())

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self.request("POST", url, **options)

    def call(self, body: Any, service: str = calls.PATIENT_VIEW, **options: Any) -> httpx.Response:
        return self.post(f"/cds-services/{service}", json=body, **options)


ClientMaker = Callable[..., Client]


@pytest.fixture(scope="session")
def osteon() -> Client:
    """The whole service with all guidelines, its clock stopped."""
    settings = patient_settings()
    return Client(create_app(pipeline=build_pipeline(settings), settings=settings, today=lambda: TODAY))


@pytest.fixture
def pipeline() -> FakePipeline:
    return FakePipeline()


@pytest.fixture
def make_client(pipeline: FakePipeline) -> ClientMaker:
    def make(**settings: Any) -> Client:
        used = settings.pop("pipeline", pipeline)
        knowledge = settings.pop("knowledge", None)
        self_test = settings.pop("self_test", passing)
        settings.setdefault("request_timeout_seconds", PATIENCE)
        return Client(
            create_app(
                pipeline=used,
                settings=Settings(**settings),
                today=lambda: TODAY,
                self_test=self_test,
                knowledge=knowledge,
            )
        )

    return make


@pytest.fixture
def client(make_client: ClientMaker) -> Client:
    return make_client()
