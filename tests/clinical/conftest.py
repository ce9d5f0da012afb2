"""Clinical cases are found by the recommendations that they name."""

from __future__ import annotations

import pytest

from tests.clinical.cases import keywords


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let `pytest -k RULE_ID` and `pytest -k TAG` find clinical cases."""
    callspec = getattr(item, "callspec", None)
    case = callspec.params.get("case") if callspec else None
    if isinstance(case, dict) and "expect" in case:
        item.extra_keyword_matches.update(keywords(case))
