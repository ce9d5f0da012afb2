"""Small guideline folders for tests: a few files, and the texts that they need in every language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.engine.loader import default_folder
from app.vocabulary import Language
from app.yaml_files import read_yaml

FIXED = ("phrases", "topics", "strengths", "override_reasons", "notes")
"""Sections that no guideline adds to: taken from the files that ship."""
FREE = ("names", "composed_names", "words", "units", "sources", "profiles", "statements", "advice", "remarks",
        "drugs", "orderables")  # fmt: skip


def write_locales(folder: Path, **texts: Mapping[str, Any]) -> None:
    """The files of `folder`/locales. `texts`: entries by section, the same in every language."""
    (folder / "locales").mkdir(exist_ok=True)
    for language in Language:
        shipped = read_yaml(default_folder() / "locales" / f"{language}.yaml")
        content = {section: shipped[section] for section in ("language", "decimal_mark", *FIXED)}
        content |= {section: texts.get(section, {}) for section in FREE}
        lines = [f"{section}: {json.dumps(entries, ensure_ascii=False)}" for section, entries in content.items()]
        (folder / "locales" / f"{language}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
