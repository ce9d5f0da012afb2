"""What must hold of all cards of all cases, whatever the patient."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.engine.linker import load_knowledge
from app.vocabulary import TOPICS
from tests.clinical.cases import Case, all_cases, answer_to
from tests.conftest import Client

PROGNOSIS = re.compile(r"incurable|prognos|survival|life expectancy|palliati|terminal", re.IGNORECASE)
REASSURANCE = re.compile(
    r"(is|are|usually|mostly) (benign|harmless)|cannot (be )?harm|no need to worry|stay active", re.IGNORECASE
)


@pytest.fixture(scope="module")
def answers(osteon: Client) -> list[tuple[Case, dict[str, Any]]]:
    return [(case, answer_to(osteon, case)) for _, case in all_cases()]


def cards(answers: list[tuple[Case, dict[str, Any]]]) -> Iterator[tuple[Case, dict[str, Any], dict[str, Any]]]:
    for case, answer in answers:
        for card in answer["cards"]:
            yield case, card, card["extension"]["osteon.explanation"]


def test_every_statement_that_can_be_cited_is_cited_for_some_patient(answers: list[Any]) -> None:
    cited = {r["id"] for _, _, e in cards(answers) for r in e.get("recommendations", [])}
    rules = load_knowledge().rules.values()
    never = sorted(rule.id for rule in rules if rule.citable and rule.block.default_on and rule.id not in cited)
    assert never == []


def test_only_statements_for_citing_are_cited_each_in_a_role_of_the_profile(answers: list[Any]) -> None:
    knowledge = load_knowledge()
    for case, _, explanation in cards(answers):
        profile = knowledge.profiles[explanation["profile"]].block
        for cited in explanation.get("recommendations", []):
            rule = knowledge.rules[cited["id"]]
            assert rule.citable, (case["id"], cited["id"])
            allowed = {"safety"} if rule.block.safety else set()
            allowed |= {"lead"} if rule.source.id in profile.leads else set()
            allowed |= {"fill"} if rule.source.id in profile.fills else set()
            assert cited["role"] in allowed, (case["id"], cited)


def test_of_the_back_pain_document_only_red_flags_are_cited_and_as_safety(answers: list[Any]) -> None:
    for case, _, explanation in cards(answers):
        for cited in explanation.get("recommendations", []):
            if cited["source"] == "003":
                assert cited["id"].startswith("dk-back-pain.redflag."), case["id"]
                assert cited["role"] == "safety", case["id"]


def test_prognosis_is_never_printed_and_nobody_is_reassured(answers: list[Any]) -> None:
    for case, card, _ in cards(answers):
        text = f"{card['summary']}\n{card.get('detail', '')}"
        assert not PROGNOSIS.search(text), (case["id"], text)
        assert not REASSURANCE.search(text), (case["id"], text)


def test_critical_is_kept_for_spinal_cord_and_cauda_equina(answers: list[Any]) -> None:
    for case, card, explanation in cards(answers):
        if card["indicator"] == "critical":
            assert explanation["advice"] == "emergency-cord-compression", case["id"]


def test_cards_come_most_urgent_first(answers: list[Any]) -> None:
    urgency = ("critical", "warning", "info")
    for case, answer in answers:
        ranks = [
            (urgency.index(card["indicator"]), TOPICS.index(card["source"]["topic"]["code"]))
            for card in answer["cards"]
        ]
        assert ranks == sorted(ranks), case["id"]


def test_one_card_per_piece_of_advice(answers: list[Any]) -> None:
    for case, answer in answers:
        seen = [card["summary"] for card in answer["cards"]]
        assert len(seen) == len(set(seen)), (case["id"], seen)


def test_at_most_one_suggestion_of_a_card_is_recommended_and_blocked_drugs_are_not_offered(answers: list[Any]) -> None:
    for case, card, explanation in cards(answers):
        suggestions = card.get("suggestions", [])
        assert sum(s.get("isRecommended", False) for s in suggestions) <= 1, case["id"]
        blocked = {option["drug"] for option in explanation.get("blockedOptions", [])}
        labels = " ".join(s["label"] for s in suggestions)
        assert not any(re.search(rf"\b{drug}:", labels) for drug in blocked), (case["id"], blocked, labels)


def test_every_number_in_an_option_names_where_it_comes_from(answers: list[Any]) -> None:
    for case, card, _ in cards(answers):
        for line in card.get("detail", "").splitlines():
            if re.search(r"\b\d+ mg (by mouth|intravenously|subcutaneously)", line):
                assert "from Region Uppsala" in line or "from the" in line, (case["id"], line)
