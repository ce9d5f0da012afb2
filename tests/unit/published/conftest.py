from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from app.engine.knowledge import Knowledge
from app.engine.linker import load_knowledge
from app.published import PublishedKnowledge
from tests.support.guidelines import write_locales

SOURCE = """
id: uppsala
number: "009"
file: guide.txt
language: en
title: A guideline in its own words
dated: "2026"
url: "https://guideline.example.org/x"
licence: "short quotations only"
"""
RULES = """
recommendations:
- id: uppsala.dxa.low-weight
  source: {lines: [12, 14], quote: ["low weight", "measure density"]}
  strength: should
  grade: 1B
  use: card
  advise: refer-dxa
  safety: true
  at: [chart, orders]
  when: {weight_kg: {below: 55, unit: kg, written: "<55 kg"}}
  unless:
  - {when: under_18, unknown: silent}
"""
NOT_USED = """
recommendations:
- id: uppsala.logic.always
  source: {lines: [20], quote: ["in all patients"]}
  strength: fact
  use: logic
  reason: used by the criterion above
- id: uppsala.text.words
  source: {lines: [30], quote: ["words"]}
  strength: fact
  use: text
  reason: wording of a card
"""
ADVICE = """
advice:
- id: refer-dxa
  topic: dxa-referral
orderables:
- id: vfa
  category: imaging
  codes:
  - {system: "urn:osteon:orderable", code: "vfa", display: "VFA"}
- id: tsh
  category: laboratory
  codes:
  - {system: "http://loinc.org", code: "3016-3", display: "Thyrotropin"}
"""


@pytest.fixture(scope="session")
def small_knowledge(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    """A guideline of three statements, to be told in full. The folder names are fixed."""
    folder: Path = tmp_path_factory.mktemp("guidelines")
    files = {"source": SOURCE, "dxa": RULES, "not-used": NOT_USED}
    for name, text in {**{f"uppsala/{stem}": text for stem, text in files.items()}, "advice/advice": ADVICE}.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    write_locales(
        folder,
        sources={"uppsala": {"short": "Test guideline", "label": "Test guideline 2026"}},
        statements={"uppsala.dxa.low-weight": {"statement": "Measure bone density when weight is low"}},
        advice={"refer-dxa": {"summary": "Refer for DXA"}},
        orderables={"vfa": {"name": "Vertebral fracture assessment"}, "tsh": {"name": "TSH"}},
    )
    swedish = folder / "locales" / "sv.yaml"
    swedish.write_text(swedish.read_text().replace("Vertebral fracture assessment", "Kotfrakturbedömning"))
    return load_knowledge(folder)


@pytest.fixture(scope="session")
def small(small_knowledge: Knowledge) -> PublishedKnowledge:
    return PublishedKnowledge(small_knowledge, started=date(2026, 5, 4))
