"""Links of cards to the pages of their statements (contract: type absolute, no patient data in the address)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from app.browser import GuidelinePages
from app.cards.render import MAX_LINKS
from app.pipeline import build_pipeline
from app.settings import Settings
from app.vocabulary import Language
from tests.clinical.cases import TODAY, all_cases, answer_to
from tests.conftest import Client

BASE = "https://cds.example.org/osteon"


@cache
def client(base: str | None) -> Client:
    from app.main import create_app

    pipeline = build_pipeline(Settings.model_construct())
    with_base = replace(pipeline, settings=pipeline.settings.model_copy(update={"public_base_url": base}))
    return Client(create_app(pipeline=with_base, today=lambda: TODAY, self_test=lambda: None))


def cards(base: str | None, step: int = 12) -> list[dict[str, Any]]:
    """The cards of every `step`th case."""
    return [card for _, case in all_cases()[::step] for card in answer_to(client(base), case)["cards"]]


def test_without_a_public_address_there_is_no_link() -> None:
    assert [card for card in cards(None, 40) if "links" in card] == []


def test_each_card_links_to_pages_that_exist_of_statements_that_it_cites() -> None:
    pages = GuidelinePages(build_pipeline(Settings.model_construct()).knowledge)
    found = cards(BASE)
    assert len(found) > 50
    linked = 0
    for card in found:
        cited = {one["id"]: one for one in card["extension"]["osteon.explanation"].get("recommendations", ())}
        links = card.get("links", [])
        assert bool(links) == bool(cited)
        assert len(links) <= MAX_LINKS
        assert len({link["url"] for link in links}) == len(links)
        for link in links:
            assert link["type"] == "absolute"
            assert link["label"].strip()
            assert set(link) == {"label", "url", "type"}
            source, statement = link["url"].removeprefix(f"{BASE}/guidelines/").split("/")
            assert statement in cited
            assert pages.statement(source, statement) is not None
            linked += 1
    assert linked > len(found)


def test_an_address_holds_nothing_of_the_patient() -> None:
    """The same statement has the same address for every patient, and labels are those of the guideline."""
    addresses: dict[str, set[str]] = {}
    for card in cards(BASE):
        for link in card.get("links", []):
            addresses.setdefault(link["url"], set()).add(link["label"])
            assert "?" not in link["url"]
            assert "#" not in link["url"]
    assert all(len(labels) == 1 for labels in addresses.values())


@pytest.mark.parametrize("language", list(Language))
def test_labels_are_in_the_language_of_the_card(language: Language) -> None:
    case = next(case for _, case in all_cases() if case["id"] == "uppsala-dxa-wrist")
    from app.cases.builder import SERVICE, Builder

    request = Builder(case, TODAY).request()
    request["extension"]["osteon.configuration"]["language"] = language.value
    answer = client(BASE).post(f"/cds-services/{SERVICE['patient-view']}", json=request).json()
    labels = [link["label"] for card in answer["cards"] for link in card["links"]]
    short = build_pipeline(Settings.model_construct()).knowledge.locale(language).sources["uppsala"].short
    assert any(label.startswith(short) for label in labels), labels
