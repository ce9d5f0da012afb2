"""How far a long command is: a bar on a terminal, a line every 30 seconds elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
_TERMINAL_SECONDS, _LOG_SECONDS = 0.2, 30.0


def progress(items: Iterable[Item], unit: str) -> Iterator[Item]:
    """The items, with the progress on standard error."""
    return iter(bar(unit, items))


def bar(unit: str, items: Iterable[Any] | None = None, *, total: int | None = None) -> tqdm[Any]:
    """The progress on standard error, of items or of a number of steps that the caller tells."""
    terminal = sys.stderr.isatty()
    return tqdm(
        items,
        total=total,
        unit=f" {unit}",
        file=sys.stderr,
        ascii=not terminal,
        mininterval=_TERMINAL_SECONDS if terminal else _LOG_SECONDS,
        delay=0 if terminal else _LOG_SECONDS,  # a short run writes nothing into a log
    )
