"""JSON of tests as the typed model of what is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import orjson

from app.decoding.call import decode_call, resource_of
from app.wire.call import Decoded
from app.wire.elements import CodeableConcept, Quantity
from app.wire.record import Record
from app.wire.resources import Damaged


def call(body: Any) -> Decoded:
    """The body of a call, decoded."""
    return decode_call(orjson.dumps(body))


def concept(tree: Any) -> CodeableConcept:
    """A CodeableConcept."""
    return msgspec.convert(tree, CodeableConcept)


def quantity(tree: Any) -> Quantity:
    """A Quantity."""
    return msgspec.convert(tree, Quantity)


def record(tree: Any) -> Record:
    """A resource; `Damaged` where not all of it can be read."""
    return resource_of(tree)


def split(trees: Iterable[Any]) -> tuple[list[Record], list[Damaged]]:
    """The resources, and which of them lack members that could not be read."""
    records = [record(tree) for tree in trees]
    damaged = [found for found in records if isinstance(found, Damaged)]
    return [found.record or found if isinstance(found, Damaged) else found for found in records], damaged
