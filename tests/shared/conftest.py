"""Tests over the material that is given beside the project; where it is not there they skip and say so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    for item in mine:
        item.add_marker(pytest.mark.shared)
        if not SHARED.is_dir():
            item.add_marker(pytest.mark.skip(reason="../shared is not there"))
    if mine and not SHARED.is_dir():
        sys.stderr.write(f"\n*** {len(mine)} tests over ../shared are SKIPPED: the folder is not there ***\n")


@pytest.fixture(scope="session")
def shared() -> Path:
    return SHARED
