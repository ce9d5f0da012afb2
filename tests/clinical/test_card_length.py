"""Limits of decision 69 over all clinical cases, in every language: a card is read in a first screen."""

from __future__ import annotations

from statistics import median

import pytest

from app.cards.length import CARD_WORDS, FIRST_SCREEN_CHARACTERS, FIRST_SCREEN_WORDS, WordCount, count_words, words_in
from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import read_request
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from tests.bench.card_length import TREATMENT, Length, length_of, of_cases
from tests.support.wire import call

USUAL_TREATMENT_CARD = 150


@pytest.fixture(scope="module")
def pipeline() -> OsteonPipeline:
    return build_pipeline(Settings())


@pytest.mark.parametrize("language", ["en", "sv", "da", "zh"])
def test_details_are_short(pipeline: OsteonPipeline, language: str) -> None:
    services = {service.id: service for service in SERVICES}
    phrases = pipeline.knowledge.locale(language).phrases
    lengths: list[Length] = []
    for name, body, today in of_cases(pipeline, language):
        service, _, case = name.partition(" ")
        answer = pipeline.answer(read_request(call(body), services[service]), today=today)
        lengths += [length_of(case, card.to_json(), phrases) for card in answer.cards]
    assert len(lengths) > 1000
    long_screens = [
        one for one in lengths if one.first_words > FIRST_SCREEN_WORDS or one.first_characters > FIRST_SCREEN_CHARACTERS
    ]
    assert long_screens == []
    assert [one for one in lengths if one.words > CARD_WORDS] == []
    assert median(one.words for one in lengths if one.topic in TREATMENT) <= USUAL_TREATMENT_CARD


def test_words_are_counted_as_a_reader_counts_them() -> None:
    assert words_in("**Why** - T-score: -2.8 SD (2026-07-25)") == 5
    assert words_in("骨密度检测") == 3
    assert words_in("- ; ()") == 0


def test_the_words_of_lines_add_up_to_those_of_the_text() -> None:
    """A screen is measured line by line; Chinese characters are halved once, for the whole text."""
    lines = ["**Why**", "- T-score -2.7 (2026-05-01)", "骨密度检查", "- 唑来膦酸 5 mg", "**无**"]
    counts = [count_words(line) for line in lines]
    together = WordCount(sum(one.words for one in counts), sum(one.han for one in counts))
    assert together.in_words == words_in("\n\n".join(lines)) == 6 + 5
