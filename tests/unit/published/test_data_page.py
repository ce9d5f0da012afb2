"""The page of what is read is in step with the code sets."""

from __future__ import annotations

from pathlib import Path

from app.docgen import data as data_page
from app.terminology.code_sets import terminology

PAGE = Path(__file__).parents[3] / "docs" / "data.md"


def test_the_page_is_in_step() -> None:
    assert PAGE.read_text(encoding="utf-8") == data_page.page(), "run: python -m app.docgen.data docs/data.md"


def test_every_concept_is_on_the_page() -> None:
    page = data_page.page()
    assert all(f"| {concept} |" in page for concept in terminology().groups)
