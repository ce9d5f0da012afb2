"""The answer: what a card may look like. The cards of real guidelines are checked in the clinical tests."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from app.api.openapi.schemas import component_schemas
from app.cds_hooks.feedback import OVERRIDE_REASONS
from app.cds_hooks.response import (
    SUMMARY_LIMIT,
    Action,
    ActionType,
    Card,
    Coding,
    HookAnswer,
    Indicator,
    Link,
    LinkType,
    Source,
    Suggestion,
    fit_summary,
)
from tests.conftest import Client, ClientMaker
from tests.support.calls import patient_view
from tests.support.fake import FakePipeline, constant_card

SOURCE = Source("A guideline")


def card(**members: Any) -> Card:
    return Card(**{"summary": "Refer for DXA", "indicator": Indicator.INFO, "source": SOURCE, **members})


def conforms(answer: Any, name: str) -> None:
    """The value fits the published schema of that name."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": component_schemas()}}
    jsonschema.validate(answer, schema, cls=jsonschema.Draft202012Validator)


def test_success_is_200_with_cards(client: Client) -> None:
    """RESP-1, JSON-1, CARD-2, CARD-3, CARD-6, SUG-1, SUG-2, SUG-3, SUG-4, ACT-1, ACT-2, ACT-3: a complete card."""
    response = client.call(patient_view())
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    conforms(response.json(), "Cards")


class Silent:
    """Has nothing to advise."""

    def answer(self, request: Any, *, today: date) -> HookAnswer:
        return HookAnswer(extension={"osteon.explanation": {"missing": [], "notUsed": [{"reason": "unreadable"}]}})


def test_no_advice_is_an_empty_list(make_client: ClientMaker) -> None:
    """RESP-2, JSON-3: cards stands even when it is empty; nothing else does."""
    response = make_client(pipeline=Silent()).call(patient_view())
    assert response.status_code == 200
    assert response.json() == {
        "cards": [],
        "extension": {"osteon.explanation": {"notUsed": [{"reason": "unreadable"}]}},
    }


def test_null_and_empty_members_are_left_out() -> None:
    """JSON-2, JSON-3, EXT-1: at every depth; false and zero stay."""
    extension = {
        "a": None,
        "b": "",
        "c": [],
        "d": {},
        "e": [None, {}, {"f": []}],
        "g": False,
        "h": 0,
        "i": Decimal("2.50"),
    }
    written = card(extension=extension, detail=" ", links=()).to_json()
    assert written["extension"] == {"g": False, "h": 0, "i": 2.5}
    assert set(written) == {"uuid", "summary", "indicator", "source", "extension"}
    assert "extension" not in card(extension={"a": []}).to_json()


def test_summary_limit_counts_code_points() -> None:
    """CARD-1: 139 is the most, whatever the script."""
    assert card(summary="骨" * SUMMARY_LIMIT).summary
    with pytest.raises(ValueError, match="longer"):
        card(summary="x" * (SUMMARY_LIMIT + 1))
    with pytest.raises(ValueError, match="empty"):
        card(summary="  ")
    with pytest.raises(ValueError, match="one line"):
        card(summary="a\nb")


@pytest.mark.parametrize("text", ["word " * 60, "骨" * 300, "x" * 140, "short", "two\nlines"])
def test_long_summaries_are_cut_at_a_word(text: str) -> None:
    """CARD-1: what is cut says so."""
    fitted = fit_summary(text)
    assert len(fitted) <= SUMMARY_LIMIT
    assert fitted == " ".join(text.split()) or fitted.endswith("…")
    assert not fitted.removesuffix("…").endswith(" ")


def test_ids_are_uuids_and_new_for_each_answer(client: Client) -> None:
    """CARD-5, SUG-2: of cards and suggestions."""
    cards = [client.call(patient_view()).json()["cards"][0] for _ in range(2)]
    found = [uuid.UUID(item["uuid"]) for card in cards for item in (card, *card["suggestions"])]
    assert len(set(found)) == 4


def test_suggestions_exclude_each_other() -> None:
    """CARD-6, CARD-7, SUG-5: at-most-one, exactly where there are suggestions."""
    with_suggestion = card(suggestions=(Suggestion("Do it"),)).to_json()
    assert with_suggestion["selectionBehavior"] == "at-most-one"
    assert "selectionBehavior" not in card().to_json()
    assert "actionSelectionBehavior" not in str(with_suggestion)


def test_at_most_one_suggestion_is_recommended() -> None:
    """CARD-8, SUG-3: a second one is refused when the card is built."""
    one, two = Suggestion("A", is_recommended=True), Suggestion("B", is_recommended=True)
    assert card(suggestions=(one, replace(two, is_recommended=False)))
    with pytest.raises(ValueError, match="recommended"):
        card(suggestions=(one, two))


def test_override_reasons_have_a_display() -> None:
    """CARD-9, OVR-1: a Coding with code, system and text; the standard set is stable."""
    assert card(override_reasons=OVERRIDE_REASONS).to_json()["overrideReasons"][0] == {
        "code": "action-completed",
        "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
        "display": "Already done",
    }
    with pytest.raises(ValueError, match="display"):
        card(override_reasons=(Coding("a", "urn:x"),))


def test_sources_are_complete() -> None:
    """CARD-3, SRC-1, SRC-2, SRC-3: label, absolute addresses, topic with system."""
    with pytest.raises(ValueError, match="label"):
        Source(" ")
    for member in ("url", "icon"):
        with pytest.raises(ValueError, match="absolute"):
            Source("x", **{member: "/relative"})
    with pytest.raises(ValueError, match="system"):
        Coding("dxa-referral", "")


@pytest.mark.parametrize(
    "members",
    [
        {"type": ActionType.CREATE},
        {"type": ActionType.UPDATE, "resource": {}},
        {"type": ActionType.CREATE, "resource": {"resourceType": "Task"}, "resource_id": "Task/1"},
        {"type": ActionType.DELETE, "resource": {"resourceType": "Task"}},
        {"type": ActionType.DELETE},
    ],
)
def test_actions_carry_what_their_type_needs(members: Any) -> None:
    """ACT-1, ACT-3, ACT-4, ACT-5: resource for create and update, resourceId for delete."""
    with pytest.raises(ValueError, match="action"):
        Action(description="x", **members)


def test_actions_are_described() -> None:
    """ACT-2: always."""
    with pytest.raises(ValueError, match="description"):
        Action(ActionType.CREATE, " ", {"resourceType": "Task"})


def test_links_are_absolute_and_only_smart_ones_have_a_context() -> None:
    """LINK-1, LINK-2, LINK-3: no autolaunch."""
    smart = Link("App", "https://app.test/launch", LinkType.SMART, "context").to_json()
    assert smart == {"label": "App", "url": "https://app.test/launch", "type": "smart", "appContext": "context"}
    with pytest.raises(ValueError, match="SMART"):
        Link("Page", "https://page.test", app_context="context")
    with pytest.raises(ValueError, match="absolute"):
        Link("Page", "page")


def test_there_are_no_system_actions(client: Client) -> None:
    """SYS-1, SYS-2: they would bypass the clinician; nobody has agreed to them."""
    assert set(client.call(patient_view()).json()) == {"cards"}


def test_values_of_the_logic_become_json() -> None:
    """JSON-1: dates, decimals, sets and words of enumerations; what is no JSON value is a fault."""
    extension = {"day": date(2026, 5, 1), "dose": Decimal("10.0"), "names": {"b", "a"}, "word": Indicator.INFO}
    written = card(extension=extension).to_json()["extension"]
    assert written == {"day": "2026-05-01", "dose": 10, "names": ["a", "b"], "word": "info"}
    with pytest.raises(TypeError):
        card(extension={"x": object()}).to_json()


def test_the_fake_of_these_tests_is_a_valid_card(pipeline: FakePipeline) -> None:
    """CARD-2: the constant card fits the published schema."""
    conforms(constant_card().to_json(), "Card")
