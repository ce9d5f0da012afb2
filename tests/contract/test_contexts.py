"""The contexts of medication-refill and allergyintolerance-create, in the shapes that clients send."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.conftest import Client
from tests.support import calls
from tests.support.fake import FakePipeline

REFILL, INTOLERANCE = "osteoporosis-medication-refill", "osteoporosis-allergyintolerance-create"
REFILL_BODY, INTOLERANCE_BODY = (
    calls.example("medication-refill.request"),
    calls.example("allergyintolerance-create.request"),
)
ORDER = REFILL_BODY["context"]["medications"]["entry"][0]["resource"]
ENTRY = INTOLERANCE_BODY["context"]["allergyIntolerance"]


def with_context(body: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The request with members of the context put in place of those that hold the resources."""
    made = copy.deepcopy(body)
    for name in ("medications", "allergyIntolerance"):
        made["context"].pop(name, None)
    made["context"].update(members)
    return made


@pytest.mark.parametrize(
    "shape",
    [
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": ORDER}]},
        {"resourceType": "Bundle", "entry": [{"resource": ORDER}]},
        ORDER,
        {"resource": ORDER},
    ],
)
def test_refills_are_read_in_every_shape(client: Client, pipeline: FakePipeline, shape: Any) -> None:
    """Hook library, medication-refill 0.1.0: a Bundle; one prescription alone says the same."""
    assert client.call(with_context(REFILL_BODY, medications=shape), REFILL).status_code == 200
    context = pipeline.requests[0].context
    assert [order.id for order in context.draft_orders] == ["alendronate-refill"]
    assert context.set_aside == ()


def test_a_refill_needs_no_user(client: Client, pipeline: FakePipeline) -> None:
    """Hook library, medication-refill 0.1.0: userId is optional there, and only there."""
    assert client.call(calls.without(REFILL_BODY, "context", "userId"), REFILL).status_code == 200
    assert pipeline.requests[0].context.user_id is None
    assert client.call(calls.without(INTOLERANCE_BODY, "context", "userId"), INTOLERANCE).status_code == 400


@pytest.mark.parametrize(
    "members",
    [
        {"allergyIntolerance": ENTRY},
        {"allergyIntolerance": {"resource": ENTRY}},
        {"allergyIntolerances": {"resourceType": "Bundle", "entry": [{"resource": ENTRY}]}},
        {"allergyIntolerance": {"resourceType": "Bundle", "entry": [{"resource": ENTRY}]}},
    ],
)
def test_intolerances_are_read_in_every_shape(client: Client, pipeline: FakePipeline, members: Any) -> None:
    """Hook library, allergyintolerance-create: its definition, its R4 and its STU3 example."""
    assert client.call(with_context(INTOLERANCE_BODY, **members), INTOLERANCE).status_code == 200
    context = pipeline.requests[0].context
    assert [entry.id for entry in context.intolerances] == ["alendronate-intolerance"]
    assert context.set_aside == ()


@pytest.mark.parametrize("value", [None, 7, "x", []])
def test_a_member_that_is_no_object_is_refused(client: Client, value: Any) -> None:
    """CALL-6: required members by name and type."""
    for service, body, member in (
        (REFILL, with_context(REFILL_BODY, medications=value), "medications"),
        (INTOLERANCE, with_context(INTOLERANCE_BODY, allergyIntolerance=value), "allergyIntolerance"),
    ):
        response = client.call(body, service)
        assert response.status_code == 400
        assert f"context.{member}" in response.json()["issue"][0]["details"]["text"]
