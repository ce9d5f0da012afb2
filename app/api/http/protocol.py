"""uvicorn's fast HTTP/1.1 protocol with limits: header bytes, time to send, time to read, connections.

uvicorn's protocol has no limit for any of these: a stranger could fill the memory with headers or pipelined requests,
hold thousands of connections open with a byte a minute, or never read an answer, and nothing that handles requests sees
it. An offer to change the protocol (`Upgrade: h2c`, which the JDK's client sends with each request) is ignored, as
RFC 9110, 7.8 allows, and the body is read.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from enum import Enum, auto
from typing import Any

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.api.http.settings import connection_settings
from app.api.http.table import table_of
from app.api.logs import logger
from app.api.responses import refusal_bytes

LINGER_SECONDS = 2.0
"""How long bytes are read and forgotten after an answer that did not need them. A socket that is closed with unread
bytes is reset by the kernel, and the client would never see the answer."""

LINGER_BYTES = 32 * 1024 * 1024
"""Bytes of a body that was not needed, at most; after a refusal below requests, as many as headers may have."""

MAX_PIPELINED = 8
"""Requests that may wait behind the one under way on a connection."""

MAX_HEADERS = 200


class _State(Enum):
    HEAD = auto()  # waits for a request, or reads its headers
    REQUEST = auto()  # a request is read or answered
    LINGER = auto()  # answered before the body was read: what still comes is forgotten
    ENDED = auto()  # refused: nothing is parsed any more


class _Ended(Exception):
    """Stops the parser in the middle of a piece: the connection has been refused."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol for one connection, within the limits of ConnectionSettings.

    Bytes are counted until the parser has made something of them: the last header, a piece of a body, the end of a
    message. What stays uncounted in between are headers, trailers and the extensions of chunks.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits = connection_settings()
        self._table = table_of(self.server_state, self._limits, self.loop)
        self._state = _State.HEAD
        self._unread = 0
        self._head_size = 0
        self._forgotten = 0
        self._running: RequestResponseCycle | None = None  # `cycle` is the last one parsed, which may wait behind it
        self._ends: float | None = None
        self._blocked_since: float | None = None
        self._blocked_seconds = 0.0
        self._closing_since: float | None = None
        self.address = ""
        self.since = self.loop.time()

    # What the table asks

    @property
    def expendable(self) -> bool:
        """Whether nothing of a trusted caller is under way."""
        running = self._running
        return running is None or running.response_complete or not running.scope["state"].get("admitted")

    def evict(self) -> None:
        """Close at once."""
        self._log("evicted")
        self._cut()

    def check(self, now: float) -> None:
        """Close what is over its deadline."""
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > self._limits.write_timeout_seconds:
                self._cut()
        elif self._blocked(now) > self._limits.write_timeout_seconds:
            self._log("answer-not-read")
            self._cut()
        elif self._ends is not None and now > self._ends:
            if self._state is _State.HEAD and not self._answering() and (self._unread or self.cycle is None):
                self._end(408, "the headers did not come in time", "headers-too-slow")
            elif not self._answering():
                self.transport.close()  # idle between requests, or what was to be forgotten did not end

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """A client has connected."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        if self._table.add(self):
            self._wait_for_head()
        else:
            transport.write(refusal_bytes(503, "too many connections; try again"))
            self._state = _State.ENDED
            self._log("too-many-connections")
            # Not in the table, so that nothing is remembered of it: the kernel has room for these few bytes.
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._table.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass bytes to the parser, and end the connection where too many lead to nothing."""
        if self.transport.is_closing():
            return
        if self._state in (_State.LINGER, _State.ENDED):
            self._forgotten += len(data)
            if self._forgotten > (LINGER_BYTES if self._state is _State.LINGER else self._limits.max_header_bytes):
                self.transport.close()
                return
        if self._ended:
            return
        if self._state is _State.HEAD and not self._unread and self.cycle is not None and not self._answering():
            self._wait_for_head()
        self._unread += len(data)
        self._unset_keepalive_if_required()
        self._parse(data)
        if self._unread > self._limits.max_header_bytes and not self._ended:
            self._end(431, "the headers are too large", "headers-too-large")

    def eof_received(self) -> None:
        """The client sends nothing more; where nothing is under way, it is done."""
        if self._state is not _State.REQUEST and not self._answering():
            self.transport.close()

    def pause_writing(self) -> None:
        """The client reads more slowly than the service writes."""
        self._blocked_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client has read."""
        self._blocked_seconds = self._blocked(self.loop.time())
        self._blocked_since = None
        super().resume_writing()

    # The parser's callbacks

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._head_size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        super().on_header(name, value)
        self._head_size += len(name) + len(value) + 4
        if self._head_size > self._limits.max_header_bytes or len(self.headers) > MAX_HEADERS:
            self._stop(431, "the headers are too large", "headers-too-large")

    def on_headers_complete(self) -> None:
        """The head of a request is complete."""
        method = self.parser.get_method()
        line = len(method) + len(self.url) + len(" HTTP/1.1\r\n") + 1
        if self._head_size + line + 2 > self._limits.max_header_bytes:
            self._stop(431, "the headers are too large", "headers-too-large")
        if self.parser.should_upgrade():
            if method == b"CONNECT":
                self._stop(405, "this is no proxy", "connect")
            return  # told by the parser at the end of the head; see _decline_upgrade
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            self._stop(400, "a request has exactly one Host header", "host")
        if len(self.pipeline) >= MAX_PIPELINED:
            self._stop(429, "too many requests are waiting on this connection", "pipelined")
        self._unread = 0
        self._state = _State.REQUEST
        self._ends = None
        self.since = self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        if self.parser.should_upgrade():
            return
        self._unread = 0
        super().on_message_complete()
        self._state = _State.HEAD
        if not self._answering():
            self._wait_for_head()

    # uvicorn's hooks

    def on_response_complete(self) -> None:
        """An answer is written, or left to the transport to write."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._state is _State.REQUEST and not self._answering():
            self._linger()
        elif self._state is _State.HEAD:
            self._wait_for_head()
        if self._blocked_since is None and not self.pipeline:
            self._blocked_seconds = 0.0

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's words
        """Refuse what is not HTTP."""
        self._end(400, "this is not a valid HTTP/1.1 request", "malformed")

    # The work

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline_upgrade(data[offer.args[0] :])
        except httptools.HttpParserError:
            if not self._ended:
                self.send_400_response("")

    def _decline_upgrade(self, rest: bytes) -> None:
        """Read the request as if the offer of another protocol were not there.

        The parser takes every offer for accepted and stops after the headers. A new parser gets them again without the
        offer, and then what follows.
        """
        if any(b"\r" in value or b"\n" in value for _, value in self.headers):
            self.send_400_response("")
            return
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] not in (b"upgrade", b"http2-settings")]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._parse(b"\r\n".join(lines) + b"\r\n\r\n" + rest)

    @property
    def _ended(self) -> bool:
        return self._state is _State.ENDED

    def _answering(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def _blocked(self, now: float) -> float:
        """Seconds for which the client has kept the service from writing, since it last had nothing to read."""
        return self._blocked_seconds + (now - self._blocked_since if self._blocked_since is not None else 0.0)

    def _wait_for_head(self) -> None:
        self.since = self.loop.time()
        self._ends = self.since + self._limits.header_timeout_seconds

    def _linger(self) -> None:
        self._state = _State.LINGER
        self._forgotten = 0
        self._unset_keepalive_if_required()
        self.since = self.loop.time()
        self._ends = self.since + LINGER_SECONDS

    def _stop(self, status: int, text: str, reason: str) -> None:
        """Refuse from within a callback of the parser."""
        self._end(status, text, reason)
        raise _Ended

    def _end(self, status: int, text: str, reason: str) -> None:
        self._log(reason)
        self._state = _State.ENDED
        self._unset_keepalive_if_required()
        if self._answering():
            # An earlier request is still answered, and then there is nothing more to say.
            self.pipeline.clear()
            if self._running is not None:
                self._running.keep_alive = False
            return
        self.transport.write(refusal_bytes(status, text))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.since = self.loop.time()
        self._ends = self.since + LINGER_SECONDS

    def _cut(self) -> None:
        """Close without waiting for the client, and let the kernel forget what it has not read."""
        if (client := self.transport.get_extra_info("socket")) is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self._running is not None:
            self._running.disconnected = True  # the transport tells it later, and must not be written to until then
        self.transport.abort()

    def _log(self, reason: str) -> None:
        logger().warning("connection ended", reason=reason)
