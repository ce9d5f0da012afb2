"""Strict JSON (RFC 8259), and the members whose name must be unique (decision 64).

orjson refuses NaN, infinities, numbers out of range, lone surrogates, comments and invalid UTF-8.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from app.cds_hooks.errors import MalformedRequest


def loads(raw: bytes) -> Any:
    """The JSON value. Raises MalformedRequest, without repeating anything of the text."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # Only the position: the message of the parser can hold a piece of the body.
        raise MalformedRequest(f"the body is not valid JSON (line {error.lineno}, column {error.colno})") from None


def too_deep() -> MalformedRequest:
    """The refusal of a body that is nested more deeply than any FHIR resource."""
    return MalformedRequest("the body is nested too deeply")


_CALL = frozenset({"context", "prefetch"})
_RECORDS_OF_CONTEXT = frozenset(
    {"draftOrders", "conditions", "medications", "allergyIntolerance", "allergyIntolerances"}
)


class _Members(dict[str, Any]):
    """A JSON object with the names that it repeats."""

    twice: frozenset[str] = frozenset()


def refuse_lost_records(raw: bytes) -> None:
    """Raise MalformedRequest where a duplicate name would lose records or the context.

    These are `context`, `prefetch`, a key of `prefetch`, a member of `context` that holds records, and `entry` of a
    Bundle. Elsewhere the last of two members counts, as in every parser. Slow and exact: called only where a quick
    count gives reason to.
    """
    try:
        body = json.loads(raw, object_pairs_hook=_members)
        if _loses_members(body) or _lost_entries(body):
            raise MalformedRequest("the body has an object with two members of the same name")
    except RecursionError:
        raise too_deep() from None


def _members(pairs: list[tuple[str, Any]]) -> _Members:
    found = _Members(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice: set[str] = set()
        for name, _ in pairs:
            (twice if name in seen else seen).add(name)
        found.twice = frozenset(twice)
    return found


def _loses_members(body: object) -> bool:
    """Whether a member of the call that holds records is repeated."""
    if not isinstance(body, _Members):
        return False
    context, prefetch = body.get("context"), body.get("prefetch")
    return bool(
        body.twice & _CALL
        or (isinstance(context, _Members) and context.twice & _RECORDS_OF_CONTEXT)
        or (isinstance(prefetch, _Members) and prefetch.twice)
    )


def _lost_entries(value: object) -> bool:
    """Whether a Bundle anywhere has two lists of entries."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, _Members):
            if found.get("resourceType") == "Bundle" and "entry" in found.twice:
                return True
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
    return False
