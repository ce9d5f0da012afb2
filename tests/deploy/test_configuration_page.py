"""docs/configuration.md is what the settings classes say."""

from __future__ import annotations

import re

import pytest

from app.docgen import settings as settings_doc
from app.settings import Settings
from tests.deploy.conftest import ROOT


def test_the_page_is_in_step_with_the_settings() -> None:
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert written == settings_doc.page(), "run: python -m app.docgen.settings > docs/configuration.md"


def test_every_setting_is_on_the_page_once() -> None:
    rows = [line.split("`")[1] for line in settings_doc.page().splitlines() if line.startswith("| `OSTEON_")]
    assert sorted(rows) == sorted(f"OSTEON_{name.upper()}" for name in settings_doc.setting_names())
    assert "OSTEON_PROFILE" in rows
    assert "OSTEON_TRUST" in rows
    assert "OSTEON_FHIR_SERVERS" in rows


def test_no_class_of_settings_is_forgotten() -> None:
    """Every class in app/ that is read from the environment is one of those that the page is made from."""
    found = {
        name
        for path in (ROOT / "app").rglob("*.py")
        for name in re.findall(r"^class (\w+)\(BaseSettings\):", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert found == {settings.__name__ for settings in settings_doc.CLASSES}


def test_a_setting_without_a_meaning_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class More(Settings):
        quite_new: int = 1

    monkeypatch.setattr(settings_doc, "CLASSES", (More, *settings_doc.CLASSES[1:]))
    with pytest.raises(settings_doc.OutOfStep, match="quite_new"):
        settings_doc.page()


def test_limits_and_defaults_are_those_of_the_classes() -> None:
    page = settings_doc.page()
    assert "| `OSTEON_PROFILE` | `intl` | `intl`, `se`, `dk`, `cn` |" in page
    assert "| `OSTEON_FHIR_DEADLINE` | `1.5` | number, > 0, ≤ 60 |" in page
    assert "| `OSTEON_MAX_AGE_T_SCORE_MONTHS` | `36` | whole number, ≥ 1, ≤ 1200 |" in page
    assert "| `OSTEON_TRUSTED_CLIENTS` | none | JSON |" in page


@pytest.mark.parametrize("name", ["README.md", "docs/operations.md"])
def test_no_page_names_a_setting_that_does_not_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"\bOSTEON_([A-Z0-9_]*[A-Z0-9])\b", text))
    assert named
    assert {word.lower() for word in named} <= settings_doc.setting_names()
