"""Pages of a search: which addresses are known from the first page, and how addresses in links are rewritten."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from app.outbound.pages import Rewriting, further_pages, next_link
from app.outbound.reasons import REASONS
from app.outbound.settings import FhirClientSettings

OUTBOUND = Path(__file__).parents[3] / "app" / "outbound"


def page(entries: int, total: Any, link: str = "") -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "total": total,
        "entry": [{}] * entries,
        "link": [{"relation": "next", "url": link}],
    }


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://x/r4?_getpages=u&_getpagesoffset=2&_count=2", ["2", "4", "6"]),
        ("https://x/r4/Observation?patient=1&_offset=2", ["2", "4", "6"]),
        ("https://x/r4/Observation?patient=1&page=2", ["2", "3", "4"]),
    ],
)
def test_numbered_pages_are_known_from_the_first(link: str, expected: list[str]) -> None:
    found = further_pages(page(2, 7), link, most=20)
    assert [re.findall(r"(?:offset|page)=(\d+)", one)[0] for one in found] == expected
    assert found[0] == link


@pytest.mark.parametrize(
    ("bundle", "link", "most"),
    [
        (page(2, None), "https://x/r4?_offset=2", 20),  # no total
        (page(2, True), "https://x/r4?_offset=2", 20),
        (page(2, 2), "https://x/r4?_offset=2", 20),  # nothing more
        (page(0, 7), "https://x/r4?_offset=2", 20),  # a page without entries says nothing of the others
        (page(2, 7), "https://x/r4?_offset=3", 20),  # another step
        (page(2, 7), "https://x/r4?page=1", 20),  # pages that begin with another number
        (page(2, 7), "https://x/r4?cursor=abc", 20),  # an opaque link
        (page(2, 7), "https://x/r4?_offset=2&page=2", 20),  # which of them counts?
        (page(2, 700), "https://x/r4?_offset=2", 20),  # more than may be fetched
    ],
)
def test_other_links_are_followed_one_by_one(bundle: Any, link: str, most: int) -> None:
    assert further_pages(bundle, link, most=most) == []


@pytest.mark.parametrize(
    ("bundle", "expected"),
    [({}, None), ({"link": "x"}, None), ({"link": [{"relation": "self", "url": "u"}]}, None)],
)
def test_without_a_link_there_is_no_further_page(bundle: Any, expected: str | None) -> None:
    assert next_link(bundle) is expected
    assert next_link({"link": [{"relation": "next"}]}) == ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://inner:8080/fhir/Observation?a=b", "https://fhir.test/r4/Observation?a=b"),
        ("http://inner:8080/fhir?_getpages=u", "https://fhir.test/r4?_getpages=u"),
        ("http://inner:8080/fhir", "https://fhir.test/r4"),
        ("http://inner:8080/fhirx/Observation", "http://inner:8080/fhirx/Observation"),
        ("http://inner:8080.evil.test/fhir", "http://inner:8080.evil.test/fhir"),
        ("https://other.test/fhir", "https://other.test/fhir"),
        ("Observation?page=2", "Observation?page=2"),
    ],
)
def test_links_are_rewritten_at_the_end_of_a_segment(url: str, expected: str) -> None:
    assert Rewriting((("http://inner:8080/fhir", "https://fhir.test/r4"),))(url) == expected


@pytest.mark.parametrize(
    "pair",
    [
        "http://inner",
        "ftp://inner=https://fhir.test/r4",
        "http://inner=http://fhir.test/r4",
        "http://inner=https://other.test",
    ],
)
def test_a_wrong_rewriting_stops_the_start(pair: str) -> None:
    with pytest.raises(ValueError, match=r"pair|address|OSTEON_FHIR_SERVERS"):
        FhirClientSettings(fhir_servers=("https://fhir.test/r4",), fhir_rewrite=(pair,))


def test_every_reason_is_explained() -> None:
    """What the client and the guarded connection can answer is on the list that the operations page prints."""
    code = "".join(path.read_text(encoding="utf-8") for path in OUTBOUND.glob("*.py"))
    given = set(
        re.findall(r'EgressFailed\("([a-z-]+)"\)|failure="([a-z-]+)"|failure = "([a-z-]+)"|\d: "([a-z-]+)",', code)
    )
    words = {word for groups in given for word in groups if word}
    assert len(words) > 10
    assert words <= set(REASONS)
