"""What a client may do before there is a request: how long its headers may be, and how long they may take.

uvicorn's fast parser has no limit for either: a stranger could fill the memory with headers, or hold thousands of
connections open with one byte a minute, and neither is seen by anything that handles requests.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Annotated, Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.logs import logger

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class ConnectionSettings(BaseSettings):
    """Environment variables with the prefix OSTEON_.

    `max_header_bytes`: of a request line with all its headers, and of what follows a chunked body; a token has some
    1,000.
    `header_timeout_seconds`: from the opening of a connection, or the first byte of a further request, to the last
    header.
    """

    model_config = SettingsConfigDict(env_prefix="OSTEON_", frozen=True, extra="ignore")

    max_header_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024
    header_timeout_seconds: Annotated[float, Field(gt=0)] = 10.0


@cache
def connection_settings() -> ConnectionSettings:
    """The settings of this process; read once, because they are needed for each connection."""
    return ConnectionSettings()


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a limit on what is neither body nor done, and a time limit on headers.

    Bytes are counted until the parser has made something of them: the last header, a piece of a body, the end of a
    message. What stays uncounted in between are headers, trailers and the extensions of chunks.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits = connection_settings()
        self._unread = 0
        self._timer: asyncio.TimerHandle | None = None
        self._reading_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """A client has connected: from now on it must get on with it."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass bytes to the parser, and end the connection where too many lead to nothing."""
        if self.transport.is_closing():
            return
        self._unread += len(data)
        if self._reading_head and self._timer is None:
            self._start_timer()
        super().data_received(data)
        if self._unread > self._limits.max_header_bytes and not self.transport.is_closing():
            self._end(_TOO_LARGE, "headers-too-large")

    def on_headers_complete(self) -> None:
        """The head of a request is complete."""
        self._unread = 0
        self._reading_head = False
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        self._unread = 0
        self._reading_head = True
        super().on_message_complete()

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self._limits.header_timeout_seconds, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self._end(_TOO_SLOW, "headers-too-slow")

    def _end(self, answer: bytes, reason: str) -> None:
        self._stop_timer()
        logger().warning("connection ended", reason=reason)
        # In the middle of an answer to an earlier request there is nothing sensible to say.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(answer)
        self.transport.close()
