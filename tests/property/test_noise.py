"""Decision 56, for what a record says: noise in its codes and words never makes an answer more permissive.

The record stays well formed; only what it is about can no longer be told. More permissive: a bone drug is offered that
was not, or a warning is gone and the answer does not name the record.
"""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.patients import Json, cases, request_of
from tests.property.test_damage import answer_of, names_something, offered, warnings

few = settings(max_examples=120, derandomize=True, deadline=None)
FOREIGN = "urn:oid:1.2.3.4.5"
MEMBERS = ("code", "medicationCodeableConcept")
LISTS = ("conditions", "medications", "medicationRequests", "allergies", "procedures", "reports")
"""A result under a code that nobody knows is one of thousands that no rule asks for, so observations are left out."""


def bone_drugs(answer: Json) -> set[str]:
    """The ATC codes of bone drugs that the suggestions would order."""
    return {code for code in offered(answer) if code.startswith(("M05B", "G03XC", "H05AA", "M05BX"))}


def foreign_code(concept: Json, random: Random) -> None:
    """A code of a system that is not known, and no words."""
    concept.clear()
    concept["coding"] = [{"system": FOREIGN, "code": f"X{random.randint(1, 99)}"}]


def foreign_code_with_noise(concept: Json, random: Random) -> None:
    """The words that there were, with one that is not known, beside a code that is not."""
    said = " ".join([concept.get("text", ""), *(one.get("display", "") for one in concept.get("coding", []))])
    foreign_code(concept, random)
    concept["text"] = f"{said} zorp".strip()


def no_code(concept: Json, random: Random) -> None:
    """Nothing at all."""
    concept.clear()
    if random.random() < 0.5:
        concept["coding"] = []


NOISES = {noise.__name__: noise for noise in (foreign_code, foreign_code_with_noise, no_code)}


def noisy(body: Json, noise: str, random: Random) -> Json | None:
    """The request with the code of one record made unreadable; None where there is no such record."""
    made = copy.deepcopy(body)
    concepts: list[Any] = [
        entry["resource"][member]
        for key in LISTS
        for entry in (made["prefetch"].get(key) or {}).get("entry", [])
        for member in MEMBERS
        if isinstance(entry["resource"].get(member), dict)
    ]
    if not concepts:
        return None
    NOISES[noise](random.choice(concepts), random)
    return made


@few
@given(cases(), st.sampled_from(sorted(NOISES)), st.integers(0, 10_000))
def test_noise_never_makes_an_answer_more_permissive(case: Json, noise: str, seed: int) -> None:
    body = request_of(case)
    other = noisy(body, noise, Random(seed))
    if other is None:
        return
    before, after = answer_of(body), answer_of(other)
    assert bone_drugs(after) <= bone_drugs(before)
    assert warnings(before) <= warnings(after) or names_something(after)
