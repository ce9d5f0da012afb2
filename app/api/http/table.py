"""The open connections of a server process: how many there may be, and who goes when there are too many.

One sweep twice a second looks at all deadlines, so that a request costs no timers of its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Protocol
from weakref import WeakKeyDictionary

from uvicorn.server import ServerState

from app.api.http.settings import ConnectionSettings

SWEEP_SECONDS = 0.5


class Connection(Protocol):
    """One connection, as the table sees it."""

    address: str
    """The client's IP address; "" for a Unix socket."""

    since: float
    """When its present request, or its present wait for one, began (loop time)."""

    @property
    def expendable(self) -> bool:
        """Whether nothing of a trusted caller is under way on it."""

    def evict(self) -> None:
        """Make room: close at once, without waiting for what is not written."""

    def check(self, now: float) -> None:
        """Close what is over its deadline."""


class ConnectionTable:
    """Counts connections in all and by address. At a limit, the longest-waiting expendable connection is closed."""

    def __init__(self, settings: ConnectionSettings, loop: asyncio.AbstractEventLoop) -> None:
        self._most = settings.connections
        self._most_per_address = settings.connections_per_address
        self._loop = loop
        self._open: set[Connection] = set()
        self._by_address: Counter[str] = Counter()
        self._sweeping = False

    def add(self, connection: Connection) -> bool:
        """Take a connection in; False where there is no room and nothing can be closed for it."""
        if self._by_address[connection.address] >= self._most_per_address:
            room = self._make_room(connection.address)
        else:
            room = len(self._open) < self._most or self._make_room(None)
        if not room:
            return False
        self._open.add(connection)
        self._by_address[connection.address] += 1
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_later(SWEEP_SECONDS, self._sweep)
        return True

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is closed, or about to be; harmless where it is not in the table."""
        if connection not in self._open:
            return
        self._open.discard(connection)
        self._by_address[connection.address] -= 1
        if not self._by_address[connection.address]:
            del self._by_address[connection.address]

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def _make_room(self, address: str | None) -> bool:
        candidates = (
            known for known in self._open if (address is None or known.address == address) and known.expendable
        )
        oldest = min(candidates, key=lambda known: known.since, default=None)
        if oldest is None:
            return False
        self.remove(oldest)
        oldest.evict()
        return True

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in tuple(self._open):
            connection.check(now)
        self._sweeping = bool(self._open)
        if self._sweeping:
            self._loop.call_later(SWEEP_SECONDS, self._sweep)


_TABLES: WeakKeyDictionary[ServerState, ConnectionTable] = WeakKeyDictionary()


def table_of(server: ServerState, settings: ConnectionSettings, loop: asyncio.AbstractEventLoop) -> ConnectionTable:
    """The table of a uvicorn server; one for all its connections."""
    table = _TABLES.get(server)
    if table is None:
        table = _TABLES[server] = ConnectionTable(settings, loop)
    return table
