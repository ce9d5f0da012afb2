"""Discovery, prefetch templates and query restrictions."""

from __future__ import annotations

import re

import pytest

from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.queries import CATEGORY_KEYS, DEFAULT_QUERIES
from app.chart import Source
from tests.conftest import Client
from tests.support import calls

IDS = {
    "patient-view": "osteoporosis-patient-view",
    "order-select": "osteoporosis-order-select",
    "order-sign": "osteoporosis-order-sign",
    "encounter-discharge": "osteoporosis-encounter-discharge",
    "problem-list-item-create": "osteoporosis-problem-list-item-create",
    "medication-refill": "osteoporosis-medication-refill",
    "allergyintolerance-create": "osteoporosis-allergyintolerance-create",
    "encounter-start": "osteoporosis-encounter-start",
}


def test_discovery_answers_without_redirect(client: Client) -> None:
    """DISC-1, DISC-2: GET /cds-services is 200 with an object that has an array `services`."""
    response = client.get("/cds-services")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert isinstance(response.json()["services"], list)


def test_each_hook_has_one_service_with_its_own_id(client: Client) -> None:
    """DISC-4, DISC-11, HOOKDEF-1: only standard hooks, each with an id of its own, so that no client mixes them up."""
    services = client.get("/cds-services").json()["services"]
    assert {service["hook"]: service["id"] for service in services} == IDS
    assert len(services) == len(IDS)


def test_services_describe_themselves(client: Client) -> None:
    """DISC-4, DISC-5, DISC-8, JSON-4: description, title and usage requirements are text."""
    for service in client.get("/cds-services").json()["services"]:
        for member in ("description", "title", "usageRequirements"):
            assert service[member].strip()


def test_version_is_that_of_the_standard_and_hook_version_is_left_out(client: Client) -> None:
    """DISC-9, DISC-10: `version` is semantic; `hookVersion`, on which the library disagrees, is not sent."""
    for service in client.get("/cds-services").json()["services"]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", service["version"])
        assert "hookVersion" not in service


def test_no_member_outside_the_standard(client: Client) -> None:
    """DISC-13: what is not in the standard would have to be in `extension`."""
    known = {"hook", "title", "description", "id", "prefetch", "usageRequirements", "version", "extension"}
    for service in client.get("/cds-services").json()["services"]:
        assert set(service) <= known


@pytest.mark.parametrize("name", IDS)
def test_each_advertised_service_answers(client: Client, name: str) -> None:
    """DISC-6, CALL-1: the id is a path segment, and the published example request of the hook is answered."""
    response = client.call(calls.example(f"{name}.request"), IDS[name])
    assert response.status_code == 200, response.text
    assert response.json()["cards"]


def test_prefetch_is_the_same_for_all_services(client: Client) -> None:
    """DISC-7: a non-empty object of text templates with the keys of the contract."""
    expected = {"patient", *CATEGORY_KEYS, *(source.value for source in Source)} - {"observations"}
    for service in client.get("/cds-services").json()["services"]:
        assert set(service["prefetch"]) == expected
        assert all(isinstance(template, str) for template in service["prefetch"].values())


@pytest.mark.parametrize("template", DEFAULT_QUERIES.templates.values())
def test_templates_are_relative_reads_and_searches(template: str) -> None:
    """PFT-1, PFT-7, PFT-10: an instance read, or a type search by reference; no operation, include, chain or sort."""
    assert re.fullmatch(r"Patient/\{\{[^}]+\}\}|[A-Z][A-Za-z]+\?patient=\{\{[^}]+\}\}(&category=[a-z-]+)?", template)


@pytest.mark.parametrize("template", DEFAULT_QUERIES.templates.values())
def test_templates_use_only_the_patient_of_the_context(template: str) -> None:
    """PFT-2, PFT-3, PFT-4, PFT-5, PFT-6, PFT-8: no token but context.patientId, which every hook requires."""
    assert re.findall(r"\{\{(.*?)\}\}", template) == ["context.patientId"]


@pytest.mark.parametrize("template", DEFAULT_QUERIES.templates.values())
def test_templates_repeat_no_parameter(template: str) -> None:
    """PFT-9: the official sandbox joins repeated parameters into one."""
    names = [parameter.partition("=")[0] for parameter in template.partition("?")[2].split("&")]
    assert len(names) == len(set(names))


def test_every_key_is_read() -> None:
    """PFT-11: what is asked for is what the chart has a place for."""
    assert set(DEFAULT_QUERIES.covers) == {*CATEGORY_KEYS, *(source.value for source in Source)}
    assert set(DEFAULT_QUERIES.templates) - {"patient"} <= set(DEFAULT_QUERIES.covers)


def test_discovery_of_no_service_is_an_empty_list() -> None:
    """DISC-3: with no service enabled the list is empty, not absent."""
    from app.cds_hooks.discovery import discovery

    assert discovery(()) == {"services": []}
    assert len(discovery()["services"]) == len(SERVICES)


def test_discovery_refuses_with_an_outcome(client: Client) -> None:
    """DISC-12, RESP-3: 4xx on discovery is an OperationOutcome too."""
    response = client.get("/cds-services", headers={"Accept": "text/html"})
    assert response.status_code == 406
    assert response.json()["resourceType"] == "OperationOutcome"


def test_the_interface_is_documented_for_people(client: Client) -> None:
    """DISC-14: the page for people and the offline documentation are there, and load nothing from elsewhere."""
    for path in ("/", "/docs"):
        response = client.get(path)
        assert response.status_code == 200
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", response.text)
