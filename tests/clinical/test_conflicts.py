"""docs/conflicts.md is complete: every row has cases that exist, or a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.engine.linker import load_knowledge
from tests.clinical.cases import FOLDER, all_cases
from tests.support.open_rows import open_decisions

PAGE = Path(__file__).parents[2] / "docs" / "conflicts.md"
SOURCES = Path(__file__).parents[3] / "shared" / "sources"
ROW = re.compile(r"^\| ([ACD]?\d+b?) \|(?:.*\|)? ([^|]+) \|$", re.MULTILINE)
COUNTS = {"": 50, "A": 35, "C": 44}
DECISIONS = {str(number) for number in range(1, 70)} | {"7b", "13b"}


def rows() -> dict[str, str]:
    """The rows of the page: id and last column."""
    return dict(ROW.findall(PAGE.read_text(encoding="utf-8")))


def test_the_page_has_all_rows_once() -> None:
    found = [row for row, _ in ROW.findall(PAGE.read_text(encoding="utf-8"))]
    assert len(found) == len(set(found))
    counts = {kind: sum(re.fullmatch(rf"{kind}\d+b?", row) is not None for row in found) for kind in COUNTS}
    assert counts == COUNTS
    decisions = {row[1:] for row in found if row.startswith("D")}
    assert DECISIONS - decisions == open_decisions(), "a decision has a row, or is listed in open-rows.yaml, not both"
    assert decisions <= DECISIONS


def test_an_open_decision_has_no_case() -> None:
    """A case that names a decision shows it: then it has a row here and is no longer open."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*/*.yaml"))}
    assert texts
    shown = {number for text in texts.values() for number in re.findall(r"[Dd]ecisions? (\d+b?)", text)}
    assert shown, "no case names a decision: is the pattern still right?"
    assert sorted(shown & open_decisions()) == [], "add a row to docs/conflicts.md and delete it from open-rows.yaml"


def test_every_row_names_cases_or_tables_that_exist_or_says_why_it_cannot_occur() -> None:
    known = {case["id"] for _, case in all_cases()}
    for row, text in rows().items():
        named = re.findall(r"`([^`]+)`", text)
        assert text.startswith("cannot occur: ") or named, row
        tables = {name for name in named if "/" in name and (PAGE.parents[1] / name).is_file()}
        assert [name for name in named if name not in known | tables] == [], row


def test_every_case_of_the_conflicts_stands_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    mine = [case["id"] for file, case in all_cases() if file.startswith("conflicts/")]
    assert mine
    assert [name for name in mine if f"`{name}`" not in text] == []


@pytest.mark.shared
@pytest.mark.skipif(not SOURCES.is_dir(), reason="../shared is not there")
def test_the_rows_are_those_of_the_shared_documents() -> None:
    first = (SOURCES / "conflicts-000-001.md").read_text(encoding="utf-8")
    second = (SOURCES / "conflicts-002-003-004.md").read_text(encoding="utf-8")
    decisions = (SOURCES / "decisions.md").read_text(encoding="utf-8")
    wanted = set(re.findall(r"^\| (\d{1,2}) \|", first, re.MULTILINE)) | set(
        re.findall(r"^\| (A\d+) \|", first, re.MULTILINE)
    )
    wanted |= set(re.findall(r"^\| (C\d+) \|", second, re.MULTILINE))
    wanted |= {f"D{row}" for row in re.findall(r"^\| (\d+b?) \|", decisions, re.MULTILINE)}
    assert set(rows()) | {f"D{row}" for row in open_decisions()} == wanted


def test_dxa_is_never_asked_for_because_of_002_003_or_004() -> None:
    asking = [
        rule.id
        for rule in load_knowledge().rules.values()
        if rule.source.number in {"002", "003", "004"}
        and rule.citable
        and rule.block.default_on
        and ({rule.block.advise, *rule.block.rides_on} & {"refer-dxa", "repeat-dxa"} or "dxa" in rule.block.tests)
    ]
    assert asking == []


def test_exercise_sun_and_diet_of_004_are_off_by_default() -> None:
    rules = load_knowledge().rules
    for name in (
        "sunlight",
        "balanced-diet-protein",
        "exercise-volume",
        "weight-bearing-exercise",
        "avoid-bending-twisting",
    ):
        assert rules[f"cn-elderly.lifestyle.{name}"].block.default_on is False
