"""Decision 56: noise that makes a record unreadable never changes an answer to a more permissive one.

More permissive: a drug is offered that was not, or a warning is gone and the answer does not say that a record, or a
member of one, could not be read.
"""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cases.builder import SERVICE
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.decoding.call import decode_call
from app.wire.resources import Damaged
from tests.clinical.cases import TODAY
from tests.property.patients import Json, cases, pipeline, request_of
from tests.support.wire import record

WRONG: tuple[Any, ...] = (None, True, 7, -2.5, "x", "", [], ["x"], [[]], {}, {"x": 1}, [{"x": [None]}])
SAFETY = {"red-flag", "drug-safety"}
few = settings(max_examples=150, derandomize=True)


def answer_of(body: Json) -> Json:
    request = read_request(decode_call(orjson.dumps(body)), SERVICES_BY_ID[SERVICE[body["hook"]]])
    found: Json = pipeline().answer(request, today=TODAY).to_json()
    return found


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a value stands below a record, the record itself left out."""
    found: list[tuple[Any, ...]] = [path] if path else []
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in members:
        if key not in {"resourceType", "id"}:
            found += places(value, (*path, key))
    return found


def damaged(body: Json, random: Random) -> Json | None:
    """The request with one value of one record exchanged for one of another type."""
    made = copy.deepcopy(body)
    lists = [value["entry"] for value in made["prefetch"].values() if value and value.get("entry")]
    if not lists:
        return None
    entry = random.choice(random.choice(lists))
    *way, last = random.choice(places(entry["resource"]))
    holder = entry["resource"]
    for key in way:
        holder = holder[key]
    holder[last] = random.choice([wrong for wrong in WRONG if type(wrong) is not type(holder[last])])
    return made


def offered(answer: Json) -> set[str]:
    """The drugs that the suggestions would order."""
    return {
        coding["code"]
        for card in answer["cards"]
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
        for coding in action.get("resource", {}).get("medicationCodeableConcept", {}).get("coding", [])
    }


def warnings(answer: Json) -> set[str]:
    return {
        card["extension"]["osteon.explanation"]["advice"]
        for card in answer["cards"]
        if card["source"]["topic"]["code"] in SAFETY
    }


def names_something(answer: Json) -> bool:
    extensions = [answer.get("extension", {}), *(card["extension"] for card in answer["cards"])]
    return any(extension.get("osteon.explanation", {}).get("notUsed") for extension in extensions)


@few
@given(cases(), st.integers(0, 10_000))
def test_a_damaged_record_never_makes_an_answer_more_permissive(case: Json, seed: int) -> None:
    body = request_of(case)
    other = damaged(body, Random(seed))
    if other is None:
        return
    before, after = answer_of(body), answer_of(other)
    assert offered(after) <= offered(before)
    assert warnings(before) <= warnings(after) or names_something(after)


RECORD: Json = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": {
        "coding": [{"system": "http://loinc.org", "code": "2160-0", "display": "Creatinine"}],
        "text": "Creatinine",
    },
    "subject": {"reference": "Patient/case"},
    "effectiveDateTime": "2026-11-01",
    "issued": "2026-11-01T08:00:00Z",
    "valueQuantity": {"value": 1.1, "unit": "mg/dL", "code": "mg/dL"},
    "interpretation": [{"coding": [{"code": "N"}]}],
    "referenceRange": [{"low": {"value": 0.5, "unit": "mg/dL"}, "type": {"coding": [{"code": "normal"}]}}],
    "component": [{"code": {"text": "x"}, "valueString": "y"}],
}


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize("place", places(RECORD), ids=lambda place: ".".join(map(str, place)))
def test_a_member_of_another_type_is_read_otherwise_or_named(place: tuple[Any, ...], wrong: Any) -> None:
    """No wrong type fails the record: it is null, has another meaning, or is named with the names of its members."""
    made = copy.deepcopy(RECORD)
    holder: Any = made
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = wrong
    found = record(made)
    if isinstance(found, Damaged):
        assert found.record is not None
        path = ".".join(key for key in place if isinstance(key, str))
        assert all(member.startswith(path) or path.startswith(member) for member in found.members)
