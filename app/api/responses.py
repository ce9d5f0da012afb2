"""Writing answers: JSON for success, OperationOutcome for everything else."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from app.cds_hooks.errors import ISSUE_CODES, MEDIA_TYPE, CallError, NotAcceptable, operation_outcome

_JSON_TYPES = frozenset({"application/json", "application/fhir+json", "application/json+fhir", "application/*", "*/*"})


def json_response(body: Mapping[str, Any], *, media_type: str = "application/json") -> Response:
    """A 200 with a JSON body."""
    return Response(orjson.dumps(body), media_type=media_type)


def outcome_response(
    status: int,
    text: str,
    *,
    code: str | None = None,
    expression: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error answer. `code` is the FHIR issue type, by default the one that belongs to the status."""
    issue_code = code or ISSUE_CODES.get(status, "processing")
    body = operation_outcome(issue_code, text, expression=expression)
    return Response(orjson.dumps(body), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def refusal_bytes(status: int, text: str) -> bytes:
    """A whole HTTP/1.1 answer for a client that is refused before there is a request; the connection is closed."""
    body = orjson.dumps(operation_outcome(ISSUE_CODES.get(status, "processing"), text))
    head = (
        f"HTTP/1.1 {status} {status_text(status)}\r\ncontent-type: {MEDIA_TYPE}\r\n"
        f"content-length: {len(body)}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def error_response(error: CallError) -> Response:
    """The answer to a call that cannot be answered."""
    return outcome_response(
        error.status, error.text, code=error.issue_code, expression=error.expression, headers=error.headers
    )


def status_text(status: int) -> str:
    """What an HTTP status means, in its own words."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "error"


def check_accept(header: str | None) -> None:
    """Raise NotAcceptable where the Accept header leaves no media type that the service writes (RFC 9110, 12.5.1)."""
    if not header or not header.strip():
        return
    for item in header.split(","):
        media_type, *parameters = (part.strip().lower() for part in item.split(";"))
        if media_type in _JSON_TYPES and not any(_is_zero_weight(parameter) for parameter in parameters):
            return
    raise NotAcceptable("answers are application/json; errors are application/fhir+json")


def _is_zero_weight(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and value.strip().rstrip("0").rstrip(".") in ("", "0")
