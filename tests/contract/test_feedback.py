"""Feedback."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import Client
from tests.support import calls

URL = f"/cds-services/{calls.PATIENT_VIEW}/feedback"
ITEM: dict[str, Any] = {
    "card": "4e0a3a1e-8a32-4c4b-9f0e-6a2f3b1c0001",
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": "4e0a3a1e-8a32-4c4b-9f0e-6a2f3b1c0002"}],
    "outcomeTimestamp": "2026-11-22T01:54:55.191Z",
}
OVERRIDDEN = {**calls.without(ITEM, "acceptedSuggestions"), "outcome": "overridden"}


def send(client: Client, *items: Any) -> httpx.Response:
    return client.post(URL, json={"feedback": list(items)})


def overridden(reason: Any) -> dict[str, Any]:
    return {**OVERRIDDEN, "overrideReason": reason}


def test_every_service_takes_feedback(client: Client) -> None:
    """FB-1, FB-9: for any card, because none is kept."""
    for service in client.get("/cds-services").json()["services"]:
        response = client.post(f"/cds-services/{service['id']}/feedback", json=calls.example("feedback.request"))
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"


def test_an_unknown_service_has_no_feedback(client: Client) -> None:
    """FB-1: 404."""
    assert client.post("/cds-services/unknown/feedback", json={"feedback": [ITEM]}).status_code == 404


@pytest.mark.parametrize("body", [{}, [], {"feedback": None}, {"feedback": {}}, {"feedback": []}, {"feedback": [7]}])
def test_the_body_holds_a_list_of_items(client: Client, body: Any) -> None:
    """FB-2: anything else is refused by name."""
    response = client.post(URL, json=body)
    assert response.status_code == 400
    assert "feedback" in response.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("member", ["card", "outcome", "outcomeTimestamp"])
@pytest.mark.parametrize("value", ["absent", None, 7, "", []])
def test_required_members(client: Client, member: str, value: Any) -> None:
    """FB-2: each by name."""
    response = send(client, calls.without(ITEM, member) if value == "absent" else {**ITEM, member: value})
    assert response.status_code == 400
    assert f"feedback[0].{member}" in response.text


def test_other_outcomes_are_refused(client: Client) -> None:
    """FB-3: accepted or overridden."""
    assert send(client, {**ITEM, "outcome": "ignored"}).status_code == 400


@pytest.mark.parametrize("value", [None, [], {}, [{}], [{"id": ""}], ["x"]])
def test_accepted_names_suggestions(client: Client, value: Any) -> None:
    """FB-4: a non-empty array of ids."""
    assert send(client, {**ITEM, "acceptedSuggestions": value}).status_code == 400
    assert send(client, calls.without(ITEM, "acceptedSuggestions")).status_code == 400


@pytest.mark.parametrize(
    "reason",
    [
        {"reason": {"code": "c", "system": "urn:s", "display": "d"}},
        {"reason": {"code": "c", "system": "urn:s"}},
        {"userComment": "because"},
        {"reason": {"code": "c", "system": "urn:s"}, "userComment": "because"},
        {"code": "c", "system": "urn:s"},
        None,
    ],
)
def test_override_reasons_are_taken(client: Client, reason: Any) -> None:
    """FB-5, FB-8: with or without display, the client's own codes, a comment alone, none at all, the old flat form."""
    assert send(client, overridden(reason)).status_code == 200


@pytest.mark.parametrize(
    "reason",
    [{}, [], "x", {"reason": "x"}, {"reason": {"code": "c"}}, {"reason": {"system": "s"}}, {"userComment": 7}],
)
def test_override_reasons_that_say_nothing_are_refused(client: Client, reason: Any) -> None:
    """FB-5: at least a reason or a comment."""
    assert send(client, overridden(reason)).status_code == 400


def test_overridden_without_a_reason_is_valid(client: Client) -> None:
    """FB-5: a reason is optional."""
    assert send(client, OVERRIDDEN).status_code == 200


@pytest.mark.parametrize("time", ["2026-11-22T01:54:55Z", "2026-11-22T01:54:55.191Z", "2026-11-22T01:54:55+00:00"])
def test_timestamps(client: Client, time: str) -> None:
    """FB-6: RFC 3339 with or without a fraction."""
    assert send(client, {**ITEM, "outcomeTimestamp": time}).status_code == 200


@pytest.mark.parametrize("time", ["2026-11-22", "2026-11-22T01:54:55", "yesterday", "20261122T015455Z"])
def test_times_without_a_zone_are_refused(client: Client, time: str) -> None:
    """FB-6: a time without a zone is no moment."""
    assert send(client, {**ITEM, "outcomeTimestamp": time}).status_code == 400


def test_many_items_and_repeated_cards(client: Client) -> None:
    """FB-7: ignored first, accepted later; the same POST twice."""
    for _ in range(2):
        assert send(client, OVERRIDDEN, ITEM, {**ITEM, "card": "another"}).status_code == 200


def test_comments_are_bounded_and_kept_nowhere(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """FB-10: neither in logs nor in metrics; far too long ones are refused."""
    assert send(client, overridden({"userComment": "SECRET of Mrs Berg"})).status_code == 200
    assert "SECRET" not in "".join(capsys.readouterr())
    assert "SECRET" not in client.get("/metrics").text
    assert send(client, overridden({"userComment": "x" * 20_000})).status_code == 400


def test_feedback_is_counted(client: Client) -> None:
    """FB-8, OVR-1: by outcome and reason; a client's own code is counted as other, so that it makes no label."""
    refuses = {"code": "patient-refuses", "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"}
    send(client, ITEM, overridden({"reason": refuses}), overridden({"reason": {"code": "our-own", "system": "urn:x"}}))
    metrics = client.get("/metrics").text
    service = f'service="{calls.PATIENT_VIEW}"'
    assert f'osteon_feedback_total{{outcome="accepted",reason="none",{service}}} 1.0' in metrics
    assert f'osteon_feedback_total{{outcome="overridden",reason="patient-refuses",{service}}} 1.0' in metrics
    assert f'osteon_feedback_total{{outcome="overridden",reason="other",{service}}} 1.0' in metrics
    assert "our-own" not in metrics
