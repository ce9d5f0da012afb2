"""What happens around every request: an id, a log line, counters, the last resort for faults, CORS.

Pure ASGI classes (no BaseHTTPMiddleware: it costs a task per request and hides disconnects).
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.logs import error_fields, logger
from app.api.metrics import Metrics
from app.api.responses import outcome_response
from app.api.self_test import Readiness

REQUEST_ID_HEADER = "X-Request-ID"
CALL_ROUTE = "/cds-services/{service_id}"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class Observe:
    """Gives each request an id, logs and counts it, and turns an unhandled fault into a 500 with that id.

    The id is the client's X-Request-ID where it is short and plain, else a new one. A W3C traceparent is taken over
    into the log.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, readiness: Readiness) -> None:
        self.app = app
        self.metrics = metrics
        self.readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection; anything but HTTP passes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers.get(REQUEST_ID_HEADER))
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                out[REQUEST_ID_HEADER] = request_id
                out.setdefault("X-Content-Type-Options", "nosniff")
                out.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
            await send(message)

        named = {"request_id": request_id, "method": _method(scope), **_trace(headers.get("traceparent"))}
        started = time.perf_counter()
        self.metrics.started()
        try:
            await self.app(scope, receive, send_with_id)
        except ClientDisconnect:
            pass  # the client went away while it was sending: nobody is left to answer, and nothing is wrong here
        except Exception as error:  # the HTTP edge: the one place that answers for any fault
            logger().error("fault", route=_route(scope), **named, **error_fields(error))
            if status:
                raise  # the answer has begun: only breaking the connection tells the client
            await internal_error(request_id)(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            route = _route(scope)
            # No status: the client went away before there was an answer.
            self.metrics.finished(scope["method"], route, status or 499, seconds)
            if route == CALL_ROUTE and status in (200, 500):
                self.readiness.call_ended(fault=status == 500)
            logger().info("request", **named, route=route, status=status or 499, duration_ms=round(seconds * 1000, 2))


def internal_error(request_id: str) -> Response:
    """The answer to a fault of the service."""
    return outcome_response(500, f"internal error; the log has it under request id {request_id}")


class Cors(CORSMiddleware):
    """CORS for the configured origins; outermost, so that errors have the headers too. Cookies are never allowed."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "POST"),
            allow_headers=("authorization", "content-type", "accept", REQUEST_ID_HEADER, "traceparent"),
            expose_headers=(REQUEST_ID_HEADER, "Retry-After"),
            max_age=600,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a preflight; a refusal is an OperationOutcome like every other error."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        return outcome_response(response.status_code, "this origin, method or header is not allowed", headers=kept)


def _request_id(sent: str | None) -> str:
    return sent if sent and _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex


def _trace(traceparent: str | None) -> dict[str, str]:
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return {"trace_id": match[1]} if match else {}


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method.isascii() and method.isalpha() and len(method) <= 10 else "other"


def _route(scope: Scope) -> str:
    route: Any = scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    return path if isinstance(path, str) else "unmatched"
