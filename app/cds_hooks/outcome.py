"""OperationOutcome: the body of every answer that is not a success."""

from __future__ import annotations

from typing import Any

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
