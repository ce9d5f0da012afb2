"""Decoding a call, once, into the typed model of what is read (`app.wire`).

Nearly every call fits. Where one does not, its records are decoded one by one, and only those that do not fit are
repaired. What is no JSON is refused, and so are duplicate names that would lose records (decision 64).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import MsgspecError, Raw
from msgspec.json import Decoder
from msgspec.structs import replace

from app.decoding.repair import repaired, repaired_entry
from app.decoding.strict_json import loads, refuse_lost_records, too_deep
from app.wire.bundle import Bundle, Entry
from app.wire.call import Call, Context, Decoded
from app.wire.record import ClinicalRecord, Record, made
from app.wire.resources import Damaged, Resource

_call, _resource, _entry = Decoder(Call), Decoder(Resource | None), Decoder(Entry)
_members, _items = Decoder(dict[str, Raw]), Decoder(list[Raw])
_DOES_NOT_FIT = (MsgspecError, UnicodeDecodeError)
_PLAIN = {
    "hook": "hook",
    "hookInstance": "hook_instance",
    "fhirServer": "fhir_server",
    "fhirAuthorization": "fhir_authorization",
    "extension": "extension",
}
_PLAIN_OF_CONTEXT = {
    "userId": "user_id",
    "patientId": "patient_id",
    "encounterId": "encounter_id",
    "selections": "selections",
}
_RECORDS_OF_CONTEXT = {
    "draftOrders": "draft_orders",
    "conditions": "conditions",
    "medications": "medications",
    "allergyIntolerance": "allergy_intolerance",
    "allergyIntolerances": "allergy_intolerances",
}


def decode_call(raw: bytes) -> Decoded:
    """The body of a call. Raises MalformedRequest for what is no JSON, and where records would be lost."""
    try:
        _check_text(raw)
        made.count = 0
        try:
            call: Call = _call.decode(raw)
        except _DOES_NOT_FIT:
            return _tolerant_call(raw)
        if made.count != _held_by(call):
            refuse_lost_records(raw)
        return Decoded(call)
    except RecursionError:
        raise too_deep() from None


def resource_of(tree: object) -> Record:
    """A resource out of JSON that was decoded already; `Damaged` where not all of it, or nothing, can be read."""
    try:
        found: Record | None = msgspec.convert(tree, Resource)
    except MsgspecError:
        found = repaired(tree)
    return found or Damaged()


def _check_text(raw: bytes) -> None:
    """Refuse text that is not UTF-8, also in members that are not decoded."""
    if not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError:
            loads(raw)


def _held_by(call: Call) -> int:
    """How many resources and contexts can be reached from a call."""
    count = 0
    waiting: list[Record | None] = list((call.prefetch or {}).values())
    if call.context is not None:
        count = 1
        waiting += call.context.records
    while waiting:
        record = waiting.pop()
        if record is None:
            continue
        count += 1
        if isinstance(record, ClinicalRecord):
            if record.contained:
                waiting.extend(record.contained)
        elif isinstance(record, Bundle):
            for entry in record.entry:
                waiting.append(entry.resource)
                if entry.response is not None:
                    waiting.append(entry.response.outcome)
    return count


def _tolerant_call(raw: bytes) -> Decoded:
    """The call where not all of it fits."""
    tolerant = _Tolerant()
    members = tolerant.members(raw)
    if members is None:
        return Decoded(Call(), frozenset({""}))
    call = Call(**_plain(members, _PLAIN))
    context = tolerant.member_object(members, "context", "context")
    if context is not None:
        records = {name: tolerant.record(context, key, f"context.{key}") for key, name in _RECORDS_OF_CONTEXT.items()}
        call.context = Context(**_plain(context, _PLAIN_OF_CONTEXT), **records)
    prefetch = tolerant.member_object(members, "prefetch", "prefetch")
    if prefetch is not None:
        call.prefetch = {key: tolerant.record(prefetch, key, f"prefetch.{key}") for key in prefetch}
    if tolerant.may_have_lost:
        refuse_lost_records(raw)
    return Decoded(call, frozenset(tolerant.wrong))


def _plain(members: Mapping[str, Raw], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: loads(bytes(members[key])) for key, name in names.items() if key in members}


class _Tolerant:
    """Decoding member by member. `wrong`: paths of members that make a call malformed."""

    def __init__(self) -> None:
        self.wrong: set[str] = set()
        self.may_have_lost = False

    def members(self, text: Raw | bytes) -> dict[str, Raw] | None:
        """The members of an object; None for any other value."""
        try:
            found: dict[str, Raw] = _members.decode(text)
        except _DOES_NOT_FIT:
            if isinstance(loads(bytes(text)), dict):
                raise
            return None
        self.may_have_lost = self.may_have_lost or not _is_all(text, found)
        return found

    def member_object(self, members: Mapping[str, Raw], name: str, path: str) -> dict[str, Raw] | None:
        """A member that has to be an object; None where it is absent or null."""
        if name not in members or bytes(members[name]) == b"null":
            return None
        found = self.members(members[name])
        if found is None:
            self.wrong.add(path)
        return found

    def record(self, members: Mapping[str, Raw], name: str, path: str) -> Record | None:
        """A member that has to be a resource; None where it is absent or null."""
        if name not in members:
            return None
        made.count = 0
        try:
            found: Record | None = _resource.decode(members[name])
        except _DOES_NOT_FIT:
            return self.resource(members[name], path)
        if made.count and found is not None:
            self.may_have_lost = self.may_have_lost or made.count != _held_by(Call(prefetch={name: found}))
        return found

    def resource(self, text: Raw | bytes, path: str) -> Record | None:
        """A resource that does not fit, repaired; a list entry by entry."""
        members = self.members(text)
        if members is None:
            self.wrong.add(path)
            return None
        if "resourceType" not in members and "resource" in members:  # as an entry of a Bundle holds it
            return self.record(members, "resource", path) or Damaged()
        if bytes(members.get("resourceType", b"")) != b'"Bundle"' or "entry" not in members:
            return repaired(loads(bytes(text))) or Damaged()
        entries = self._entries(members.pop("entry"), path)
        bundle = repaired({name: loads(bytes(member)) for name, member in members.items()})
        if isinstance(bundle, Damaged) and isinstance(bundle.record, Bundle):
            return replace(bundle, record=replace(bundle.record, entry=entries))
        return replace(bundle, entry=entries) if isinstance(bundle, Bundle) else Damaged()

    def _entries(self, text: Raw, path: str) -> tuple[Entry, ...]:
        try:
            items: Iterable[Raw] = _items.decode(text)
        except _DOES_NOT_FIT:
            if loads(bytes(text)) is None:
                return ()
            self.wrong.add(f"{path}.entry")
            return (Entry(),)
        return tuple([_decoded_entry(item) for item in items])


def _decoded_entry(item: Raw) -> Entry:
    try:
        entry: Entry = _entry.decode(item)
    except _DOES_NOT_FIT:
        return repaired_entry(loads(bytes(item)))
    return entry


def _is_all(text: Raw | bytes, members: Mapping[str, Raw]) -> bool:
    """Whether an object certainly has no more members than these: it is as long as they are, written without spaces."""
    inside = sum(len(name.encode()) + len(b'"":') + memoryview(member).nbytes for name, member in members.items())
    return memoryview(text).nbytes == len(b"{}") + inside + max(len(members) - 1, 0)
