"""Caches of the process are bounded by bytes, and hold no long text of a record."""

from __future__ import annotations

import pytest

from app.fhir.remembered import is_term
from app.terminology import codes, names
from app.terminology.word_lists import TextKind
from app.wire.elements import CodeableConcept, Coding

LONGEST = names.LONGEST_CACHED
BYTES = 16 * 1024 * 1024
"""Most bytes that the keys of one cache may take: its entries times the longest key in UCS-4."""


def test_a_short_display_is_cached_and_a_long_one_is_not() -> None:
    names._read_short.cache_clear()
    for length, cached in ((LONGEST, 1), (LONGEST + 1, 1), (4000, 1)):
        names.read_display("q" * length, TextKind.CONDITION)
        assert names._read_short.cache_info().currsize == cached


def test_a_short_code_is_cached_and_a_long_one_is_not() -> None:
    codes._meaning_of_short.cache_clear()
    codes._meaning_of("urn:l", "c" * (LONGEST - 5))
    assert codes._meaning_of_short.cache_info().currsize == 1
    codes._meaning_of("urn:l", "c" * (LONGEST - 4))
    codes._meaning_of("u" * 512, "c")
    assert codes._meaning_of_short.cache_info().currsize == 1


@pytest.mark.parametrize("member", ["system", "code", "display"])
@pytest.mark.parametrize(("length", "cached"), [(LONGEST, True), (LONGEST + 1, False)])
def test_a_term_is_cached_by_its_length(member: str, length: int, cached: bool) -> None:
    values = {"system": "urn:l", "code": "c", "display": "d"} | {member: "x" * length}
    assert is_term(CodeableConcept(coding=[Coding(**values)])) is cached


def test_words_of_a_record_are_no_term() -> None:
    assert not is_term(CodeableConcept(text="told by the patient", coding=[Coding(system="urn:l", code="c")]))
    assert not is_term(CodeableConcept(text="told by the patient"))


def test_the_keys_of_a_cache_are_bounded() -> None:
    for cache in (names._read_short, codes._meaning_of_short):
        size = cache.cache_info().maxsize
        assert size is not None
        assert size * LONGEST * 4 <= BYTES
