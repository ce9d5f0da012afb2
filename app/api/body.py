"""Reading a request body within the limits of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from app.api.admission import TURN_SECONDS, Admission, Share
from app.cds_hooks.errors import BodyTimeout, BodyTooLarge, UnsupportedMediaType

MEDIA_TYPES = frozenset({"application/json", "application/fhir+json", "application/json+fhir"})

_MOST_DIGITS = 19  # of a Content-Length
_BOM = b"\xef\xbb\xbf"


def check_media_type(request: Request) -> None:
    """Raise UnsupportedMediaType unless the body is declared as JSON in UTF-8 without compression."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() not in MEDIA_TYPES:
        raise UnsupportedMediaType("Content-Type must be application/json or application/fhir+json")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType("the charset of JSON is UTF-8")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType("the body must not be compressed", headers={"Accept-Encoding": "identity"})


@asynccontextmanager
async def received_body(request: Request, admission: Admission, *, limit: int, timeout: float) -> AsyncIterator[bytes]:
    """The body, no further than `limit` bytes and `timeout` seconds; its bytes count against the budget until the end.

    Raises BodyTooLarge (by Content-Length before anything is read, otherwise while reading), BodyTimeout or Overloaded.
    """
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdecimal() and len(declared) < _MOST_DIGITS else None
    if (declared and size is None) or (size or 0) > limit:
        raise _too_large(limit)
    with admission.budget.share() as share:
        reading = _Reading(request, share, limit)
        try:
            async with asyncio.timeout(timeout):
                if size:
                    await share.reserve(size)
                await reading.read_in_turn(admission)
        except TimeoutError:
            raise BodyTimeout(f"the body did not arrive within {timeout:g} seconds") from None
        yield reading.whole()


class _Reading:
    """A body as far as it has come."""

    def __init__(self, request: Request, share: Share, limit: int) -> None:
        self._stream = request.stream()
        self._share = share
        self._limit = limit
        self._chunks: list[bytes] = []
        self._size = 0

    async def read_in_turn(self, admission: Admission) -> None:
        """Read to the end: the quick ones one after another, a slow one beside them."""
        pending: asyncio.Task[None] | None = None
        try:
            async with admission.turn():
                pending = asyncio.ensure_future(self._to_the_end())
                await asyncio.wait({pending}, timeout=TURN_SECONDS)
            await pending
        finally:
            if pending is not None and not pending.done():
                pending.cancel()

    def whole(self) -> bytes:
        """All of it, in one piece."""
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    async def _to_the_end(self) -> None:
        async for chunk in self._stream:
            self._size += len(chunk)
            if self._size > self._limit:
                raise _too_large(self._limit)
            self._share.grow(self._size)
            self._chunks.append(chunk)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than {limit} bytes")


def without_bom(raw: bytes) -> bytes:
    """The text without a byte order mark: a parser may ignore it (RFC 8259, 8.1), and Windows clients send it."""
    return raw.removeprefix(_BOM)
