"""The resources that a context brings: orders, conditions, an intolerance, in the shapes that clients send.

Sources: the hook definitions of HL7/cds-hooks-library and their examples, which do not always agree: the definition of
allergyintolerance-create has one resource, its R4 example a `resource` inside, its STU3 example a Bundle under another
name. A member that is absent or no object is refused (400). What came in a shape that is not known is set aside and
named by its place in the context, never taken for "nothing".
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from app.cds_hooks.errors import MalformedRequest
from app.cds_hooks.prefetch import Collected
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
    """The resources, those of them that lack members which could not be read, and what could not be taken."""

    records: tuple[Record, ...] = ()
    damaged: tuple[Damaged, ...] = ()
    set_aside: tuple[SetAside, ...] = ()


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
        return Found(kept, found.damaged, (*found.set_aside, *noted))
    return _single(value, AllergyIntolerance, path)


def _required(value: Record | None, path: str) -> Record | None:
    """The resource itself, whether or not members of it could be read."""
    if value is None:
        raise MalformedRequest(f"{path} is required and must be an object", expression=path)
    return value.record if isinstance(value, Damaged) else value


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
    return Found(tuple(collected.entries), tuple(collected.damaged), set_aside)
