"""Unpacking Bundles: every resource in them, at every level, and how far their absence can be trusted.

A Bundle inside a Bundle (a batch-response with its searchsets) is read like the outer one. `total` larger than the
matches that came, without a further page, means that the list is incomplete. An OperationOutcome is a failure only with
severity `error` or `fatal`; `search.mode` `outcome` is never a match (contract, section 2).
"""

from __future__ import annotations

from msgspec.structs import replace

from app.chart import UNREADABLE, Availability
from app.wire.bundle import Bundle, Entry, OperationOutcome, Response
from app.wire.observations import Observation
from app.wire.patient import Patient
from app.wire.record import Record
from app.wire.resources import Damaged

OUTCOME = "operation-outcome"
_FAILED_SEVERITIES = frozenset({"error", "fatal"})


class Collected:
    """The resources of Bundles, and what of them could not be used.

    `damaged`: those that lack members which could not be read. `addresses`: resources by the `fullUrl` of their entry,
    where that is not their own type and id.
    """

    def __init__(self) -> None:
        self.entries: list[Record] = []
        self.patients: list[Patient] = []
        self.damaged: list[Damaged] = []
        self.addresses: dict[str, Record] = {}
        self.set_aside: dict[str, int] = {}
        self.next_pages: dict[str, str] = {}

    def add(self, record: Record) -> None:
        """Take a resource; one that is damaged without the members that could not be read."""
        if isinstance(record, Damaged):
            if record.record is None:
                self.skip(UNREADABLE)
                return
            self.damaged.append(record)
            record = record.record
        if isinstance(record, Patient):
            self.patients.append(record)
        else:
            self.entries.append(record)

    def skip(self, reason: str) -> None:
        """Count an entry that is not used."""
        self.set_aside[reason] = self.set_aside.get(reason, 0) + 1

    def take_all(self, bundle: Bundle) -> Availability:
        """Take all entries; PARTIAL where some are missing, FAILED where none came and a query failed.

        Whether the outermost Bundle has a further page is left to the caller, who may fetch it.
        """
        page = _Page()
        waiting = [bundle]
        while waiting:
            current = waiting.pop()
            if lacks_matches(current) or (current is not bundle and next_page(current)[0]):
                page.complete = False
            for entry in current.entry:
                resource = entry.resource
                if type(resource) is Observation and resource.id and _is_plain_match(entry):  # most of a chart
                    self.entries.append(resource)
                    page.found = True
                elif (inner := self._take(entry, page)) is not None:
                    waiting.append(inner)
        if page.failed and not page.found:
            return Availability.FAILED
        return Availability.PROVIDED if page.complete and not page.failed else Availability.PARTIAL

    def _take(self, entry: Entry, page: _Page) -> Bundle | None:
        """Take one entry; a Bundle in it is given back."""
        resource = entry.resource
        if entry.response is not None and _has_failed(entry.response):
            page.failed = True
            if resource is None:
                return None
        if resource is None:
            if entry.response is None:
                self.skip(UNREADABLE)
                page.complete = False
            return None
        whole = whole_of(resource)
        if isinstance(whole, OperationOutcome):
            if whole is not resource or is_failure(whole):
                page.failed = True
            else:
                self.skip(OUTCOME)
            return None
        if entry.search is not None and entry.search.mode == "outcome":
            self.skip(OUTCOME)  # never a match, whatever it holds
            return None
        page.found = True
        if isinstance(whole, Bundle):
            page.complete = page.complete and whole is resource
            return whole
        if entry.full_url is not None and not isinstance(whole, Observation):
            resource = self._addressed(resource, entry.full_url)
        self.add(resource if resource.id else _identified(resource, entry.full_url))
        return None

    def _addressed(self, resource: Record, full_url: str) -> Record:
        """The resource, which others can refer to by the address of its entry; it has an id after this."""
        resource = resource if resource.id else _identified(resource, full_url)
        whole = whole_of(resource)
        if whole is not None and not full_url.endswith(f"/{whole.kind}/{whole.id}"):
            self.addresses[full_url] = whole
        return resource


class _Page:
    """What the entries of a Bundle, and of those inside it, said of its completeness."""

    def __init__(self) -> None:
        self.complete, self.found, self.failed = True, False, False


def whole_of(value: Record) -> Record | None:
    """The resource itself, whether or not members of it could be read."""
    return value.record if isinstance(value, Damaged) else value


def next_page(bundle: Bundle) -> tuple[bool, str | None]:
    """Whether there is a further page, and its address where the link has one."""
    for link in bundle.link:
        if link.relation == "next":
            return True, link.url or None
    return False, None


def lacks_matches(bundle: Bundle) -> bool:
    """Whether a search found more than came, and no further page can bring the rest.

    `total` counts matches; a sender that counts every entry that it sends, included ones too, has sent all.
    """
    total = bundle.total
    if total is None or total == len(bundle.entry) or next_page(bundle)[0]:
        return False
    return total > sum(map(_is_match, bundle.entry))


def _is_plain_match(entry: Entry) -> bool:
    """Whether an entry only marks its resource as a match or included."""
    return entry.response is None and (entry.search is None or entry.search.mode != "outcome")


def _is_match(entry: Entry) -> bool:
    """Whether an entry counts in `total`."""
    mode = None if entry.search is None else entry.search.mode
    return mode in {None, "match"} and not isinstance(entry.resource, OperationOutcome)


def is_failure(outcome: OperationOutcome) -> bool:
    """Whether a query failed. An empty outcome cannot be taken for a harmless note."""
    return not outcome.issue or any(issue.severity in _FAILED_SEVERITIES for issue in outcome.issue)


def _has_failed(response: Response) -> bool:
    """Whether a request of a batch failed."""
    if response.status is not None and response.status.strip()[:1] in {"4", "5"}:
        return True
    outcome = response.outcome
    whole = None if outcome is None else whole_of(outcome)
    return isinstance(whole, OperationOutcome) and (whole is not outcome or is_failure(whole))


def _identified(resource: Record, full_url: str | None) -> Record:
    """A resource without an id with the one that its fullUrl gives it."""
    if full_url is None or not full_url.startswith("urn:uuid:"):
        return resource
    identifier = full_url.removeprefix("urn:uuid:")
    if isinstance(resource, Damaged) and resource.record is not None:
        return replace(resource, id=identifier, record=replace(resource.record, id=identifier))
    return replace(resource, id=identifier)
