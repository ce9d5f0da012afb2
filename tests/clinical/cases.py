"""The cases of tests/clinical/*/*.yaml."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tests.clinical.builder import SERVICE, Builder
from tests.conftest import Client

FOLDER = Path(__file__).parent
TODAY = date(2026, 11, 22)

Case = dict[str, Any]


@lru_cache(maxsize=1)
def all_cases() -> tuple[tuple[str, Case], ...]:
    """Every case with the file that it stands in."""
    found: list[tuple[str, Case]] = []
    for path in sorted(FOLDER.glob("*/*.yaml")):
        cases = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        found += [(f"{path.parent.name}/{path.stem}", case) for case in cases or []]
    return tuple(found)


def answer_to(osteon: Client, case: Case) -> dict[str, Any]:
    """The answer of the service to a case."""
    service = SERVICE[case.get("hook", "patient-view")]
    answer = osteon.post(f"/cds-services/{service}", json=Builder(case, TODAY).request())
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body
