"""No expression that is searched for in texts has a repetition without limit inside another one.

Such an expression can take exponential time on a text that nearly matches. Looked at are those of
guidelines/concepts and every literal expression of the code that reads texts.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.terminology.code_sets import concept_file

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import sre_constants
    import sre_parse

APP = Path(__file__).parents[3] / "app"
NOT_OF_CHARTS = {"commands", "docgen", "engine"}
"""Packages that read texts of our own, and no chart."""
_REPEATS = (sre_constants.MAX_REPEAT, sre_constants.MIN_REPEAT)


def texts_in(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from texts_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts_in(value)


def expressions_of_the_data() -> Iterator[tuple[str, str]]:
    for stem in ("text-patterns", "dosage", "densitometry"):
        for text in texts_in(concept_file(stem)):
            try:
                re.compile(text)
            except re.error:  # prose, such as a source line
                continue
            yield stem, text


def expressions_of_the_code() -> Iterator[tuple[str, str]]:
    paths = (path for path in sorted(APP.rglob("*.py")) if path.relative_to(APP).parts[0] not in NOT_OF_CHARTS)
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"re.compile", "re.sub", "re.search"}:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield str(path.relative_to(APP)), first.value


def nested(expression: str) -> bool:
    """Whether a repetition without limit stands inside another one."""
    return _nested(sre_parse.parse(expression, re.VERBOSE if "\n" in expression else 0), inside=False)


def _nested(parsed: Any, *, inside: bool) -> bool:
    for operation, argument in parsed:
        if operation in _REPEATS:
            unlimited = argument[1] is sre_constants.MAXREPEAT
            if (unlimited and inside) or _nested(argument[2], inside=inside or unlimited):
                return True
        elif operation is sre_constants.BRANCH:
            if any(_nested(branch, inside=inside) for branch in argument[1]):
                return True
        elif operation is sre_constants.SUBPATTERN:
            if _nested(argument[3], inside=inside):
                return True
        elif operation in (sre_constants.ASSERT, sre_constants.ASSERT_NOT) and _nested(argument[1], inside=inside):
            return True
    return False


@pytest.mark.parametrize(
    ("expression", "bad"),
    [("(a+)+", True), ("(a|b*c)*", True), ("(?:x(?:y+z)?)+", True), ("a+b+", False), ("(ab){2,5}c*", False)],
)
def test_the_scan_finds_what_it_looks_for(expression: str, bad: bool) -> None:
    assert nested(expression) is bad


def test_no_repetition_without_limit_stands_in_another() -> None:
    data, code = list(expressions_of_the_data()), list(expressions_of_the_code())
    assert len(data) > 200
    assert len(code) > 40
    assert [(place, expression) for place, expression in (*data, *code) if nested(expression)] == []
