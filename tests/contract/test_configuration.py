"""What a call is answered with: request, path, client, Accept-Language, setting, in this order (contract, 3)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.api.path_defaults import preferences_of
from app.api.trust.middleware import audiences
from app.api.trust.settings import ClientDefaults, TrustedClient
from app.cds_hooks.configuration import (
    OPTIONAL_TOPICS,
    Configuration,
    Preferences,
    configuration_of,
)
from app.cds_hooks.errors import MalformedRequest
from app.engine.knowledge import UnusableSetting
from app.engine.linker import load_knowledge
from app.profiles import profile_ids
from app.settings import Settings
from app.vocabulary import TOPICS, Language
from tests.conftest import Client
from tests.support import calls
from tests.support.fake import FakePipeline

OSTEON, CRD = "osteon.configuration", "davinci-crd.configuration"


@pytest.mark.parametrize(
    ("path", "profile", "language"),
    [
        ("/cds-services", "intl", "en"),
        ("/se/cds-services", "se", "en"),
        ("/sv/cds-services", "intl", "sv"),
        ("/se/sv/cds-services", "se", "sv"),
        ("/dk/da/cds-services", "dk", "da"),
        ("/cn/zh/cds-services", "cn", "zh"),
    ],
)
def test_the_path_chooses_profile_and_language(
    client: Client, pipeline: FakePipeline, path: str, profile: str, language: str
) -> None:
    response = client.post(f"{path}/{calls.PATIENT_VIEW}", json=calls.patient_view())
    assert response.status_code == 200, response.text
    configuration = pipeline.requests[0].configuration
    assert (configuration.profile, configuration.language) == (profile, language)
    assert response.headers["content-language"] == language
    assert response.headers["vary"] == "Accept-Language"
    discovered = client.get(path).json()
    assert [service["id"] for service in discovered["services"]] == [
        service["id"] for service in client.get("/cds-services").json()["services"]
    ]


@pytest.mark.parametrize(
    "path", ["/xx/cds-services", "/sv/se/cds-services", "/se/se/cds-services", "/se/sv/x/cds-services"]
)
def test_another_path_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(f"{path}/{calls.PATIENT_VIEW}", json=calls.patient_view()).status_code == 404


def test_feedback_goes_to_the_same_path(client: Client) -> None:
    body = calls.example("feedback.request")
    assert client.post(f"/se/sv/cds-services/{calls.PATIENT_VIEW}/feedback", json=body).status_code == 200


def test_the_audience_of_a_token_is_the_address_that_is_called() -> None:
    """JWT-5: with the part of the path that chooses."""
    assert audiences("https://x.test", "/cds-services/a/feedback", "/se/sv") == (
        "https://x.test/se/sv/cds-services/a/feedback",
        "https://x.test/se/sv/cds-services/a",
    )
    assert preferences_of("/se/sv/cds-services/a", profile_ids()) == ("/se/sv", Preferences("se", Language.SV))
    assert preferences_of("/cds-services/se/cds-services", profile_ids()) == ("", Preferences())


PATH, CALLER = Preferences("dk", Language.DA), Preferences("cn", Language.ZH)


@pytest.mark.parametrize(
    ("asked", "preferences", "header", "expected"),
    [
        ({"profile": "se", "language": "sv"}, (PATH, CALLER), "zh", ("se", "sv")),
        ({}, (PATH, CALLER), "sv", ("dk", "da")),
        ({}, (CALLER,), "sv", ("cn", "zh")),
        ({}, (Preferences("se"),), "sv", ("se", "sv")),
        ({}, (), "sv", ("intl", "sv")),
        ({}, (), "xx", ("intl", "en")),
        ({"profile": "se"}, (Preferences(language=Language.DA), CALLER), None, ("se", "da")),
    ],
)
def test_the_order(asked: Any, preferences: Any, header: str | None, expected: tuple[str, str]) -> None:
    found = configuration_of({OSTEON: asked}, default=Configuration(), preferences=preferences, accept_language=header)
    assert (found.profile, found.language) == expected


def test_a_client_has_defaults_by_tenant() -> None:
    defaults = (
        ClientDefaults(profile="se", timezone="Europe/Stockholm", disabled_recommendations=("a.b",)),
        ClientDefaults(tenant="north", language="da"),
    )
    ehr = TrustedClient(iss="https://ehr.test", jku=("https://ehr.test/jwks",), defaults=defaults)
    assert ehr.preferences("south") == Preferences("se", switched=frozenset({"a.b"}), timezone="Europe/Stockholm")
    assert ehr.preferences("north") == Preferences(language=Language.DA)
    assert TrustedClient(iss="x", jku=("https://ehr.test/jwks",)).preferences(None) == Preferences()


@pytest.mark.parametrize(
    "defaults",
    [[{"profile": "xx"}], [{"language": "fr"}], [{"timezone": "Europe/Uppsala"}], [{}, {}], [{"colour": "red"}]],
)
def test_wrong_defaults_are_refused(defaults: Any) -> None:
    with pytest.raises(ValueError, match="defaults"):
        TrustedClient(iss="x", jku=("https://ehr.test/jwks",), defaults=defaults)


@pytest.mark.parametrize("name", [OSTEON, CRD])
def test_options_in_the_shape_of_crd(name: str) -> None:
    """Da Vinci CRD, configuration options: flat members of the extension, unknown ones ignored."""
    asked = {name: {"max-cards": 3, "lifestyle-falls": False, "monitoring": True, "coverage": "x"}}
    found = configuration_of(asked, default=Configuration())
    assert (found.max_cards, found.topics_off) == (3, {"lifestyle-falls"})


@pytest.mark.parametrize("value", [{"max-cards": 0}, {"max-cards": "3"}, {"max-cards": True}, {"treatment": "no"}])
def test_a_wrong_option_is_400(value: Any) -> None:
    with pytest.raises(MalformedRequest):
        configuration_of({OSTEON: value}, default=Configuration())


def test_safety_cannot_be_turned_off() -> None:
    assert set(TOPICS) - set(OPTIONAL_TOPICS) == {"red-flag", "drug-safety"}
    assert configuration_of({OSTEON: {"drug-safety": False}}, default=Configuration()).topics_off == frozenset()


def test_discovery_publishes_the_options(client: Client) -> None:
    for service in client.get("/cds-services").json()["services"]:
        options = {one["code"]: one for one in service["extension"]["davinci-crd.configuration-options"]}
        assert options["max-cards"]["type"] == "integer"
        assert set(options) == {"max-cards", *OPTIONAL_TOPICS}
        assert all(one["type"] == "boolean" and one["default"] for name, one in options.items() if name != "max-cards")
        assert all(one["name"].strip() and one["description"].strip() for one in options.values())


def test_profiles_come_from_their_file_alone() -> None:
    """A profile of guidelines/profiles.yaml can be set, stand in a path, and be asked for; another one cannot."""
    for name in profile_ids():
        assert Settings(profile=name).profile == name
        assert preferences_of(f"/{name}/cds-services", profile_ids()) == (f"/{name}", Preferences(name))
        assert configuration_of({OSTEON: {"profile": name}}, default=Configuration()).profile == name


def test_an_unknown_profile_stops_the_start() -> None:
    with pytest.raises(
        ValidationError, match="OSTEON_PROFILE is one of intl, se, dk, cn, not 'int', did you mean intl"
    ):
        Settings(profile="int")
    with pytest.raises(UnusableSetting, match="OSTEON_TRUSTED_CLIENTS: no profile 'no'"):
        load_knowledge().check_profile("no", "OSTEON_TRUSTED_CLIENTS")
    load_knowledge().check_profile("se", "OSTEON_TRUSTED_CLIENTS")
    load_knowledge().check_profile(None, "OSTEON_TRUSTED_CLIENTS")
