"""Reading a request body within the limits of size and time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.requests import Request

from app.cds_hooks.errors import BodyTimeout, BodyTooLarge, UnsupportedMediaType

MEDIA_TYPES = frozenset({"application/json", "application/fhir+json", "application/json+fhir"})

DISCARD_SECONDS = 2.0
"""How long a body that is too large is read only to be forgotten."""

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


async def read_body(request: Request, *, limit: int, timeout: float) -> bytes:
    """The body, read no further than `limit` bytes and `timeout` seconds.

    Raises BodyTooLarge (by Content-Length before anything is read, otherwise while reading) or BodyTimeout.
    """
    too_large = BodyTooLarge(f"the body is larger than {limit} bytes", headers={"Connection": "close"})
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        await _discard(request, most=limit * 2, seconds=min(timeout, DISCARD_SECONDS))
        raise too_large
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise too_large
                chunks.append(chunk)
    except TimeoutError:
        raise BodyTimeout(
            f"the body did not arrive within {timeout:g} seconds", headers={"Connection": "close"}
        ) from None
    return b"".join(chunks)


async def _discard(request: Request, *, most: int, seconds: float) -> None:
    """Read a body that is refused and forget it.

    A connection that is closed with unread bytes is reset by the kernel, and the client never sees the 413 (found by
    the soak run). Who sends far more, or slowly, is cut off all the same.
    """
    size = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    return


def without_bom(raw: bytes) -> bytes:
    """The text without a byte order mark: a parser may ignore it (RFC 8259, 8.1), and Windows clients send it."""
    return raw.removeprefix(_BOM)
