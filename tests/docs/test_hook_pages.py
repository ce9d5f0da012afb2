"""The pages of the hooks are those of the app; what they call required, the service refuses to do without."""

from __future__ import annotations

import re
import shlex
from typing import Any

import orjson
import pytest

from app.cds_hooks.hooks import SERVICES, Service
from app.docgen.hooks import EXAMPLES, PAGES, SELECTED, members, pages
from tests.conftest import Client


def example(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((EXAMPLES / f"{service.hook}.request.json").read_bytes())
    return found


def test_the_committed_pages_are_those_of_the_app() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    assert committed == pages(), "run: python -m app.docgen.hooks"


def test_every_occasion_of_a_service_says_what_it_answers() -> None:
    assert {service.occasion for service in SERVICES} == SELECTED.keys()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.hook)
def test_what_is_required_is_refused_without_and_the_rest_is_not(client: Client, service: Service) -> None:
    for name, required, _ in members(service):
        body = example(service)
        body["context"].pop(name, None)
        response = client.post(f"/cds-services/{service.id}", json=body)
        assert response.status_code == (400 if required else 200), name
        assert not required or name in response.text


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.hook)
def test_the_request_of_each_page_is_answered(client: Client, service: Service) -> None:
    page = (PAGES / f"{service.hook}.md").read_text(encoding="utf-8")
    command = re.search(r"^curl .*$", page, re.MULTILINE)
    assert command
    words = shlex.split(command[0])
    assert words[2] == f"http://127.0.0.1:8000/cds-services/{service.id}"
    body = (EXAMPLES.parents[1] / words[-1].removeprefix("@")).read_bytes()
    response = client.post(
        words[2].removeprefix("http://127.0.0.1:8000"), content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 200
    assert "cards" in response.json()
