"""Fetching from the client's FHIR server what was left out of prefetch.

All keys in parallel within one deadline; pages of a search followed on the same server only, in parallel where their
addresses are known; the token sent to listed servers only and never kept. A query that fails costs its key and nothing
else. A search that the server refuses without a category is repeated by category. What comes back has the shape of
a prefetch value, so that there is one place (`app.cds_hooks.prefetch`) that defines the meaning of such a value.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote, urljoin

import orjson

from app.outbound.addresses import AddressRefused, Url
from app.outbound.egress import Answer, Egress, EgressFailed
from app.outbound.pages import Resource, Rewriting, entries_of, further_pages, next_link
from app.outbound.reasons import NOT_LISTED, REQUIRED
from app.outbound.settings import FhirClientSettings

MEDIA_TYPES = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})

_BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750, 2.1
_SCOPE = re.compile(r"(?P<context>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<grants>[a-z]+|\*)")
_READS = re.compile(r"\*|read|c?(?:ru?d?s?|u?d?s)")  # SMART 1, and SMART 2 with r (read) or s (search) in it
# Several queries together may hold more than one answer may, but not as much as all of them at their limit.
_CALL_FACTOR = 4
METADATA = "metadata"
"""The address of a server's CapabilityStatement, below its base."""
_PAGES_TOGETHER = 4
"""How many further pages of one call are fetched at the same time: each can be as large as an answer may be."""
_REFUSALS = frozenset({400, 403, 422})
_STATUS_REASONS = {
    400: "refused-query",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    410: "not-found",
    422: "refused-query",
    429: "busy",
    503: "busy",
}
_NARROWER: dict[str, tuple[str, ...]] = {
    "Observation": (
        "category=laboratory",
        "category=vital-signs",
        "category=social-history",
        "category=imaging",
        "category=exam",
        "category=survey",
    ),
    "Condition": ("category=problem-list-item", "category=encounter-diagnosis", "category=health-concern"),
    "DiagnosticReport": ("category=RAD", "category=http://loinc.org|LP29684-5", "category=LAB"),
    "MedicationRequest": ("intent=order", "intent=plan", "intent=original-order"),
}
"""What a search by patient alone becomes where the server answers that a parameter is required: the parameters that
US Core 6 and 7 oblige servers to take together with `patient`."""


class Authorization(Protocol):
    """What is needed of `fhirAuthorization` (CDS Hooks 2.0.1, "Passing the Access Token")."""

    @property
    def access_token(self) -> str:
        """The bearer token."""

    @property
    def expires_in(self) -> int:
        """Its lifetime in seconds from the call on."""

    @property
    def scope(self) -> str:
        """What it grants, as SMART scopes separated by spaces."""

    @property
    def patient(self) -> str | None:
        """The only patient that it is good for, where it has patient/ scopes."""


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What one query gave.

    `value`: a resource, or a searchset Bundle with the entries of all pages; None where the query failed. A Bundle that
    lacks pages keeps a `next` link, which marks it as incomplete. `failure` is why the query failed or the Bundle is
    incomplete, one of `app.outbound.reasons.REASONS`. `pages`: how many were fetched.
    """

    value: Resource | None = field(default=None, repr=False)
    failure: str | None = None
    pages: int = 1


class FhirClient:
    """A client for the FHIR servers of the settings; one per process, with one connection pool."""

    def __init__(self, settings: FhirClientSettings, egress: Egress | None = None) -> None:
        self.settings = settings
        if egress is None:
            egress = Egress(
                settings.bases,
                networks=settings.networks,
                ca_file=str(settings.fhir_ca_file) if settings.fhir_ca_file else None,
            )
        self._egress = egress

    def allows(self, fhir_server: str) -> bool:
        """Whether this server may be called."""
        try:
            self._egress.allowed(fhir_server)
        except AddressRefused:
            return False
        return True

    async def fetch_missing(
        self,
        *,
        fhir_server: str,
        authorization: Authorization | None,
        patient_id: str,
        keys: Mapping[str, str],
        deadline_seconds: float | None = None,
    ) -> Mapping[str, FetchResult]:
        """Fetch each key's query ("Observation?patient=1", or the absolute URL of a `next` page of the same server).

        `deadline_seconds` is for all together, by default that of the settings. Never raises for what the server does:
        each key has its result, and a query that the deadline cuts off keeps the pages that it had.
        """
        try:
            base = self._egress.allowed(fhir_server)
        except AddressRefused:
            return dict.fromkeys(keys, FetchResult(failure=NOT_LISTED))
        if base.query is not None:
            return dict.fromkeys(keys, FetchResult(failure=NOT_LISTED))
        headers = {"Accept": "application/fhir+json"}
        if authorization is not None:
            if refusal := _unusable(authorization, patient_id):
                return dict.fromkeys(keys, FetchResult(failure=refusal))
            headers["Authorization"] = f"Bearer {authorization.access_token}"
        loop = asyncio.get_running_loop()
        call = _Call(
            egress=self._egress,
            base=base,
            headers=headers,
            ends=loop.time() + (deadline_seconds or self.settings.fhir_deadline),
            bytes_left=self.settings.fhir_max_bytes * _CALL_FACTOR,
            max_bytes=self.settings.fhir_max_bytes,
            max_pages=self.settings.fhir_max_pages,
            page_size=self.settings.fhir_page_size,
            rewriting=self.settings.rewriting,
        )
        results = await asyncio.gather(*(call.fetch(query, authorization) for query in keys.values()))
        return dict(zip(keys, results, strict=True))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._egress.aclose()


@dataclass(slots=True)
class _Call:
    """The queries of one hook call: they share the deadline and the number of bytes."""

    egress: Egress
    base: Url
    headers: dict[str, str] = field(repr=False)
    ends: float
    bytes_left: int
    max_bytes: int
    max_pages: int
    page_size: int
    rewriting: Rewriting
    together: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_PAGES_TOGETHER), repr=False)

    async def fetch(self, query: str, authorization: Authorization | None) -> FetchResult:
        result = await self._fetch(query, authorization)
        kind, _, parameters = query.partition("?")
        narrower = _NARROWER.get(kind, ()) if result.failure == REQUIRED and "&" not in parameters else ()
        if not narrower:
            return result
        parts = await asyncio.gather(*(self._fetch(f"{query}&{more}", authorization) for more in narrower))
        return _joined(parts)

    async def _fetch(self, query: str, authorization: Authorization | None) -> FetchResult:
        try:
            url = self._resolve(self._sized(query))
            wanted = _path_below(self.base, url)
            if authorization and not _grants(authorization.scope, wanted[0]):
                return FetchResult(failure="not-permitted")
            first = await self._get(url)
        except AddressRefused:
            return FetchResult(failure=NOT_LISTED)
        except EgressFailed as failed:
            return FetchResult(failure=failed.reason)
        if len(wanted) == 2:
            # A read: any other resource could belong to another patient.
            same = [first["resourceType"], first.get("id")] == wanted
            return FetchResult(first) if same else FetchResult(failure="not-fhir")
        if wanted == [METADATA]:
            return FetchResult(first)
        if first["resourceType"] != "Bundle":
            return FetchResult(failure="not-fhir")
        return await self._with_further_pages(first)

    def _sized(self, query: str) -> str:
        """A search with a page size, where it has none; a read, or the address of a page, as it is."""
        kind, mark, parameters = query.partition("?")
        if not mark or not kind.isalpha() or "_count=" in parameters:
            return query
        return f"{query}&_count={self.page_size}"

    async def _with_further_pages(self, bundle: Resource) -> FetchResult:
        """The Bundle with the entries of all its pages; what fails on the way leaves it incomplete."""
        entries = entries_of(bundle)
        link, failure, pages = next_link(bundle), None, 1
        known = further_pages(bundle, link, most=self.max_pages) if link else []
        if len(known) > 1:
            found = await asyncio.gather(*(self._page(address) for address in known))
            for address, (page, reason) in zip(known, found, strict=True):
                if page is None:
                    failure, link = reason, address
                    break
                entries.extend(entries_of(page))
                pages, link = pages + 1, next_link(page)
        seen = {self.rewriting(address) for address in known}
        while link is not None and failure is None:
            address = self.rewriting(link)
            if address in seen or pages >= self.max_pages:
                failure = "too-many-pages"
                break
            seen.add(address)
            page, failure = await self._page(link)
            if page is not None:
                entries.extend(entries_of(page))
                pages, link = pages + 1, next_link(page)
        links = [{"relation": "next", "url": link}] if link is not None else []
        whole = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
        return FetchResult(whole, failure, pages)

    async def _page(self, link: str) -> tuple[Resource | None, str | None]:
        """One further page, or why it could not be had."""
        try:
            async with self.together:
                page = await self._get(self._resolve(self.rewriting(link)))
        except AddressRefused:
            return None, NOT_LISTED
        except EgressFailed as failed:
            return None, failed.reason
        return (page, None) if page["resourceType"] == "Bundle" else (None, "not-fhir")

    def _resolve(self, query: str) -> Url:
        """The URL of a query or a page; on the server of the call and nowhere else, listed or not."""
        url = self.egress.allowed(urljoin(str(self.base).rstrip("/") + "/", query))
        if not self.base.covers(url):
            raise AddressRefused(NOT_LISTED)
        return url

    async def _get(self, url: Url) -> Resource:
        seconds = self.ends - asyncio.get_running_loop().time()
        if seconds <= 0:
            raise EgressFailed("timeout")
        limit = min(self.max_bytes, self.bytes_left)
        if limit <= 0:
            raise EgressFailed("too-large")
        answer = await self.egress.get(url, self.headers, seconds=seconds, max_bytes=limit)
        self.bytes_left -= len(answer.body)
        return _resource(answer)


def _resource(answer: Answer) -> Resource:
    """The resource of an answer. Raises EgressFailed with the reason why there is none."""
    if 300 <= answer.status < 400:
        raise EgressFailed("redirect")
    if answer.status != 200:
        reason = _STATUS_REASONS.get(answer.status, "status")
        raise EgressFailed(REQUIRED if answer.status in _REFUSALS and _says_required(answer) else reason)
    if answer.media_type not in MEDIA_TYPES:
        raise EgressFailed("not-fhir")
    try:
        value = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise EgressFailed("not-fhir") from None
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise EgressFailed("not-fhir")
    return value


def _says_required(answer: Answer) -> bool:
    """Whether a refusal is an OperationOutcome with the issue type `required`, or one that asks for a category.

    Epic and Cerner name the parameter in the text; the issue type alone is what R4 has for it.
    """
    try:
        outcome = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return False
    issues = outcome.get("issue") if isinstance(outcome, dict) else None
    for issue in issues if isinstance(issues, list) else []:
        if isinstance(issue, dict) and (issue.get("code") == REQUIRED or "category" in str(issue).lower()):
            return True
    return False


def _joined(parts: Sequence[FetchResult]) -> FetchResult:
    """The parts of one query, sent by category, as one list; without one of them it is incomplete."""
    values = [part.value for part in parts if part.value is not None]
    failure = next((part.failure for part in parts if part.failure), None)
    if not values:
        return FetchResult(failure=failure)
    entries = [entry for value in values for entry in entries_of(value)]
    if failure and all(next_link(value) is None for value in values):
        entries.append({"resource": {"resourceType": "OperationOutcome", "issue": [_FAILED_PART]}})
    links = [{"relation": "next", "url": link} for value in values if (link := next_link(value)) is not None][:1]
    whole = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
    return FetchResult(whole, failure, sum(part.pages for part in parts))


_FAILED_PART = {"severity": "error", "code": "exception", "diagnostics": "a part of the query failed"}


def _unusable(authorization: Authorization, patient_id: str) -> str | None:
    """Why a token cannot be used for this patient at all; None where it can."""
    if authorization.expires_in <= 0 or not _BEARER.fullmatch(authorization.access_token):
        return "token"
    if authorization.patient is not None and authorization.patient.removeprefix("Patient/") != patient_id:
        return "not-permitted"
    return None


def _grants(scope: str, resource_type: str) -> bool:
    """Whether the scopes let this type be read. Scopes of another form do not decide it: then the server decides.

    A page that is addressed by its number has no type that scopes could be compared with.
    """
    scopes = [match for part in scope.split() if (match := _SCOPE.fullmatch(part.partition("?")[0]))]
    return not (scopes and resource_type) or any(
        match["type"] in ("*", resource_type) and _READS.fullmatch(match["grants"]) for match in scopes
    )


def _path_below(base: Url, url: Url) -> list[str]:
    """The segments of a URL below its base: ["Patient", "1"] for a read, ["Observation"] for a search."""
    relative = url.path.removeprefix(base.path.rstrip("/")).strip("/")
    return [unquote(segment) for segment in relative.split("/")]
