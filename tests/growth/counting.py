"""Counts what work costs, in lines of the service's own code that are executed: the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

APP = str(Path(__file__).parents[2] / "app")


def lines_of(work: Callable[[], object]) -> int:
    """How many lines of app/ are executed."""
    count = 0

    def within(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "line":
            count += 1
        return within

    def enter(frame: FrameType, event: str, _: Any) -> Any:
        return within if frame.f_code.co_filename.startswith(APP) else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def growth(cost: Callable[[int], int], n: int) -> float:
    """How the cost of the last doubling compares with the one before: 2 is linear, 2.3 n log n, 4 quadratic.

    What does not depend on n falls out of the differences.
    """
    first, second, third = (cost(size) for size in (n, 2 * n, 4 * n))
    return (third - second) / max(second - first, n)
