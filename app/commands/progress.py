"""How far a long command is: a bar on a terminal, a line every 30 seconds elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
_TERMINAL_SECONDS, _LOG_SECONDS = 0.2, 30.0


def progress(items: Collection[Item], unit: str) -> Iterator[Item]:
    """The items, with the progress on standard error."""
    terminal = sys.stderr.isatty()
    return iter(
        tqdm(
            items,
            unit=f" {unit}",
            file=sys.stderr,
            ascii=not terminal,
            mininterval=_TERMINAL_SECONDS if terminal else _LOG_SECONDS,
            delay=0 if terminal else _LOG_SECONDS,  # a short run writes nothing into a log
        )
    )
