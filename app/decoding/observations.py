"""Decoding a call without a tree of its results, which are most of it.

What is accepted and what is refused is the same as with a tree (`strict_json`), because everything is either put into
a text member here, or read by `strict_json`, or equal, byte for byte, to what was read by it. A body that does not
fit, and every one that is wrong, is left to the tree: it alone knows what to say of it.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from msgspec import UNSET, MsgspecError, Raw, UnsetType
from msgspec.json import Decoder, Encoder
from msgspec.structs import astuple

from app.cds_hooks.errors import MalformedRequest
from app.decoding.strict_json import loads, same_colons
from app.decoding.written import AsWritten, Result, Text, WireType


class _Observation(Result, gc=False):
    """An Observation of R4; `Result` and what makes more of it than a number on a day."""

    implicit_rules: AsWritten = UNSET
    language: AsWritten = UNSET
    contained: AsWritten = UNSET
    extension: AsWritten = UNSET
    modifier_extension: AsWritten = UNSET
    based_on: AsWritten = UNSET
    part_of: AsWritten = UNSET
    focus: AsWritten = UNSET
    effective_period: AsWritten = UNSET
    effective_timing: AsWritten = UNSET
    effective_instant: AsWritten = UNSET
    value_codeable_concept: AsWritten = UNSET
    value_string: AsWritten = UNSET
    value_boolean: AsWritten = UNSET
    value_integer: AsWritten = UNSET
    value_range: AsWritten = UNSET
    value_ratio: AsWritten = UNSET
    value_sampled_data: AsWritten = UNSET
    value_time: AsWritten = UNSET
    value_date_time: AsWritten = UNSET
    value_period: AsWritten = UNSET
    data_absent_reason: AsWritten = UNSET
    note: AsWritten = UNSET
    body_site: AsWritten = UNSET
    method: AsWritten = UNSET
    specimen: AsWritten = UNSET
    device: AsWritten = UNSET
    has_member: AsWritten = UNSET
    derived_from: AsWritten = UNSET
    component: AsWritten = UNSET


class _Search(WireType, gc=False):
    mode: Text = UNSET


class _Link(WireType, gc=False):
    relation: Text = UNSET
    url: Text = UNSET


class _Entry(WireType, gc=False):
    resource: _Observation
    link: list[_Link] | UnsetType = UNSET
    full_url: Text = UNSET
    search: _Search | UnsetType = UNSET


class _Bundle(WireType, gc=False):
    entry: list[_Entry]
    resource_type: AsWritten = UNSET
    id: AsWritten = UNSET
    meta: AsWritten = UNSET
    type: AsWritten = UNSET
    timestamp: AsWritten = UNSET
    total: AsWritten = UNSET
    link: AsWritten = UNSET


class _Prefetch(WireType, gc=False):
    observations: _Bundle
    patient: AsWritten = UNSET
    medications: AsWritten = UNSET
    medication_requests: AsWritten = UNSET
    medication_administrations: AsWritten = UNSET
    conditions: AsWritten = UNSET
    procedures: AsWritten = UNSET
    family_history: AsWritten = UNSET
    allergies: AsWritten = UNSET
    diagnostic_reports: AsWritten = UNSET
    service_requests: AsWritten = UNSET


class _Call(WireType, gc=False):
    prefetch: _Prefetch
    hook_instance: AsWritten = UNSET
    hook: AsWritten = UNSET
    fhir_server: AsWritten = UNSET
    fhir_authorization: AsWritten = UNSET
    context: AsWritten = UNSET
    extension: AsWritten = UNSET


_decoder, _encoder = Decoder(_Call), Encoder()
_MEMBERS_OF_RESULT = len(Result.__struct_fields__)
_NO_ID = (UNSET, "")
_NO_MORE = (UNSET,) * (len(_Observation.__struct_fields__) - _MEMBERS_OF_RESULT)


def outlined(raw: bytes) -> dict[str, Any] | None:
    """The body as a tree, a `Result` in place of each entry that is no more than that; None where it does not fit."""
    try:
        call = _decoder.decode(raw)
        written = _encoder.encode(call)
        # Texts can only become shorter and numbers are as they were: with this length nothing is missing.
        if len(written) != len(raw) and not same_colons(raw, written):
            return None
        bundle = call.prefetch.observations
        observations = _tree(bundle) | {"entry": _entries(bundle.entry)}
        return _tree(call) | {"prefetch": _tree(call.prefetch) | {"observations": observations}}
    except (MsgspecError, UnicodeDecodeError, MalformedRequest, RecursionError):
        return None


def _tree(struct: WireType) -> dict[str, Any]:
    """The members that stand as written."""
    members = zip(struct.__struct_encode_fields__, astuple(struct), strict=True)
    return {name: loads(bytes(written)) for name, written in members if isinstance(written, Raw)}


def _entries(entries: list[_Entry]) -> list[Any]:
    """Plain results, and the trees of other entries. What a result has as written is read, each text once."""
    seen: set[bytes] = set()
    found: list[Any] = []
    for entry in entries:
        result = entry.resource
        if not _is_plain(result, entry.search):
            found.append(loads(_encoder.encode(entry)))
            continue
        meta = result.meta
        tag, security = (UNSET, UNSET) if meta is UNSET else (meta.tag, meta.security)
        for written in (result.category, result.code, result.interpretation, result.reference_range, tag, security):
            if written is not UNSET and (text := bytes(written)) not in seen:
                loads(text)
                seen.add(text)
        found.append(result)
    return found


def _is_plain(result: _Observation, search: _Search | UnsetType) -> bool:
    """Whether an entry is no more than a result."""
    quantity = result.value_quantity
    return (
        result.status == "final"
        and result.resource_type == "Observation"
        and (search is UNSET or search.mode != "outcome")
        and result.id not in _NO_ID
        and quantity is not UNSET
        and quantity.value is not UNSET
        and astuple(result)[_MEMBERS_OF_RESULT:] == _NO_MORE
        and _is_finite(bytes(quantity.value))
    )


def _is_finite(written: bytes) -> bool:
    """Whether a JSON value is a number, and of a size that parsers take."""
    try:
        return isfinite(float(written))
    except ValueError:
        return False
