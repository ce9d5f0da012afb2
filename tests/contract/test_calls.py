"""Calling a service: the members of the request and the context of each hook."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.settings import Settings
from tests.conftest import TODAY, Client
from tests.support import calls
from tests.support.fake import FakePipeline

BASE = calls.patient_view()


def refused(response: httpx.Response, member: str) -> None:
    """The answer is a 400 whose outcome names the member."""
    assert response.status_code == 400, response.text
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert member in outcome["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/fhir+json;charset=UTF-8"]
)
def test_json_media_types_are_taken(client: Client, content_type: str) -> None:
    """CALL-1: with and without charset."""
    assert client.call(BASE, headers={"Content-Type": content_type}).status_code == 200


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context"])
@pytest.mark.parametrize("value", ["absent", None, 7, [], " "])
def test_required_members(client: Client, member: str, value: Any) -> None:
    """CALL-2, CALL-4, CALL-5: hook, hookInstance and context are required and have their type."""
    body = calls.without(BASE, member) if value == "absent" else calls.replaced(BASE, value, member)
    refused(client.call(body), member)


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null", b"true"])
def test_the_body_is_an_object(client: Client, body: bytes) -> None:
    """CALL-2: any other JSON value is refused."""
    json_type = {"Content-Type": "application/json"}
    refused(client.post(f"/cds-services/{calls.PATIENT_VIEW}", content=body, headers=json_type), "object")


def test_a_hook_of_another_service_is_refused(client: Client, pipeline: FakePipeline) -> None:
    """CALL-3: never another service's logic."""
    refused(client.call(calls.replaced(BASE, "order-sign", "hook")), "hook")
    assert pipeline.requests == []


def test_a_hook_instance_that_is_no_uuid_is_taken(client: Client) -> None:
    """CALL-4: that it is a UUID is the client's duty."""
    assert client.call(calls.replaced(BASE, "call-17", "hookInstance")).status_code == 200


def test_authorization_needs_a_server(client: Client) -> None:
    """CALL-7: fhirAuthorization without fhirServer."""
    token = {
        "access_token": "t0ken",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/Patient.rs",
        "subject": "osteon",
    }
    refused(client.call({**BASE, "fhirAuthorization": token}), "fhirServer")
    assert client.call({**BASE, "fhirAuthorization": token, "fhirServer": "https://ehr.test/r4"}).status_code == 200


@pytest.mark.parametrize("member", ["access_token", "token_type", "expires_in", "scope", "subject"])
def test_authorization_is_checked(client: Client, member: str) -> None:
    """FHIR-2: its required members, by name; the token itself is never repeated."""
    token: dict[str, Any] = {
        "access_token": "t0ken",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/Patient.rs",
        "subject": "osteon",
    }
    body = {**BASE, "fhirServer": "https://ehr.test/r4", "fhirAuthorization": calls.without(token, member)}
    response = client.call(body)
    refused(response, f"fhirAuthorization.{member}")
    assert "t0ken" not in response.text


def test_the_token_is_not_printed(client: Client, pipeline: FakePipeline) -> None:
    """FHIR-3: the request that goes through the service shows no token when it is printed."""
    token = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300, "scope": "s", "subject": "x"}
    client.call({**BASE, "fhirServer": "https://ehr.test/r4", "fhirAuthorization": token})
    assert pipeline.requests[0].fhir_authorization is not None
    assert "t0ken" not in repr(pipeline.requests[0])


def test_prefetch_alone_is_enough(client: Client) -> None:
    """CALL-8: without fhirServer the answer comes from prefetch."""
    assert "fhirServer" not in BASE
    assert client.call(BASE).status_code == 200


def test_unknown_members_are_ignored(client: Client) -> None:
    """CALL-10, EXT-3, PFD-9: vendor members, unknown extensions and extra prefetch keys do no harm."""
    body = {**BASE, "user": "x", "vendor": {"a": [1]}, "extension": {"com.example.x": {"y": 1}}}
    body = calls.replaced(body, {"resourceType": "Coverage"}, "prefetch", "coverage")
    body = calls.replaced(body, {"z": 1}, "context", "vendorThing")
    assert client.call(body).status_code == 200


def test_absent_extension_is_fine(client: Client) -> None:
    """EXT-3: absence never fails a call."""
    assert "extension" not in BASE
    assert client.call(BASE).status_code == 200


def test_an_extension_that_is_no_object_is_refused(client: Client) -> None:
    """EXT-1: extension is an object, not an array."""
    refused(client.call({**BASE, "extension": [{"url": "x"}]}), "extension")


def test_null_counts_as_absent(client: Client, pipeline: FakePipeline) -> None:
    """CALL-11: optional members that are null."""
    body = {**BASE, "fhirServer": None, "fhirAuthorization": None, "extension": None}
    body = calls.replaced(body, None, "context", "encounterId")
    assert client.call(body).status_code == 200
    assert pipeline.requests[0].context.encounter_id is None


def test_an_unknown_service_is_404(client: Client) -> None:
    """CALL-12: with an outcome, never an empty card list."""
    response = client.call(BASE, "osteoporosis-unknown")
    assert response.status_code == 404
    assert response.json()["resourceType"] == "OperationOutcome"


def test_other_methods_are_405(client: Client) -> None:
    """CALL-13: GET on a service says which method is allowed."""
    response = client.get(f"/cds-services/{calls.PATIENT_VIEW}")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["resourceType"] == "OperationOutcome"


def test_a_patient_id_with_type_is_stripped(client: Client, pipeline: FakePipeline) -> None:
    """CTX-1: "Patient/x" is tolerated."""
    assert client.call(calls.replaced(BASE, "Patient/p1", "context", "patientId")).status_code == 200
    assert pipeline.requests[0].context.patient_id == "p1"


@pytest.mark.parametrize("value", ["absent", None, 7, "", " ", "a/b/c", "p1?x=1"])
def test_the_patient_id_is_required(client: Client, value: Any) -> None:
    """CALL-6, CTX-1: a bare id."""
    path = ("context", "patientId")
    body = calls.without(BASE, *path) if value == "absent" else calls.replaced(BASE, value, *path)
    refused(client.call(body), "context.patientId")


@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/1", "Patient/1", "RelatedPerson/1"])
def test_users_of_all_kinds(client: Client, user: str) -> None:
    """CTX-2: the types of users that the hooks define."""
    assert client.call(calls.replaced(BASE, user, "context", "userId")).status_code == 200


@pytest.mark.parametrize("value", ["absent", None, 7, "dr-lind", "Device/1"])
def test_the_user_id_is_type_and_id(client: Client, value: Any) -> None:
    """CALL-6, CTX-2: anything else is refused."""
    path = ("context", "userId")
    body = calls.without(BASE, *path) if value == "absent" else calls.replaced(BASE, value, *path)
    refused(client.call(body), "context.userId")


@pytest.mark.parametrize(
    ("hook", "member"),
    [
        ("order-select", "selections"),
        ("order-select", "draftOrders"),
        ("order-sign", "draftOrders"),
        ("encounter-discharge", "encounterId"),
        ("problem-list-item-create", "conditions"),
    ],
)
@pytest.mark.parametrize("value", ["absent", None, 7, {"resourceType": "Patient"}])
def test_each_hook_checks_its_own_context(client: Client, hook: str, member: str, value: Any) -> None:
    """CALL-6: the required members of each hook by name and type."""
    body = calls.example(f"{hook}.request")
    path = ("context", member)
    body = calls.without(body, *path) if value == "absent" else calls.replaced(body, value, *path)
    refused(client.call(body, f"osteoporosis-{hook}"), f"context.{member}")


def test_selected_orders_are_told_apart(client: Client, pipeline: FakePipeline) -> None:
    """CTX-5: selections and draft orders reach the logic; a draft without drug or intent is no error."""
    body = calls.example("order-select.request")
    body["context"]["draftOrders"]["entry"].append({"resource": {"resourceType": "MedicationRequest", "id": "empty"}})
    assert client.call(body, "osteoporosis-order-select").status_code == 200
    context = pipeline.requests[0].context
    assert context.selections == {"MedicationRequest/alendronate-order"}
    assert [order.id for order in context.draft_orders] == ["alendronate-order", "empty"]


def test_draft_orders_need_no_bundle_type_and_no_draft_status(client: Client, pipeline: FakePipeline) -> None:
    """CTX-6, CTX-4: as the sandbox sends them; an order that is signed again is still looked at."""
    body = calls.example("order-sign.request")
    del body["context"]["draftOrders"]["type"]
    body["context"]["draftOrders"]["entry"][0]["resource"]["status"] = "active"
    assert client.call(body, "osteoporosis-order-sign").status_code == 200
    assert pipeline.requests[0].context.draft_orders[0].status == "active"


def test_orders_of_other_fhir_versions_do_no_harm(client: Client) -> None:
    """CTX-3: a DSTU2 order is handed on for the reader to set aside, and an entry without resource is counted."""
    body = calls.example("order-sign.request")
    body["context"]["draftOrders"]["entry"] += [{"resource": {"resourceType": "MedicationOrder"}}, {}, None]
    assert client.call(body, "osteoporosis-order-sign").status_code == 200


def test_context_resources_that_cannot_be_read_are_counted(client: Client, pipeline: FakePipeline) -> None:
    """CTX-3: not silently dropped."""
    body = calls.example("problem-list-item-create.request")
    body["context"]["conditions"]["entry"] += [{}, None]
    client.call(body, "osteoporosis-problem-list-item-create")
    assert [(record.reason, record.count) for record in pipeline.requests[0].context.set_aside] == [("unreadable", 2)]


def test_the_clock_is_injected(client: Client, pipeline: FakePipeline) -> None:
    """Contract section 2: today comes from the clock of the app."""
    client.call(BASE)
    assert pipeline.days == [TODAY]


def configured(value: Any) -> dict[str, Any]:
    return {**BASE, "extension": {"osteon.configuration": value}}


def test_profile_and_language_of_the_request(client: Client, pipeline: FakePipeline) -> None:
    """Contract section 3: the request overrides the settings, and its language the header."""
    client.call(configured({"profile": "se", "language": "sv"}), headers={"Accept-Language": "da"})
    configuration = pipeline.requests[0].configuration
    assert (configuration.profile, configuration.language) == ("se", "sv")


@pytest.mark.parametrize(
    ("header", "language"),
    [("sv-FI", "sv"), ("fr, da;q=0.5, zh;q=0.8", "zh"), ("fr", "en"), ("sv;q=0", "en"), ("*", "en"), ("", "en")],
)
def test_accept_language_falls_back(client: Client, pipeline: FakePipeline, header: str, language: str) -> None:
    """Contract section 3: a language that is not served falls back."""
    client.call(BASE, headers={"Accept-Language": header})
    assert pipeline.requests[0].configuration.language == language


@pytest.mark.parametrize("tag", ["nb", "nn-NO", "no"])
def test_a_language_can_be_answered_in_another_one_by_a_setting(
    make_client: Any, client: Client, pipeline: FakePipeline, tag: str
) -> None:
    """Contract section 3: the answer names the language that was served, and depends on the header."""
    norwegian = make_client(language_fallbacks={"nb": "da", "nn": "da", "no": "sv"})
    served = {"nb": "da", "nn-NO": "da", "no": "sv"}[tag]
    response = norwegian.call(BASE, headers={"Accept-Language": f"{tag}, en;q=0.5"})
    assert pipeline.requests[-1].configuration.language == served
    assert response.headers["content-language"] == served
    assert response.headers["vary"] == "Accept-Language"
    response = norwegian.call(configured({"language": tag[:2]}), headers={"Accept-Language": "en"})
    assert response.headers["content-language"] == served
    response = client.call(BASE, headers={"Accept-Language": f"{tag}, zh;q=0.5"})
    assert response.headers["content-language"] == "zh", "without the setting the next language that is served counts"
    refused(client.call(configured({"language": tag[:2]})), "language")


def test_a_fallback_for_a_language_that_is_served_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="sv is served itself"):
        Settings(language_fallbacks={"sv": "da"})


@pytest.mark.parametrize("member", ["profile", "language"])
@pytest.mark.parametrize("value", ["xx", 7, [], ""])
def test_an_unknown_profile_or_language_is_refused(client: Client, member: str, value: Any) -> None:
    """Contract section 3: 400 with the allowed values."""
    response = client.call(configured({member: value}))
    refused(response, member)
    for allowed in {"profile": ("intl", "se", "dk", "cn"), "language": ("en", "sv", "da", "zh")}[member]:
        assert allowed in response.text


def test_the_settings_choose_the_default(make_client: Any, pipeline: FakePipeline) -> None:
    """Contract section 3: OSTEON_PROFILE and OSTEON_LANGUAGE."""
    make_client(profile="dk", language="da").call(BASE)
    configuration = pipeline.requests[0].configuration
    assert (configuration.profile, configuration.language) == ("dk", "da")
