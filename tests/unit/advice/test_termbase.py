"""One term per concept and language (`docs/termbase.yaml`), and no statement worded more strongly than its source."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.engine.linker import load_knowledge
from app.engine.schema import Strength
from tests.unit.advice.test_languages import LANGUAGES, texts_of

TERMBASE: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parents[3] / "docs" / "termbase.yaml").read_text(encoding="utf-8")
)
STRONG = {
    "en": r"\b(must|shall|should|recommend\w*)\b",
    "sv": r"\b(måste|skall|bör|rekommender\w*)\b",
    "da": r"\b(må ikke|bør|anbefal\w*)\b",
    "zh": r"必须|应当|应(?!用)|推荐",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_use_the_terms_of_the_termbase(language: str) -> None:
    texts = [(where, said[language]) for where, said in texts_of(load_knowledge())]
    assert len(texts) > 1000
    assert set(TERMBASE) == set(LANGUAGES)
    found = [
        (where, concept, entry["use"])
        for concept, entry in TERMBASE[language].items()
        for pattern in entry["not"]
        for where, text in texts
        if re.search(pattern, text)
    ]
    assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_suggestion_is_not_worded_as_a_recommendation(language: str) -> None:
    knowledge = load_knowledge()
    locale = knowledge.locale(language)
    suggested = [r for r in knowledge.rules.values() if r.block.strength is Strength.SUGGESTED and r.citable]
    assert len(suggested) > 12
    worded = {rule.id: locale.statements[rule.id].statement for rule in suggested}
    assert {name: text for name, text in worded.items() if re.search(STRONG[language], text)} == {}
    assert not re.search(STRONG[language], locale.strengths["suggested"])
