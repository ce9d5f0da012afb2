"""The cases of tests/clinical/SOURCE/TOPIC.yaml: each beside the recommendations that it tests.

SOURCE/TOPIC is the name of a file of guidelines/; `conflicts/` holds the cases in which sources meet,
`hooks/` those of the hooks that ask about one thing (a renewal, an intolerance, a visit). `tags` say what a
case is for besides: see TAGS. `pytest -k RULE_ID` runs the cases that name a recommendation, `pytest -k TAG` those of a
tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from app.cases.builder import SERVICE, Builder
from tests.conftest import Client

FOLDER = Path(__file__).parent
TODAY = date(2026, 11, 22)
Case = dict[str, Any]


@lru_cache(maxsize=1)
def all_cases() -> tuple[tuple[str, Case], ...]:
    """Every case with the file that it stands in ("uppsala/dxa")."""
    found: list[tuple[str, Case]] = []
    for path in case_files():
        cases = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        found += [(f"{path.parent.name}/{path.stem}", case) for case in cases or []]
    return tuple(found)


def case_files() -> list[Path]:
    """The files, sorted; `personas/` holds stories over years, not cases (test_personas.py)."""
    return [path for path in sorted(FOLDER.glob("*/*.yaml")) if path.parent.name != "personas"]


def keywords(case: Mapping[str, Any]) -> set[str]:
    """What `pytest -k` finds a case by: the recommendations that it names, and its tags."""
    expect = case["expect"]
    return {*(expect.get("fire") or ()), *(expect.get("not_fire") or ()), *case.get("tags", ())}


def answer_to(osteon: Client, case: Case) -> dict[str, Any]:
    """The answer of the service to a case."""
    service = SERVICE[case.get("hook", "patient-view")]
    answer = osteon.post(f"/cds-services/{service}", json=Builder(case, TODAY).request())
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body
