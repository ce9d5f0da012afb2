"""The rows of ../shared that this version does not implement yet (open-rows.yaml)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("open-rows.yaml")


@lru_cache(maxsize=1)
def _lists() -> dict[str, Any]:
    lists = yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    assert set(lists) == {"decisions", "roles", "prefetch"}, FILE
    return lists


def open_decisions() -> frozenset[str]:
    """Numbers of settled readings, as text ("38")."""
    return frozenset(str(number) for number in _lists()["decisions"] or ())


def open_roles() -> frozenset[str]:
    """Ids of statements whose role differs from the shared table."""
    return frozenset(_lists()["roles"] or ())


def open_prefetch_keys() -> frozenset[str]:
    """Prefetch keys of the contract that discovery does not publish."""
    return frozenset(_lists()["prefetch"] or ())
