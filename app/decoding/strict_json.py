"""Strict JSON (RFC 8259) as a tree.

orjson refuses NaN, infinities, lone surrogates and comments. It takes the last of two members with one name silently,
which in a chart could hide a value; such texts are refused here.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from app.cds_hooks.errors import MalformedRequest

_ESCAPED_COLON = re.compile(rb"\\u003[aA]")


def loads(raw: bytes) -> Any:
    """The JSON value. Raises MalformedRequest, without repeating anything of the text."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # Only the position: the message of the parser can hold a piece of the body.
        raise MalformedRequest(f"the body is not valid JSON (line {error.lineno}, column {error.colno})") from None
    _refuse_duplicates(raw, value)
    return value


def same_colons(raw: bytes, written: bytes) -> bool:
    """Whether a text written again certainly has all members that it had.

    It has exactly the colons of the first one: those between name and value, and those inside strings. A member that
    was dropped takes at least one colon with it. An escaped colon spoils the count: then nobody can tell.
    """
    return raw.count(b":") == written.count(b":") and not (b"\\" in raw and _ESCAPED_COLON.search(raw))


def _refuse_duplicates(raw: bytes, value: Any) -> None:
    """Refuse two members of one name in one object.

    A minified body comes out again byte for byte when it is written: nothing was dropped. Where the colons do not tell
    of another one, the slow parser decides.
    """
    try:
        written = orjson.dumps(value)
    except TypeError:  # orjson reads 1,024 levels and writes 254; no FHIR resource is nested as deeply
        raise MalformedRequest("the body is nested too deeply") from None
    if written == raw or same_colons(raw, written):
        return
    try:
        json.loads(raw, object_pairs_hook=_unique)
    except RecursionError:
        raise MalformedRequest("the body is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise MalformedRequest("the body has an object with two members of the same name")
