"""Why a call cannot be answered: one exception for each HTTP status that the standard's part of the service gives.

Texts name fields and allowed values, never what the client sent: they end up in logs of systems that must not hold
patient data.
"""

from __future__ import annotations

from typing import Any, ClassVar


class CallError(Exception):
    """A call that gets an OperationOutcome instead of an answer.

    `text` is for the person who reads the client's log; `expression` is the path of the member that is wrong.
    """

    status: ClassVar[int] = 500
    issue_code: ClassVar[str] = "exception"

    def __init__(self, text: str, *, expression: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.expression = expression
        self.headers = headers or {}


class MalformedRequest(CallError):
    """400: the body is not JSON, or a member is missing or has the wrong type."""

    status = 400
    issue_code = "invalid"


class UnknownService(CallError):
    """404: no service has this id."""

    status = 404
    issue_code = "not-found"


class NotAcceptable(CallError):
    """406: the client accepts no media type that the service can write."""

    status = 406
    issue_code = "not-supported"


class BodyTimeout(CallError):
    """408: the body did not arrive within the time limit."""

    status = 408
    issue_code = "timeout"


class DataUnavailable(CallError):
    """412: data that the service cannot do without came neither by prefetch nor from the FHIR server."""

    status = 412
    issue_code = "incomplete"


class BodyTooLarge(CallError):
    """413: the body is larger than the configured limit."""

    status = 413
    issue_code = "too-long"


class UnsupportedMediaType(CallError):
    """415: the body is not declared as JSON."""

    status = 415
    issue_code = "not-supported"


class Overloaded(CallError):
    """503: no capacity or no time left; the client may try again."""

    status = 503
    issue_code = "throttled"


MEDIA_TYPE = "application/fhir+json"

ISSUE_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    408: "timeout",
    412: "incomplete",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
    500: "exception",
    503: "throttled",
}
"""FHIR R4 issue type for each HTTP status (http://hl7.org/fhir/R4/valueset-issue-type.html)."""


def operation_outcome(code: str, text: str, *, expression: str | None = None) -> dict[str, Any]:
    """An OperationOutcome with one error.

    `code` is a FHIR issue type, `text` is free of patient data, `expression` is the path of the wrong member.
    """
    issue: dict[str, Any] = {"severity": "error", "code": code, "details": {"text": text}, "diagnostics": text}
    if expression:
        issue["expression"] = [expression]
    return {"resourceType": "OperationOutcome", "issue": [issue]}
