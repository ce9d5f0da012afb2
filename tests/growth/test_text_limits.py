"""One length limit for each kind of text before any reader looks at it: what is longer is named, not read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from app.decoding.call import decode_call
from app.wire.resources import Damaged
from tests.growth.structures import cond, med, obs, request

ICD = "http://hl7.org/fhir/sid/icd-10"

TEXTS: dict[str, tuple[int, str, Callable[[str], dict[str, Any]]]] = {
    "concept in words": (1000, "code.text", lambda text: cond(1, code={"text": text})),
    "display": (1000, "code.coding.display", lambda text: cond(1, code={"coding": [{"code": "x", "display": text}]})),
    "code": (512, "code.coding.code", lambda text: cond(1, code={"coding": [{"system": ICD, "code": text}]})),
    "system": (512, "code.coding.system", lambda text: cond(1, code={"coding": [{"system": text, "code": "x"}]})),
    "unit": (512, "valueQuantity.unit", lambda text: obs(1, unit="kg") | {"valueQuantity": {"value": 1, "unit": text}}),
    "number": (64, "valueQuantity.value", lambda text: obs(1) | {"valueQuantity": {"value": text, "unit": "cm"}}),
    "result in words": (
        4000,
        "valueString",
        lambda text: {k: v for k, v in obs(1).items() if k != "valueQuantity"} | {"valueString": text},
    ),
    "drug": (1000, "medicationCodeableConcept.text", lambda text: med(1, concept={"text": text})),
    "dosage": (4000, "dosage", lambda text: med(1, dosage=[{"text": text}])),
}


def read(resource: dict[str, Any]) -> Any:
    kind = {"Condition": "conditions", "Observation": "observations"}.get(resource["resourceType"], "medications")
    call = decode_call(orjson.dumps(request(**{kind: [resource]}))).call
    (entry,) = call.prefetch[kind].entry  # type: ignore[index,union-attr]
    return entry.resource


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_at_the_limit_is_read(name: str) -> None:
    limit, _, make = TEXTS[name]
    assert not isinstance(read(make("x" * limit)), Damaged)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("beyond", [1, 100_000])
def test_a_longer_one_is_named_and_not_read(name: str, beyond: int) -> None:
    limit, member, make = TEXTS[name]
    text = "x" * (limit + beyond)
    found = read(make(text))
    assert isinstance(found, Damaged)
    assert any(named.startswith(member.split(".")[0]) for named in found.members), found.members
    assert text not in str(found)
