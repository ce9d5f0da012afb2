"""The version of a statement changes with everything that it says or does, and with nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.engine.linker import load_knowledge
from app.engine.loader import default_folder
from app.engine.statement_record import versions

NAME = "uppsala.dxa.glucocorticoids"
Edit = Callable[[str], str]


@pytest.fixture(scope="module")
def shipped() -> dict[str, str]:
    return dict(versions(load_knowledge()))


def changed_versions(tmp_path: Path, shipped: dict[str, str], file: str, edit: Edit) -> set[str]:
    folder = tmp_path / "guidelines"
    shutil.copytree(default_folder(), folder)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert edit(text) != text, "the edit finds its place"
    path.write_text(edit(text), encoding="utf-8")
    new = versions(load_knowledge(folder))
    return {name for name in new if new[name] != shipped[name]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('i mer än tre månader."', 'i mer än tre hela månader."'),
        ("dose: {at_least: 7.5,", "dose: {at_least: 7.6,"),
        ("dxa_since.takes.glucocorticoid, unknown: ask", "dxa_since.takes.glucocorticoid, unknown: block"),
        ("[glucocorticoid_average_dose, glucocorticoid_months]", "[glucocorticoid_months]"),
    ],
    ids=["quotation", "limit", "unknown", "asks"],
)
def test_what_a_statement_says_or_does_is_its_version(
    tmp_path: Path, shipped: dict[str, str], old: str, new: str
) -> None:
    changed = changed_versions(tmp_path, shipped, "uppsala/dxa.yaml", lambda text: text.replace(old, new, 1))
    assert changed == {NAME}


def test_a_named_criterion_is_part_of_every_statement_that_uses_it(tmp_path: Path, shipped: dict[str, str]) -> None:
    changed = changed_versions(
        tmp_path,
        shipped,
        "uppsala/criteria.yaml",
        lambda text: text.replace("count.typical: {at_least: 2", "count.typical: {at_least: 3"),
    )
    assert NAME in changed
    assert all(name.startswith("uppsala.") for name in changed)
    assert len(changed) < len([name for name in shipped if name.startswith("uppsala.")])


def test_comments_notes_and_the_place_in_the_file_are_not(tmp_path: Path, shipped: dict[str, str]) -> None:
    def edit(text: str) -> str:
        noted = text.replace("  - id: uppsala.dxa.glucocorticoids\n", f"  - id: {NAME}\n    note: another remark\n")
        return "# a comment\n\n" + noted

    assert changed_versions(tmp_path, shipped, "uppsala/dxa.yaml", edit) == set()
