"""Every code of the code tables reaches its concepts through a chart, and a wrong table is seen."""

from __future__ import annotations

import pytest

from tests.facts import codes

PLACES = sorted({one[:2] for one in codes.expected()})


@pytest.mark.parametrize("place", PLACES, ids=[" ".join(place) for place in PLACES])
def test_every_code_sent_alone_reaches_its_concepts_and_no_others(place: tuple[str, str]) -> None:
    asked = {one: meaning for one, meaning in codes.expected().items() if one[:2] == place}
    assert {one: codes.reached(one) for one in asked} == asked


def test_every_code_of_the_tables_has_a_fact_and_every_fact_a_code() -> None:
    assert set(codes.expected()) == codes.known_codes()


def test_a_code_that_reaches_something_else_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = ("medication", "atc", "M05BX04")
    planted = codes.expected() | {sent: "alendronate"}
    monkeypatch.setattr(codes, "expected", lambda: planted)
    lines = list(codes.wrong_codes({"M05BX04"}))
    assert lines == ["medication atc M05BX04: reaches antiresorptive, bone_drug, denosumab, the fact is alendronate"]


def test_a_code_without_a_fact_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "expected", dict)
    assert "no fact says what it reaches" in next(codes.wrong_codes({"M05BX04"}))
