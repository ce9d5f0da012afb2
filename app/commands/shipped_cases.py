"""The clinical cases that ship, as requests."""

from __future__ import annotations

from datetime import date
from typing import Any

import yaml

from app.browser.cases import case_files
from app.cases.builder import Builder


def shipped_cases(today: date) -> list[tuple[str, dict[str, Any]]]:
    """The requests of the cases, by file and id. Raises ValueError where the installation has none."""
    paths = case_files()
    if paths is None:
        raise ValueError("--cases: this installation has no clinical cases")
    return [
        (f"{path.parent.name}/{path.stem}: {case['id']}", Builder(case, today).request())
        for path in paths
        for case in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or []
    ]
