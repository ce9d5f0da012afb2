"""What a clinical informatician is told when a guideline file is wrong: file, line, and what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.commands.check import main
from app.engine.criteria import Limit
from app.engine.linker import load_knowledge
from app.engine.loader import GuidelineError
from tests.support.guidelines import write_locales

SOURCE = """
id: uppsala
number: "000"
file: source.txt
language: sv
title: A guideline
dated: unknown
url: https://example.org/
licence: none
"""
RULE = """
recommendations:
- id: uppsala.dxa.example
  source: {lines: [2], quote: "bone density is measured"}
  strength: should
  use: card
  advise: refer-dxa
  when:
    lowest_t_score: {at_most: -2.5, unit: SD, written: "at most -2.5"}
"""
ADVICE = """
advice:
- id: refer-dxa
  topic: dxa-referral
"""


@pytest.fixture
def guidelines(tmp_path: Path) -> Path:
    folder = tmp_path / "guidelines"
    (folder / "uppsala").mkdir(parents=True)
    (folder / "advice").mkdir()
    (folder / "uppsala" / "source.yaml").write_text(SOURCE, encoding="utf-8")
    (folder / "uppsala" / "dxa.yaml").write_text(RULE, encoding="utf-8")
    (folder / "advice" / "advice.yaml").write_text(ADVICE, encoding="utf-8")
    write_locales(
        folder,
        sources={"uppsala": {"short": "A guideline", "label": "A guideline"}},
        statements={"uppsala.dxa.example": {"statement": "Measure bone density."}},
        advice={"refer-dxa": {"summary": "Refer"}},
    )
    return folder


def problems(guidelines: Path) -> str:
    with pytest.raises(GuidelineError) as error:
        load_knowledge(guidelines)
    return str(error.value)


def change(guidelines: Path, old: str, new: str) -> None:
    path = guidelines / "uppsala" / "dxa.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_right_files_load(guidelines: Path) -> None:
    knowledge = load_knowledge(guidelines)
    assert list(knowledge.rules) == ["uppsala.dxa.example"]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("lowest_t_score", "lowest_t_scor", 9, "lowest_t_score"),
        ("unit: SD", "unit: g", 9, "write unit: SD"),
        ("advise: refer-dxa", "advise: refer-dxaa", 7, "did you mean refer-dxa"),
        ("strength: should", "strenght: should", 5, "did you mean strength"),
        ("strength: should", "strength: maybe", 5, "strength"),
        ("use: card", "use: card\n  use: card", 7, "use"),
        ("  when:", "  topic: dxa\n  when:", 8, "did you mean dxa-referral"),
        ("  when:", "  ask: [dental]\n  when:", 8, "dental"),
        ("uppsala.dxa.example", "msd.dxa.example", 3, "begin with uppsala."),
        ("use: card", "use: card\n  statement: Measure.", 7, "unknown key 'statement'"),
    ],
)
def test_a_mistake_has_file_line_and_what_was_meant(
    guidelines: Path, old: str, new: str, line: int, message: str
) -> None:
    change(guidelines, old, new)
    found = problems(guidelines)
    assert f"guidelines/uppsala/dxa.yaml:{line}:" in found
    assert message in found


LIMIT = 'written: "at most -2.5"'


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("reviewed", "2026-02-30x", "the day on which a person checked the limit"),
        ("reviewed", "2026", "the day on which a person checked the limit"),
        ("from", "last year", "the date from which the limit holds"),
    ],
)
def test_a_review_of_a_limit_has_a_date(guidelines: Path, key: str, value: str, message: str) -> None:
    change(guidelines, LIMIT, f'{LIMIT}, {key}: "{value}"')
    assert message in problems(guidelines)


def test_a_limit_says_when_it_was_reviewed_and_from_when_it_holds(guidelines: Path) -> None:
    change(guidelines, LIMIT, f'{LIMIT}, reviewed: "2026-11-30", from: "2023-09"')
    (limit,) = load_knowledge(guidelines).rules["uppsala.dxa.example"].when.leaves()
    assert isinstance(limit, Limit)
    assert (limit.reviewed, limit.since) == ("2026-11-30", "2023-09")


def test_all_mistakes_are_told_at_once(guidelines: Path) -> None:
    change(guidelines, "advise: refer-dxa", "advise: nothing")
    change(guidelines, "unit: SD", "unit: g")
    assert len(problems(guidelines).splitlines()) == 2


def test_a_statement_that_is_not_cited_says_why(guidelines: Path) -> None:
    change(guidelines, "use: card", "use: logic")
    assert "needs a reason" in problems(guidelines)


def test_check_looks_each_quote_up_in_the_source(
    guidelines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "source.txt").write_text("title\nbone  density is\n measured\n", encoding="utf-8")
    arguments = ["--guidelines", str(guidelines), "--sources", str(sources)]
    assert main(arguments) == 1
    assert "uppsala/dxa.yaml:3: uppsala.dxa.example: not in lines 2-2" in capsys.readouterr().out
    change(guidelines, "lines: [2]", "lines: [2, 3]")
    load_knowledge.cache_clear()
    assert main(arguments) == 0
