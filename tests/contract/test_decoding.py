"""Decoding a call: what is refused as a whole, and what is only named (decisions 56 and 64)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.cds_hooks.errors import MalformedRequest
from app.decoding.call import decode_call
from app.wire.bundle import Bundle
from app.wire.observations import Observation
from app.wire.resources import Damaged
from tests.conftest import Client
from tests.contract.test_errors import JSON, is_outcome
from tests.support.calls import bundle, observation, patient_view

URL = "/cds-services/osteoporosis-patient-view"


def written(body: Any) -> str:
    return json.dumps(body, separators=(",", ":"))


def spoilt() -> Any:
    """A call that takes the tolerant way: one result has a member of the wrong type."""
    return patient_view(observations=bundle(observation(), {**observation(), "id": "o2", "status": 7}))


@pytest.mark.parametrize("body", [patient_view(), spoilt()], ids=["typed", "tolerant"])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("before", "more"),
    [
        ('"prefetch":', '"prefetch":{"conditions":{"resourceType":"Condition"}},'),
        ('"context":', '"context":{"patientId":"p1"},'),
        (
            '"observations":',
            '"observations":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic"}}]},',
        ),
        ('"patient":{', '"patient":{"resourceType":"Patient","id":"p2"},'),
        ('"entry":[', '"entry":[{"resource":{"resourceType":"Observation","id":"lost"}}],'),
        (
            '"observations":',
            '"\\u006fbservations":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic"}}]},',
        ),
    ],
)
def test_names_that_stand_twice_are_refused_where_records_would_be_lost(
    client: Client, body: Any, indent: int | None, before: str, more: str
) -> None:
    """Decision 64, JSON-1: also escaped, in a body with white space, and where a record needs repair."""
    text = json.dumps(body, indent=indent, separators=(",", ":"))
    assert text.count(before) >= 1
    assert client.post(URL, content=text, headers=JSON).status_code == 200
    twice = text.replace(before, more + before, 1)
    assert "same name" in is_outcome(client.post(URL, content=twice, headers=JSON), 400)


@pytest.mark.parametrize(
    ("before", "more"),
    [
        ('"hookInstance":', '"hookInstance":"x",'),
        ('"status":', '"status":"draft",'),
        ('"userId":', '"userId":"Practitioner/x",'),
        ('"code":', '"code":{"text":"x"},'),
    ],
)
def test_elsewhere_the_last_of_two_members_counts(client: Client, before: str, more: str) -> None:
    """Decision 64: as in every JSON parser."""
    text = written(patient_view())
    assert before in text
    assert client.post(URL, content=text.replace(before, more + before, 1), headers=JSON).status_code == 200


@pytest.mark.parametrize("number", ["1e999", "-1e999", "01", "1.", "NaN", "Infinity", '"\\ud800"', '"\xff"'])
@pytest.mark.parametrize("body", [patient_view(), spoilt()], ids=["typed", "tolerant"])
def test_a_value_that_json_does_not_have_is_refused(client: Client, body: Any, number: str) -> None:
    """JSON-1: also in a result that nothing asks for, and beside a record that needs repair."""
    result = {**observation(), "id": "odd", "code": {"text": "colour"}, "valueQuantity": {"value": 123456}}
    body["prefetch"]["observations"]["entry"].append({"resource": result})
    text = written(body).encode().replace(b"123456", number.encode("latin-1"))
    assert "not valid JSON" in is_outcome(client.post(URL, content=text, headers=JSON), 400)


@pytest.mark.parametrize("text", ['"\xff"', '"\\ud800"', "NaN", "tru"])
def test_members_that_nothing_reads_are_json_too(client: Client, text: str) -> None:
    """JSON-1: what is skipped is still checked."""
    body = written(patient_view()).encode().replace(b'{"hook', b'{"x":' + text.encode("latin-1") + b',"hook', 1)
    assert "not valid JSON" in is_outcome(client.post(URL, content=body, headers=JSON), 400)


def test_only_the_record_that_does_not_fit_is_repaired() -> None:
    """Decision 56: it keeps what can be read, and says what is missing."""
    decoded = decode_call(written(spoilt()).encode())
    found = (decoded.call.prefetch or {})["observations"]
    assert isinstance(found, Bundle)
    whole, lacking = (entry.resource for entry in found.entry)
    assert isinstance(whole, Observation)
    assert isinstance(lacking, Damaged)
    assert lacking.members == ("status",)
    assert isinstance(lacking.record, Observation)
    assert lacking.record.code == whole.code


def test_a_record_inside_a_record_names_what_it_lacks_by_itself() -> None:
    """A Bundle inside a Bundle: the record that does not fit is named, not the Bundle around it."""
    inner = bundle({**observation(), "issued": 7})
    decoded = decode_call(written(patient_view(observations=bundle(inner))).encode())
    outer = (decoded.call.prefetch or {})["observations"]
    assert isinstance(outer, Bundle)
    nested = outer.entry[0].resource
    assert isinstance(nested, Bundle)
    assert isinstance(nested.entry[0].resource, Damaged)


@pytest.mark.parametrize("depth", [5_000, 200_000])
def test_a_resource_that_is_nested_without_end_is_refused(depth: int) -> None:
    """HTTP-2: typed members can be nested as well."""
    text = '{"prefetch":{"observations":' + '{"resourceType":"Bundle","entry":[{"resource":' * depth + "null"
    with pytest.raises(MalformedRequest):
        decode_call((text + "}]}" * depth + "}}").encode())
