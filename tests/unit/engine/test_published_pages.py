"""Pages that are generated from the guideline files are in step with them."""

from __future__ import annotations

from pathlib import Path

import yaml

from app.docgen import coverage
from app.docgen import guideline_schema as jsonschema
from app.engine.linker import load_knowledge
from app.engine.loader import default_folder

ROOT = Path(__file__).parents[3]


def test_the_coverage_table_is_in_step() -> None:
    committed = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    assert committed == coverage.page(load_knowledge()), "run: python -m app.docgen.coverage docs/coverage.md"


def test_the_schemas_for_editors_are_in_step(tmp_path: Path) -> None:
    names = (
        "guideline.schema.json",
        "drug.schema.json",
        "locale.schema.json",
        "overlay.schema.json",
        "review.schema.json",
    )
    jsonschema.main([str(tmp_path / name) for name in names])
    for name in names:
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == (tmp_path / name).read_text(encoding="utf-8"), (
            "run: make pages"
        )


def test_every_guideline_file_is_valid_by_the_schema_for_editors() -> None:
    import jsonschema as validator

    made = (jsonschema.drug_schema(), jsonschema.locale_schema(), jsonschema.schema())
    drug, locale, guideline = (validator.Draft202012Validator(schema) for schema in made)
    checkers = {"drugs": drug, "locales": locale}
    for path in default_folder().glob("*/*.yaml"):
        if path.name == "source.yaml" or path.parent.name == "concepts":
            continue
        checker = checkers.get(path.parent.name, guideline)
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert [error.message for error in checker.iter_errors(content)] == [], path


def test_every_statement_of_the_sources_is_in_the_table() -> None:
    page = coverage.page(load_knowledge())
    assert all(f"`{name}`" in page for name in load_knowledge().rules)
