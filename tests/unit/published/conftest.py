from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from app.engine.knowledge import Knowledge, load_knowledge
from app.engine.loader import default_folder
from app.published import PublishedKnowledge

SOURCE = """
id: uppsala
number: "009"
file: guide.txt
language: en
title: A guideline in its own words
short: {en: "Test guideline"}
label: {en: "Test guideline 2026"}
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
  statement: {en: "Measure bone density when weight is low", sv: "Mät bentäthet vid låg vikt"}
  advise: refer-dxa
  safety: true
  at: [chart, orders]
  when: {weight_kg: {below: 55, unit: kg, written: "<55 kg"}}
  unless:
  - {when: under_18, unknown: silent}
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
  text: {en: {summary: "Refer for DXA"}}
orderables:
- id: vfa
  category: imaging
  name: {en: "Vertebral fracture assessment", sv: "Kotfrakturbedömning"}
  codes:
  - {system: "urn:osteon:orderable", code: "vfa", display: "VFA"}
- id: tsh
  category: laboratory
  name: {en: "TSH"}
  codes:
  - {system: "http://loinc.org", code: "3016-3", display: "Thyrotropin"}
"""


@pytest.fixture(scope="session")
def small_knowledge(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    """A guideline of three statements, to be told in full. The folder names are fixed."""
    folder: Path = tmp_path_factory.mktemp("guidelines")
    for name, text in {"uppsala/source": SOURCE, "uppsala/rules": RULES, "advice/advice": ADVICE}.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copy(default_folder() / "advice" / "texts.yaml", folder / "advice" / "texts.yaml")
    return load_knowledge(folder)


@pytest.fixture(scope="session")
def small(small_knowledge: Knowledge) -> PublishedKnowledge:
    return PublishedKnowledge(small_knowledge, started=date(2026, 5, 4))
