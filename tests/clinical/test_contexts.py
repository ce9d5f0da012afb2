"""Contexts of the refill and intolerance hooks as clients send them, answered by the whole service."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Client
from tests.contract.test_contexts import ENTRY, INTOLERANCE, INTOLERANCE_BODY, ORDER, REFILL, REFILL_BODY, with_context
from tests.support import calls

IN = "allergyIntolerance"


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY,
        {**ENTRY, "clinicalStatus": "active"},  # the R4 example of the library has the code as a string
        {**calls.without(ENTRY, "recordedDate"), "assertedDate": "2026-11-22"},  # and the name of DSTU2
        {**calls.without(ENTRY, "code"), "substance": ENTRY["code"]},
        calls.without(ENTRY, "id"),
    ],
)
def test_an_intolerance_is_read_leniently(osteon: Client, entry: Any) -> None:
    """Hook library: the shapes of the examples; the entry is not saved yet, so it can lack an id."""
    answer = osteon.call(with_context(INTOLERANCE_BODY, allergyIntolerance=entry), INTOLERANCE).json()
    assert [card["source"]["topic"]["code"] for card in answer["cards"]] == ["drug-switch"]
    assert answer["cards"][0]["suggestions"]


@pytest.mark.parametrize(
    ("service", "body", "member"),
    [
        (REFILL, with_context(REFILL_BODY, medications={"drug": "alendronate"}), "medications"),
        (REFILL, with_context(REFILL_BODY, medications={"resourceType": "Parameters"}), "medications"),
        (INTOLERANCE, with_context(INTOLERANCE_BODY, allergyIntolerance={"code": "x"}), IN),
        (INTOLERANCE, with_context(INTOLERANCE_BODY, allergyIntolerance={"resource": None}), IN),
        (
            INTOLERANCE,
            with_context(INTOLERANCE_BODY, allergyIntolerance={"resourceType": "Flag"}),
            IN,
        ),
        (
            INTOLERANCE,
            with_context(INTOLERANCE_BODY, allergyIntolerance=calls.bundle(ORDER)),
            IN,
        ),
    ],
)
def test_an_unknown_shape_is_named_and_asked_for(osteon: Client, service: str, body: Any, member: str) -> None:
    """Issue 16: named, and an answer that cannot be given because of it says so."""
    answer = osteon.call(body, service).json()
    explanations = [card["extension"]["osteon.explanation"] for card in answer["cards"]]
    datum = {"medications": "renewed_drug", "allergyIntolerance": "intolerance_entry"}[member]
    assert any(datum in explanation["missing"] for explanation in explanations)
    assert {"resource": f"context.{member}", "reason": "unreadable"} in explanations[0]["notUsed"]
