"""The service as it is started for real: all guidelines loaded, the published examples answered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from app.api.openapi.schemas import component_schemas
from app.cds_hooks.hooks import SERVICES, Service
from app.docgen import openapi as publish
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from tests.e2e.conftest import ROOT, Server, StartServer, wait_until_ready
from tests.support import calls
from tests.support.patience import PATIENCE, SERVER_ENVIRONMENT, get, post, wait_for_text
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One real service for the tests of this file."""
    port, log = free_port(), tmp_path_factory.mktemp("service") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.commands.cli", "serve", "--port", str(port)],
            cwd=ROOT,
            env=os.environ | SERVER_ENVIRONMENT,
            stdout=output,
            stderr=output,
        )
    server = Server(process, f"http://127.0.0.1:{port}", log)
    try:
        wait_until_ready(server.url, process, log)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def pipeline() -> OsteonPipeline:
    return build_pipeline(Settings.model_construct())


def fits(answer: Any) -> None:
    schema = {"$ref": "#/components/schemas/Cards", "components": {"schemas": component_schemas()}}
    jsonschema.validate(answer, schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("profile", ["intl", "se", "dk", "cn"])
@pytest.mark.parametrize("described", SERVICES, ids=lambda described: described.id)
def test_the_example_of_each_hook_gets_valid_cards(service: Server, described: Service, profile: str) -> None:
    """In every profile: 200, the published schema, and something to say."""
    body = calls.example(f"{described.hook}.request")
    body["extension"]["osteon.configuration"]["profile"] = profile
    response = post(f"{service.url}/cds-services/{described.id}", json=body)
    assert response.status_code == 200, response.text
    fits(response.json())
    assert response.json()["cards"] or "extension" in response.json()


@pytest.mark.parametrize("language", ["en", "sv", "da", "zh"])
def test_every_language_is_answered(service: Server, language: str) -> None:
    """Whatever texts there are, the answer is complete."""
    body = calls.example("patient-view.request")
    body["extension"]["osteon.configuration"]["language"] = language
    response = post(f"{service.url}/cds-services/{calls.PATIENT_VIEW}", json=body)
    assert response.status_code == 200, response.text
    fits(response.json())


def test_a_patient_who_has_died_gets_no_card(service: Server) -> None:
    """Contract section 2."""
    body = calls.example("patient-view.request")
    body["prefetch"]["patient"]["deceasedBoolean"] = True
    response = post(f"{service.url}/cds-services/{calls.PATIENT_VIEW}", json=body)
    assert response.json()["cards"] == []


def test_what_the_service_knows_can_be_read(service: Server) -> None:
    """Contract section 6: below /fhir."""
    assert get(f"{service.url}/fhir/metadata").json()["resourceType"] == "CapabilityStatement"
    for path in ("CodeSystem/card-topic", "CodeSystem/finding"):
        assert get(f"{service.url}/fhir/{path}").json()["resourceType"] == "CodeSystem"
    assert get(f"{service.url}/fhir/PlanDefinition").json()["total"] > 0


def test_the_example_answers_are_those_of_the_service(pipeline: OsteonPipeline) -> None:
    """Contract section 6: otherwise `make openapi` is due."""
    for name, answer in publish.example_answers(pipeline, calls.EXAMPLES).items():
        assert publish.written(answer) == (calls.EXAMPLES / name).read_bytes(), name


def test_the_demo_shows_the_sample_patient_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    """Contract section 7: `make run` starts, shows cards and addresses, and Ctrl-C ends it cleanly."""
    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.commands.cli", "demo", "--serve", "--port", str(port)],
            cwd=ROOT,
            env=os.environ | SERVER_ENVIRONMENT,
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}"
    wait_until_ready(url, process, log)
    wait_for_text(log, "Ctrl-C")
    assert get(f"{url}/cds-services").status_code == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=PATIENCE) == 0
    text = log.read_text()
    assert "[WARNING]" in text or "[INFO]" in text
    assert "Traceback" not in text
    with pytest.raises(httpx.TransportError):
        get(f"{url}/cds-services")


def test_several_workers(start: StartServer) -> None:
    """Contract section 7: `--workers N`."""
    server = start("app.commands.cli", "serve", "--port", "PORT", "--workers", "2")
    for _ in range(6):
        assert get(f"{server.url}/health/ready").status_code == 200
    assert server.stop() in (0, -signal.SIGTERM)


def test_the_choices_of_a_hospital_do_not_keep_the_service_from_being_ready(start: StartServer) -> None:
    """A recommendation that is switched off is gone from the cards; the built-in case does not miss it."""
    cards = calls.example("patient-view.response")["cards"]
    cited = {
        recommendation["id"]
        for card in cards
        for recommendation in card["extension"]["osteon.explanation"]["recommendations"]
    }
    off = {"OSTEON_DISABLED_RECOMMENDATIONS": ",".join(sorted(cited)), "OSTEON_MAX_AGE_RENAL_MONTHS": "1"}
    server = start("app.commands.cli", "serve", "--port", "PORT", environment=off)
    answer = post(f"{server.url}/cds-services/{calls.PATIENT_VIEW}", json=calls.example("patient-view.request"))
    assert answer.status_code == 200
    assert not any(identifier in answer.text for identifier in cited)
