"""Feedback: what became of the cards of earlier answers.

The service keeps no cards, so any card id is accepted. A user's comment can hold patient data: only that there was one
is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.cds_hooks.errors import MalformedRequest
from app.cds_hooks.response import Coding

SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"

OVERRIDE_REASONS: tuple[Coding, ...] = (
    Coding("action-completed", SYSTEM, "Already done"),
    Coding("patient-contraindication", SYSTEM, "Contraindicated for this patient"),
    Coding("patient-refuses", SYSTEM, "The patient declines"),
    Coding("cds-not-applicable", SYSTEM, "Does not apply to this patient"),
    Coding("recipient-disagrees-evidence", SYSTEM, "I do not agree with the evidence"),
    Coding("not-convenient-feasible", SYSTEM, "Not feasible now"),
    Coding("service-not-available", SYSTEM, "Not available here"),
)

CODES = frozenset(reason.code for reason in OVERRIDE_REASONS)


# RFC 3339 date-time; the standard asks for UTC, and an offset defines the moment just as well.
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_COMMENT_LIMIT = 10_000
_ITEM_LIMIT = 10_000


class Outcome(StrEnum):
    """What the user did with a card."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of one card. `reason_code` and `reason_system` are the client's, and can be codes of its own."""

    card: str
    outcome: Outcome
    timestamp: str
    accepted_suggestions: tuple[str, ...] = ()
    reason_code: str | None = None
    reason_system: str | None = None
    commented: bool = False


def read_feedback(body: object) -> tuple[Feedback, ...]:
    """The items of a feedback body. Raises MalformedRequest that names the member that is wrong."""
    items = body.get("feedback") if isinstance(body, dict) else None
    if not isinstance(items, list) or not items:
        raise MalformedRequest(
            "feedback is required and must be an array with at least one item", expression="feedback"
        )
    if len(items) > _ITEM_LIMIT:
        raise MalformedRequest(f"feedback must have at most {_ITEM_LIMIT} items", expression="feedback")
    return tuple(_item(item, f"feedback[{position}]") for position, item in enumerate(items))


def _item(item: object, path: str) -> Feedback:
    if not isinstance(item, dict):
        raise MalformedRequest(f"{path} must be an object", expression=path)
    outcome = item.get("outcome")
    if not isinstance(outcome, str) or outcome not in set(Outcome):
        raise MalformedRequest(f"{path}.outcome must be one of: {', '.join(Outcome)}", expression=f"{path}.outcome")
    timestamp = _text(item, "outcomeTimestamp", path)
    if not _TIMESTAMP.fullmatch(timestamp):
        name = f"{path}.outcomeTimestamp"
        raise MalformedRequest(f"{name} must be an RFC 3339 date and time with a zone", expression=name)
    code, system, commented = _reason(item, path)
    return Feedback(
        card=_text(item, "card", path),
        outcome=Outcome(outcome),
        timestamp=timestamp,
        accepted_suggestions=_accepted(item, path, required=outcome == Outcome.ACCEPTED),
        reason_code=code,
        reason_system=system,
        commented=commented,
    )


def _accepted(item: Mapping[str, Any], path: str, *, required: bool) -> tuple[str, ...]:
    name = f"{path}.acceptedSuggestions"
    suggestions = item.get("acceptedSuggestions")
    if suggestions is None and not required:
        return ()
    if not isinstance(suggestions, list) or not suggestions or not all(isinstance(s, dict) for s in suggestions):
        raise MalformedRequest(f"{name} must be an array with at least one object", expression=name)
    return tuple(_text(suggestion, "id", f"{name}[{position}]") for position, suggestion in enumerate(suggestions))


def _reason(item: Mapping[str, Any], path: str) -> tuple[str | None, str | None, bool]:
    """Code, system and whether there is a comment. The flat form of early drafts (code beside comment) is read too."""
    name = f"{path}.overrideReason"
    override = item.get("overrideReason")
    if override is None:
        return None, None, False
    if not isinstance(override, dict):
        raise MalformedRequest(f"{name} must be an object", expression=name)
    comment = override.get("userComment")
    if comment is not None and (not isinstance(comment, str) or len(comment) > _COMMENT_LIMIT):
        path = f"{name}.userComment"
        raise MalformedRequest(f"{path} must be a string of at most {_COMMENT_LIMIT} characters", expression=path)
    reason = override.get("reason", override if "code" in override else None)
    if reason is None:
        if comment is None:
            raise MalformedRequest(f"{name} must have a reason or a userComment", expression=name)
        return None, None, True
    if not isinstance(reason, dict):
        raise MalformedRequest(f"{name}.reason must be an object", expression=f"{name}.reason")
    where = f"{name}.reason" if reason is not override else name
    return _text(reason, "code", where), _text(reason, "system", where), comment is not None


def _text(members: Mapping[str, Any], name: str, path: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value.strip():
        raise MalformedRequest(f"{path}.{name} is required and must be a non-empty string", expression=f"{path}.{name}")
    return value
