"""Bundle and OperationOutcome: how resources come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.wire.elements import CodeableConcept, WireType
from app.wire.record import Record

if TYPE_CHECKING:
    Resource = Record
    """Any resource. `app.wire.resources` puts the union of all kinds here when it has them all."""


class Issue(WireType, frozen=True, gc=False):
    """One message of an OperationOutcome."""

    severity: str | None = None
    code: str | None = None
    details: CodeableConcept | None = None


class OperationOutcome(Record, frozen=True, gc=False):
    """What came of a query, in place of its result or beside it."""

    issue: tuple[Issue, ...] = ()


class Link(WireType, frozen=True, gc=False):
    """An address, such as that of the next page."""

    relation: str | None = None
    url: str | None = None


class Search(WireType, frozen=True, gc=False):
    """Why an entry is in a searchset."""

    mode: str | None = None


class Response(WireType, frozen=True, gc=False):
    """What came of one request of a batch."""

    status: str | None = None
    outcome: Resource | None = None


class Entry(WireType, frozen=True, gc=False):
    """One resource of a Bundle."""

    resource: Resource | None = None
    full_url: str | None = None
    search: Search | None = None
    response: Response | None = None


class Bundle(Record, frozen=True, gc=False):
    """A list of resources: a searchset, a collection, a batch-response."""

    type: str | None = None
    total: int | None = None
    link: tuple[Link, ...] = ()
    entry: tuple[Entry, ...] = ()
