"""Work on the event loop that cannot hold it up: over its share of processor time, it is aborted.

The size of a chart does not predict its time: records of one kind cost fifty times as much as records of another
(docs/measurements.md). So short calls are begun on the event loop, and what is not done within INLINE_SECONDS is given
up and done again in a worker process. The kernel's timer of processor time interrupts Python between two instructions;
work is a function of the call and of memos that are filled last, so nothing is left half done.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

INLINE_SECONDS = 0.05
_AGAIN_SECONDS = 0.01
"""The timer fires again, in case the first exception was raised where Python can only report it (a finalizer)."""

Result = TypeVar("Result")

_armed = False


class TooLong(BaseException):
    """The work was ended. No Exception: nothing in the work may take it for a fault of its own."""


def install() -> bool:
    """Set up the timer's signal; False where it cannot be (not the main thread)."""
    if threading.current_thread() is not threading.main_thread():
        return False
    signal.signal(signal.SIGVTALRM, _end)
    return True


def limited(work: Callable[[], Result], *, seconds: float = INLINE_SECONDS) -> Result:
    """The result of the work; raises TooLong once it has had `seconds` of processor time."""
    global _armed  # one timer per process, as the kernel has it
    try:
        try:
            _armed = True
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN_SECONDS)
            return work()
        finally:
            _armed = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except TooLong:
        _armed = False  # the signal can come just before the lines above
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        raise


def _end(_: int, __: FrameType | None) -> None:
    if _armed:
        raise TooLong
