"""No regular expression of the service can backtrack over and over: a check of their form, not of examples."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.growth.expressions import backtracking

LIST = "import json; from tests.growth.expressions import all_expressions; print(); "
LIST += "print(json.dumps([[text, flags, path] for (text, flags), path in all_expressions().items()]))"


def test_no_expression_backtracks_over_and_over() -> None:
    listed = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, check=True).stdout
    expressions = json.loads(listed.splitlines()[-1])
    paths = " ".join(path for _, _, path in expressions)
    assert len(expressions) >= 80
    assert all(
        name in paths for name in ("report_text", "dosage_text", "units", "code_sets", "body_sites", "drug_table")
    )
    found = {f"{path}: {text[:80]}": forms for text, flags, path in expressions if (forms := backtracking(text, flags))}
    assert not found


@pytest.mark.parametrize(
    "expression",
    [
        r"(a+)*b",
        r"(\w+\s?)+$",
        r"(?:a|b*c*)+",
        r"\s*[:=]?\s*$",
        r"a*a*",
        r"\S+@\S+\.\S+",
        r"(\d+)(?:x?)(\d*)",
        r"(?:x*y?)*",
    ],
)
def test_a_dangerous_form_is_found(expression: str) -> None:
    assert backtracking(expression)


@pytest.mark.parametrize(
    "expression",
    [
        r"(?:a+,)*b",
        r"\s*+[:=]?\s*+$",
        r"\d+(?:[.,]\d+)*",
        r"\w+@\w+",
        r"(?>a+)*",
        r"[a-z]+[0-9]+",
        r"a{1,64}a{1,64}",
        r"a+|a+",
    ],
)
def test_a_safe_form_is_left_alone(expression: str) -> None:
    assert not backtracking(expression)
