"""The service around a constant pipeline, with client trust and the FHIR client as the environment says."""

from __future__ import annotations

from fastapi import FastAPI

from app.api.logs import configure
from app.main import create_app
from app.outbound.fhir_client import FhirClient
from app.outbound.settings import FhirClientSettings
from app.settings import Settings
from tests.support.fake import FakePipeline, passing


def service() -> FastAPI:
    """For a server process."""
    configure("debug")
    return create_app(
        pipeline=FakePipeline(), settings=Settings(), self_test=passing, fhir_client=FhirClient(FhirClientSettings())
    )
