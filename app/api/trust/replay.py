"""The memory of tokens that were used: a token is good for one call (CDS Hooks best practices, "jti").

Only a digest of issuer and token id is kept, and only until the token expires.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from app.api.trust.settings import TrustSettings

if TYPE_CHECKING:
    from redis.asyncio import Redis


_MAX_CONNECTIONS = 32
"""To Redis, of one process."""


class ReplayStoreUnavailable(Exception):
    """The store cannot say whether a token was used. `reason` is a fixed word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ReplayStore(Protocol):
    """Remembers tokens."""

    async def first_use(self, iss: str, jti: str, *, seconds: float) -> bool:
        """Note a token for its remaining lifetime; whether it was new. Raises ReplayStoreUnavailable."""

    async def aclose(self) -> None:
        """Give up connections."""


def replay_store(settings: TrustSettings) -> ReplayStore:
    """The store that the settings ask for."""
    if settings.uses_redis:
        return RedisStore(settings.replay_store.get_secret_value(), timeout=settings.replay_timeout)
    return MemoryStore(max_entries=settings.replay_max_entries)


class MemoryStore:
    """The memory of one process. Bounded: when it is full of tokens that are still good, it says so."""

    def __init__(self, *, max_entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_entries = max_entries
        self._clock = clock
        self._known: set[bytes] = set()
        self._expiries: list[tuple[float, bytes]] = []

    async def first_use(self, iss: str, jti: str, *, seconds: float) -> bool:
        """See ReplayStore; never waits, so two requests with one token cannot both be the first."""
        now = self._clock()
        while self._expiries and self._expiries[0][0] <= now:
            self._known.discard(heapq.heappop(self._expiries)[1])
        digest = _digest(iss, jti)
        if digest in self._known:
            return False
        if len(self._known) >= self._max_entries:
            raise ReplayStoreUnavailable("full")
        self._known.add(digest)
        heapq.heappush(self._expiries, (now + seconds, digest))
        return True

    async def aclose(self) -> None:
        """Nothing to give up."""

    def __len__(self) -> int:
        """How many tokens are remembered."""
        return len(self._known)


class RedisStore:
    """One memory for several processes and replicas: one SET NX per call, forgotten by Redis itself."""

    def __init__(self, url: str, *, timeout: float) -> None:
        # Only who sets it up needs the package: pip install "osteon[redis]".
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        # One more try, for a pooled connection that the server closed meanwhile; more would only make the call wait.
        # Connections are limited: with a Redis that hangs, each call would open one more.
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_MAX_CONNECTIONS,
            timeout=timeout,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1),
        )
        self._redis: Redis = Redis.from_pool(pool)
        self._longest = timeout * 2

    async def first_use(self, iss: str, jti: str, *, seconds: float) -> bool:
        """See ReplayStore."""
        from redis.exceptions import RedisError

        name = b"osteon:jti:" + _digest(iss, jti).hex().encode()
        try:
            async with asyncio.timeout(self._longest):
                return await self._redis.set(name, b"1", nx=True, px=max(1, int(seconds * 1000))) is True
        except (RedisError, OSError, TimeoutError):
            raise ReplayStoreUnavailable("redis") from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


def _digest(iss: str, jti: str) -> bytes:
    # The length keeps the boundary between the two unambiguous.
    return hashlib.blake2b(f"{len(iss)}:{iss}{jti}".encode(), digest_size=16).digest()
