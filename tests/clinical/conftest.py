"""The whole service with all guidelines, its clock stopped."""

from __future__ import annotations

import pytest

from app.main import create_app
from app.pipeline import build_pipeline
from tests.clinical.cases import TODAY
from tests.conftest import Client
from tests.support.patience import patient_settings


@pytest.fixture(scope="session")
def osteon() -> Client:
    settings = patient_settings()
    return Client(create_app(pipeline=build_pipeline(settings), settings=settings, today=lambda: TODAY))
