"""Where log lines go: standard error, which may be full, hung or gone, and must not stop a call for it.

A pipe that polls as writable takes 4,096 bytes (POSIX PIPE_BUF on Linux) without blocking, so lines are written in
pieces of that size, each after a poll. What cannot be written now waits in memory, up to a limit; what does not fit, or
cannot be written at all, is counted as lost. A file on a network file system can still block: log to a pipe instead.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections import Counter, deque
from collections.abc import Callable

PIECE = 4096
MOST_WAITING = 1024 * 1024
"""Bytes of lines that wait for a reader that lags."""

RECENT_SECONDS = 60.0


class LogOutput:
    """Writes lines without ever raising or waiting. `lost` counts lines by reason: full, broken, unwritable."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.lost: Counter[str] = Counter()
        self._clock = clock
        self._last_loss: float | None = None
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._torn = False  # the last thing written is the beginning of a line whose rest waits, or was lost

    @property
    def losing(self) -> bool:
        """Whether a line was lost within the last minute."""
        return self._last_loss is not None and self._clock() - self._last_loss < RECENT_SECONDS

    def lose(self, reason: str, lines: int = 1) -> None:
        """Count lines that will not be written."""
        self.lost[reason] += lines
        self._last_loss = self._clock()

    def write(self, line: str) -> None:
        """Write one line, or let it wait, or lose it."""
        stream = sys.stderr
        try:
            descriptor = stream.fileno()
        except (AttributeError, OSError, ValueError):  # replaced (by a test, by a supervisor), closed, or None
            self._write_stream(line)
            return
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        if self._size + len(data) > MOST_WAITING:
            self.lose("full")
        else:
            self._waiting.append(data)
            self._size += len(data)
        try:
            self._drain(descriptor)
        except BlockingIOError:
            pass
        except OSError:  # the reader is gone, the disk is full: nothing that waits can be written
            self.lose("broken", len(self._waiting))
            self._waiting.clear()
            self._size = 0
            if self._torn:  # what comes next must not look like the end of that line
                self._waiting.append(b"\n")
                self._size = 1
                self._torn = False

    def _drain(self, descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        while self._waiting:
            ready = poll.poll(0)
            if not ready:
                return
            if ready[0][1] & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
                raise BrokenPipeError
            data = self._waiting[0]
            written = os.write(descriptor, data[:PIECE])
            self._size -= written
            if written < len(data):
                self._waiting[0] = data[written:]
            else:
                self._waiting.popleft()
            self._torn = written < len(data)

    def _write_stream(self, line: str) -> None:
        try:
            sys.stderr.write(line + "\n")
        except Exception:  # noqa: BLE001  # whatever stands there: a call must not fail for a line of the log
            self.lose("broken")


output = LogOutput()
"""That of the process."""
