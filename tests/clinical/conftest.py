"""The whole service with all guidelines, its clock stopped."""

from __future__ import annotations

import pytest

from app.main import create_app
from app.pipeline import build_pipeline
from tests.clinical.cases import TODAY, keywords
from tests.conftest import Client
from tests.support.patience import patient_settings


@pytest.fixture(scope="session")
def osteon() -> Client:
    settings = patient_settings()
    return Client(create_app(pipeline=build_pipeline(settings), settings=settings, today=lambda: TODAY))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let `pytest -k RULE_ID` and `pytest -k TAG` find clinical cases."""
    callspec = getattr(item, "callspec", None)
    case = callspec.params.get("case") if callspec else None
    if isinstance(case, dict) and "expect" in case:
        item.extra_keyword_matches.update(keywords(case))
