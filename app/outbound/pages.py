"""Pages of a search: the link to the next one, addresses behind a proxy, and pages that can be fetched in parallel.

FHIR R4 leaves the form of a `next` link to the server. Where the link differs from page to page by one number only
(an offset or the number of the page) and the Bundle has a `total`, the addresses of all pages are known from the first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

Resource = dict[str, Any]

_OFFSETS = frozenset({"_getpagesoffset", "_offset", "offset", "_skip", "skip"})
"""Parameters that count entries (HAPI, Firely, and others)."""
_NUMBERS = frozenset({"page", "_page", "pagenumber"})
"""Parameters that count pages."""
_SECOND = 2


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Addresses as the server writes them in its links -> addresses by which it is reached (OSTEON_FHIR_REWRITE)."""

    pairs: tuple[tuple[str, str], ...] = ()

    def __call__(self, url: str) -> str:
        """The address by which a link is followed; one below no known base stays as it is."""
        for written, reached in self.pairs:
            rest = url.removeprefix(written)
            if url.startswith(written) and rest[:1] in ("", "/", "?"):
                return reached + rest
        return url


def entries_of(bundle: Resource) -> list[Any]:
    """The entries of a Bundle; something else than a list is kept as one entry that cannot be read."""
    entries = bundle.get("entry")
    if entries is None:
        return []
    return list(entries) if isinstance(entries, list) else [entries]


def next_link(bundle: Resource) -> str | None:
    """The address of the next page as it is written; "" where the link has none, None where there is no link."""
    links = bundle.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, Mapping) and link.get("relation") == "next":
            url = link.get("url")
            return url if isinstance(url, str) else ""
    return None


def further_pages(bundle: Resource, link: str, *, most: int) -> list[str]:
    """The addresses of all pages after the first one, in order; empty where it does not determine them.

    `most`: the highest number of pages of one search.
    """
    total, found = bundle.get("total"), len(entries_of(bundle))
    if not isinstance(total, int) or isinstance(total, bool) or not 0 < found < total:
        return []
    base, _, query = link.partition("?")
    parameters = parse_qsl(query, keep_blank_values=True)
    counting = [index for index, (name, _) in enumerate(parameters) if name.lower() in _OFFSETS | _NUMBERS]
    pages = math.ceil(total / found)
    if len(counting) != 1 or pages > most:
        return []
    place = counting[0]
    name, value = parameters[place]
    if name.lower() in _OFFSETS and value == str(found):
        values = [str(found * page) for page in range(1, pages)]
    elif name.lower() in _NUMBERS and value == str(_SECOND):
        values = [str(page) for page in range(_SECOND, pages + 1)]
    else:
        return []
    return [link if v == value else f"{base}?{urlencode(_at(parameters, place, (name, v)))}" for v in values]


def _at(parameters: list[tuple[str, str]], place: int, one: tuple[str, str]) -> list[tuple[str, str]]:
    return [one if index == place else other for index, other in enumerate(parameters)]
