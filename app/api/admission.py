"""Which calls are let in, in which order, and how many bytes of them are held: trust, then a slot, then the body.

`ClientTrust` stands in front of the routes, so everything here is taken by trusted callers only. A slot is held until
the answer is made, not until the client has read it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from app.cds_hooks.errors import Overloaded

READERS = 4
"""Bodies that are read at once. Reading all at once would finish all of them late; in turn, who came first is answered
first."""

TURN_SECONDS = 0.1
"""How long a body may take within its turn. A slower one is read on beside the turns, so that it holds up nobody."""

GROWTH = 256 * 1024
"""Bytes by which the share of a body of unknown length grows."""

_RETRY = {"Retry-After": "1"}


class Share:
    """The bytes that one body has of the budget."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self.size = 0

    async def reserve(self, size: int) -> None:
        """Wait for room, first come first served."""
        await self._budget.take(size)
        self.size += size

    def grow(self, size: int) -> None:
        """Make the share at least `size`.

        Raises Overloaded where there is no room: waiting with a body half read could hold up everybody for ever.
        """
        while self.size < size:
            if not self._budget.take_now(GROWTH):
                raise Overloaded("too much is being received; try again", headers=_RETRY)
            self.size += GROWTH


class ByteBudget:
    """A number of bytes, given out first come first served."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextmanager
    def share(self) -> Iterator[Share]:
        """A share that is given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self._give(share.size)

    async def take(self, size: int) -> None:
        """Wait until `size` bytes are free and nobody waits in front."""
        size = min(size, self._size)
        if not self._waiting and self.take_now(size):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = (size, turn)
        self._waiting.append(place)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give(size)
            with suppress(ValueError):
                self._waiting.remove(place)
            self._serve()
            raise

    def take_now(self, size: int) -> bool:
        """Take bytes without waiting; whether there were as many."""
        if size > self._free:
            return False
        self._free -= size
        return True

    def _give(self, size: int) -> None:
        self._free += size
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            size, turn = self._waiting[0]
            if turn.done():
                self._waiting.popleft()
            elif self.take_now(size):
                self._waiting.popleft()
                turn.set_result(None)
            else:
                return


class Admission:
    """The slots, turns and bytes of one process."""

    def __init__(self, *, slots: int, waiting_bytes: int) -> None:
        self._free = slots
        self._turns = asyncio.Semaphore(READERS)
        self.budget = ByteBudget(waiting_bytes)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """A place among the calls under way. Raises Overloaded where there is none."""
        if not self._free:
            raise Overloaded("too many requests under way; try again", headers=_RETRY)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A turn to read a body, first come first served."""
        async with self._turns:
            yield
