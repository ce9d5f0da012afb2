"""Which line of the CDS Hooks checklist is tested where, and which one is not, with the reason."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CHECKLIST = TESTS.parents[1] / "shared" / "cds-hooks" / "checklist.tsv"

LATER: dict[str, str] = {}
"""Lines for which no test exists yet, by the part of the service that brings them."""

BY_OTHER_TESTS = {
    "CARD-4": "card texts are escaped: tests of app/cards",
    "CARD-10": "few cards, critical only for spinal cord and cauda equina: clinical cases",
    "CARD-11": "the text alone is enough to act: tests of app/cards",
    "ACT-6": "a suggestion has one action: tests of app/cards",
    "LINK-4": "links come from a fixed list: tests of app/cards",
    "CALL-9": "plain http is called on loopback only: attack table in tests/unit/trust, tests/e2e/test_fhir_server.py",
    "FHIR-6": "scopes and the patient of the token: tests/e2e/test_fhir_server.py",
    "EXT-2": "extension names are fixed by the contract (osteon.configuration, osteon.explanation)",
}
"""Lines that are about the content of cards or about the client of FHIR servers, not about our own HTTP."""

_ID = re.compile(r"\b(?:[A-Z]+|HOOKDEF)-\d+\b")


def ids_of_tests() -> set[str]:
    """The ids in the docstrings of all tests."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                head = (ast.get_docstring(node) or "").partition(":")[0]
                found.update(_ID.findall(head))
    return found


def test_nothing_is_both_tested_and_promised_for_later() -> None:
    """When a part arrives with its tests, its lines leave the list."""
    assert not ids_of_tests() & set(LATER)


@pytest.mark.shared
def test_every_line_of_the_checklist_is_accounted_for() -> None:
    """Tested, tested elsewhere, or later."""
    if not CHECKLIST.is_file():
        pytest.skip("../shared is not there")
    with CHECKLIST.open(encoding="utf-8", newline="") as file:
        ids = {row["id"] for row in csv.DictReader(file, delimiter="\t")}
    accounted = ids_of_tests() | set(LATER) | set(BY_OTHER_TESTS)
    assert ids - accounted == set()
    assert (set(LATER) | set(BY_OTHER_TESTS)) - ids == set()
