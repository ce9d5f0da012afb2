"""Summaries name the action and its most urgent reason, whole (decision 68)."""

from __future__ import annotations

import pytest

from app.cds_hooks.response import SUMMARY_LIMIT
from app.engine.knowledge import Knowledge
from app.engine.linker import load_knowledge
from app.engine.locale import Variant
from app.engine.schema import Use
from app.record_text import shortened

LANGUAGES = ("en", "sv", "da", "zh")
NAME = "x" * 20
"""A name of a drug; longer names of records give way."""


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_fits_whole_into_every_summary_of_its_advice(knowledge: Knowledge, language: str) -> None:
    locale = knowledge.locale(language)
    too_long, seen = [], 0
    for rule in knowledge.rules.values():
        texts = locale.advice.get(rule.block.advise or "")
        reason = locale.statements[rule.id].because if rule.id in locale.statements else ""
        if texts is None or rule.block.use is not Use.CARD:
            continue
        for template in (texts.summary, *(variant.summary for variant in texts.variants.values())):
            data = locale.phrases.missing_data
            line = template.format(because=reason, missing=data, order=NAME, drug=NAME)
            seen += 1
            if len(line) > SUMMARY_LIMIT:
                too_long.append((rule.id, len(line), line))
    assert too_long == []
    assert seen > 250


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_nothing_is_suggested_fits_whole(knowledge: Knowledge, language: str) -> None:
    locale = knowledge.locale(language)
    seen = 0
    for kind in knowledge.advice.values():
        for gate in kind.gates:
            if gate.block.effect != "no-suggestion":
                continue
            seen += 1
            template = locale.advice[kind.id].variants[Variant.NONE_SUGGESTED].summary
            line = template.format(
                because=locale.gate_reasons[gate.block.remark or ""], missing="", order=NAME, drug=NAME
            )
            assert len(line) <= SUMMARY_LIMIT, (kind.id, line)
    assert seen > 20


def test_an_advice_that_can_end_without_a_suggestion_can_say_so(knowledge: Knowledge) -> None:
    texts = knowledge.locale("en").advice
    choosing = {kind.id for kind in knowledge.advice.values() if kind.block.purpose}
    assert len(choosing) >= 7
    for name in choosing:
        assert {Variant.NONE_SUGGESTED, Variant.DATA_FIRST} <= set(texts[name].variants), name
    assert {Variant.NOT_FORBIDDEN, Variant.CORRECTABLE} <= set(texts["do-not-start-drug"].variants)
    assert {name for name in texts if texts[name].variants} >= choosing


def test_the_variants_are_the_same_in_every_language(knowledge: Knowledge) -> None:
    english = knowledge.locale("en").advice
    for language in LANGUAGES[1:]:
        texts = knowledge.locale(language).advice
        assert {name: set(one.variants) for name, one in texts.items()} == {
            name: set(one.variants) for name, one in english.items()
        }


def test_do_not_sign_is_said_only_where_a_source_forbids(knowledge: Knowledge) -> None:
    for language, words in (("en", "Do not sign"), ("sv", "Signera inte"), ("da", "Signér ikke"), ("zh", "请勿签署")):
        texts = knowledge.locale(language).advice["do-not-start-drug"]
        assert texts.summary.startswith(words)
        assert words not in texts.variants[Variant.NOT_FORBIDDEN].summary


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("alendronic acid 70 mg", 30, "alendronic acid 70 mg"),
        ("alendronic acid 70 mg tablet", 22, "alendronic acid 70 mg…"),
        ("阿仑膦酸钠维D3片七十毫克", 8, "阿仑膦酸钠维D…"),
    ],
)
def test_a_long_name_is_shortened(text: str, limit: int, cut: str) -> None:
    assert shortened(text, limit) == cut
    assert len(shortened(text, limit)) <= limit
