"""The resources that a context brings: orders, conditions, an intolerance, in the shapes that clients send.

Sources: the hook definitions of HL7/cds-hooks-library and their examples, which do not always agree: the definition of
allergyintolerance-create has one resource, its R4 example a `resource` inside, its STU3 example a Bundle under another
name. A member that is absent or no object is refused (400). What came in a shape that is not known is set aside and
named by its place in the context, never taken for "nothing".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from app.cds_hooks.bundles import Collected, whole_of
from app.cds_hooks.errors import MalformedRequest
from app.chart import UNREADABLE, SetAside
from app.wire.bundle import Bundle
from app.wire.call import Context
from app.wire.conditions import AllergyIntolerance
from app.wire.medications import MedicationRequest
from app.wire.record import Record
from app.wire.resources import Damaged

INTOLERANCE = "allergyIntolerance"
INTOLERANCES = "allergyIntolerances"
_INTOLERANCE_PATH = f"context.{INTOLERANCE}"


class Found(NamedTuple):
    """The resources, those of them that lack members which could not be read, and what could not be taken.

    `addresses`: resources by the `fullUrl` of their entry, where that is not their own type and id.
    """

    records: tuple[Record, ...] = ()
    damaged: tuple[Damaged, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    addresses: Mapping[str, Record] = {}


def bundle_of(value: Record | None, path: str, wrong: Collection[str]) -> Found:
    """The resources of a required Bundle of the context. Raises MalformedRequest where it is none."""
    if not isinstance(_required(value, path), Bundle):
        raise MalformedRequest(f"{path} must be a FHIR Bundle", expression=path)
    return _entries(value, path, wrong)


def refills_of(value: Record | None, path: str, wrong: Collection[str]) -> Found:
    """The prescriptions of medication-refill: a Bundle; also one MedicationRequest alone, or inside `resource`."""
    if isinstance(_required(value, path), Bundle):
        return _entries(value, path, wrong)
    return _single(value, MedicationRequest, path)


def intolerances_of(context: Context, wrong: Collection[str]) -> Found:
    """The new AllergyIntolerance in its three shapes: the resource, a `resource` inside, a Bundle (also the plural)."""
    plural = context.allergy_intolerance is None and context.allergy_intolerances is not None
    path = f"context.{INTOLERANCES}" if plural else _INTOLERANCE_PATH
    value = context.allergy_intolerances if plural else context.allergy_intolerance
    if isinstance(_required(value, path), Bundle):
        found = _entries(value, path, wrong)
        kept = tuple(record for record in found.records if isinstance(record, AllergyIntolerance))
        others = len(found.records) - len(kept)
        noted = (SetAside(path, UNREADABLE, others),) if others or not (found.records or found.set_aside) else ()
        return Found(kept, found.damaged, (*found.set_aside, *noted), found.addresses)
    return _single(value, AllergyIntolerance, path)


def _required(value: Record | None, path: str) -> Record | None:
    """The resource itself, whether or not members of it could be read."""
    if value is None:
        raise MalformedRequest(f"{path} is required and must be an object", expression=path)
    return whole_of(value)


def _single(value: Record | None, kind: type[Record], path: str) -> Found:
    """One resource of a kind; anything else is set aside."""
    if isinstance(value, Damaged) and isinstance(value.record, kind):
        return Found((value.record,), (value,))
    return Found((value,)) if isinstance(value, kind) else Found(set_aside=(SetAside(path, UNREADABLE),))


def _entries(value: Record | None, path: str, wrong: Collection[str]) -> Found:
    """The resources of a Bundle; entries without a readable one are counted."""
    if f"{path}.entry" in wrong:
        raise MalformedRequest(f"{path}.entry must be an array", expression=f"{path}.entry")
    bundle = _required(value, path)
    collected = Collected()
    if isinstance(bundle, Bundle):
        collected.take_all(bundle)
    set_aside = tuple(SetAside(path, reason, count) for reason, count in collected.set_aside.items())
    return Found(tuple(collected.entries), tuple(collected.damaged), set_aside, collected.addresses)


def selected_in(selections: Collection[str], drafts: Found) -> tuple[frozenset[str], int]:
    """The drafts that are selected, as Type/id, and how many selections name none.

    A selection can be relative, absolute, versioned, the `fullUrl` of an entry, or a bare id. Raises MalformedRequest
    where all of them name nothing: then it is not known what the call is about.
    """
    by_id: dict[str, list[str]] = {}
    for record in drafts.records:
        by_id.setdefault(record.id or "", []).append(f"{record.kind}/{record.id}")
    found: set[str] = set()
    lost = 0
    for selection in selections:
        address = selection.strip()
        entry = drafts.addresses.get(address)
        named = [f"{entry.kind}/{entry.id}"] if entry is not None else _named(address, by_id)
        found.update(named)
        lost += not named
    if selections and not found:
        path = "context.selections"
        raise MalformedRequest(f"{path} names no order of context.draftOrders", expression=path)
    return frozenset(found), lost


def _named(address: str, by_id: Mapping[str, list[str]]) -> list[str]:
    """The drafts that an address names by type and id, or by id alone."""
    *before, identifier = address.partition("/_history/")[0].removeprefix("urn:uuid:").split("/")
    kind = before[-1] if before else ""
    return [name for name in by_id.get(identifier, ()) if not kind or name.startswith(f"{kind}/")]
