"""Decoding without a tree of the results says what the tree says: the same body, the same refusals, the same advice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.observation import Observation
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.api.body import decode
from app.cds_hooks.errors import MalformedRequest
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.prefetch import TEMPLATES
from app.cds_hooks.request import read_request
from app.chart import Chart, ObservationFact
from app.decoding import observations as outline
from app.decoding.observations import outlined
from app.decoding.strict_json import loads
from app.decoding.written import Result
from app.features.fact_index import newest_observations
from app.fhir.observations.values import question_of
from tests.clinical.builder import LOINC, PATIENT, SERVICE
from tests.clinical.cases import TODAY
from tests.fuzz.mutations import mutated
from tests.property.patients import Json, cases, pipeline, request_of
from tests.property.test_left_unread import members, odd_results

FORMS: dict[str, Json] = {
    "minified": {"separators": (",", ":"), "ensure_ascii": False},
    "with white space": {"ensure_ascii": False},
    "in ASCII": {"separators": (",", ":")},
    "in lines": {"indent": 2},
}
OWN = {"reference": f"Patient/{PATIENT}"}
odd_members: dict[str, st.SearchStrategy[Any]] = members | {
    "id": st.sampled_from(["", "?", None, 7]),
    "status": st.sampled_from(["amended", "entered-in-error", "FINAL", None]),
    "resourceType": st.sampled_from(["Patient", "OperationOutcome", "", None, 5]),
    "subject": st.sampled_from([None, {"reference": "Patient/other"}, {"display": "she"}, {"reference": 5}, []]),
    "code": st.sampled_from([None, "x", [], {"coding": [{"code": ["x"]}]}, {"text": "Höjd: 5"}]),
    "meta": st.sampled_from([{"tag": [{"code": "a"}], "security": []}, {"profile": ["x"]}, {"extension": []}]),
    "valueQuantity": st.sampled_from([None, {}, {"value": None}, {"value": "7"}, {"value": {}}, {"value": 1e-320}]),
    "effectiveDateTime": st.sampled_from([None, "", "2026", "2027-05-01", 5]),
    "note": st.just([{"text": "a: b"}]),
    "unknown": st.just(1),
}
anything_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.sampled_from([LOINC, "14682-9", "Höjd"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["coding", "text", "system", "code", "display", "userSelected"]), inner)
    ),
    max_leaves=8,
)
few = settings(max_examples=300, derandomize=True)


def written(body: Any, form: str) -> bytes:
    """The text of a body in one of the forms in which clients write JSON; a lone surrogate makes it no UTF-8."""
    return json.dumps(body, **FORMS[form]).encode(errors="surrogatepass")


@st.composite
def requests(draw: st.DrawFn) -> Json:
    """A request with odd results among others, and entries that are not all matches."""
    body = request_of(draw(cases()) | {"profile": draw(st.sampled_from(["se", "intl"]))})
    entries = body["prefetch"]["observations"]["entry"]
    for record in draw(st.lists(odd_results(), max_size=4)):
        odd = draw(st.sampled_from(["", *sorted(odd_members)]))
        changed = {"subject": OWN} | record | ({odd: draw(odd_members[odd])} if odd else {})
        entry: Json = {"resource": changed}
        mode = draw(st.sampled_from(["", "match", "include", "outcome"]))
        entries.append(entry | ({"search": {"mode": mode}} if mode else {}))
    return body


def as_tree(body: Any) -> Any:
    """A decoded body with the trees of its results. What an entry says beside its resource is not kept there."""
    entries = body["prefetch"]["observations"]["entry"]
    for number, entry in enumerate(entries):
        entries[number] = entry.resource() if isinstance(entry, Result) else entry["resource"]
    return body


def results_in(body: Json) -> int:
    """How many entries stand as they were written."""
    return sum(isinstance(entry, Result) for entry in body["prefetch"]["observations"]["entry"])


def told(body: Json) -> tuple[Chart, list[ObservationFact]]:
    """The chart of a body, and its observations, read and in order."""
    request = read_request(body, SERVICES_BY_ID[SERVICE[body["hook"]]])
    chart = pipeline().chart(request, today=TODAY)
    return replace(chart, observations=()), list(newest_observations(chart.observations))


@few
@given(requests(), st.sampled_from(sorted(FORMS)))
def test_the_body_is_the_same(body: Json, form: str) -> None:
    raw = written(body, form)
    assert as_tree(decode(raw)) == as_tree(loads(raw))


@few
@given(requests(), st.sampled_from(sorted(FORMS)))
def test_the_chart_is_the_same(body: Json, form: str) -> None:
    raw = written(body, form)
    assert told(decode(raw)) == told(loads(raw))


ODD: dict[str, tuple[Json, ...]] = {
    "plain": ({},),
    "other patient": ({"subject": {"reference": "Patient/other"}}, {"subject": {"reference": "urn:uuid:1"}}),
    "no patient": ({"subject": {"display": "she"}}, {"subject": {}}),
    "absolute": ({"subject": {"reference": "https://ehr.test/fhir/Patient/case"}},),
    "kind": ({"resourceType": "Patient"}, {"resourceType": "OperationOutcome"}, {"resourceType": ""}),
    "status": ({"status": "entered-in-error"}, {"status": "preliminary"}, {"status": "FINAL"}, {"status": "draft"}),
    "id": ({"id": ""}, {"id": "?"}),
    "not dated": ({"effectiveDateTime": "yesterday"}, {"effectiveDateTime": "2025-03"}),
    "future": ({"effectiveDateTime": "2027-05-01"}, {"effectiveDateTime": "2027-05-01T08:00:00Z"}),
    "impossible": ({"valueQuantity": {"value": 99_000, "unit": "umol/L"}},),
    "unit": ({"valueQuantity": {"value": 80, "unit": "flasks"}}, {"valueQuantity": {"value": 80}}),
    "number": tuple({"valueQuantity": {"value": v, "unit": "umol/L"}} for v in ("7", None, True, {}, [], -0.0, 10**30)),
    "limit": ({"valueQuantity": {"value": 80, "comparator": ">", "unit": "umol/L"}},),
    "score": ({"code": {"coding": [{"system": LOINC, "code": "38265-5"}]}, "valueQuantity": {"value": -2.7}},),
    "unknown": ({"code": {"text": "colour"}}, {"code": "x"}, {"code": {"coding": [{"code": ["x"]}]}}),
    "more": ({"component": []}, {"valueString": "7"}, {"bodySite": {"text": "hip"}}, {"extension": []}, {"other": 1}),
    "marks": ({"meta": {"tag": [{"code": "a"}], "security": [{"code": "b"}]}, "issued": "2026-11-01T08:00:00Z"},),
}
LOINC_CREATININE = {"coding": [{"system": LOINC, "code": "14682-9"}]}


@pytest.mark.parametrize("mode", ["", "match", "include", "outcome"])
@pytest.mark.parametrize("name", sorted(ODD))
def test_an_odd_result_is_told_as_from_a_tree(name: str, mode: str) -> None:
    """Whatever is odd about it: what is set aside and why, what is unusable, how complete the records are."""
    for change in ODD[name]:
        record = {
            "resourceType": "Observation",
            "id": "a",
            "status": "final",
            "code": LOINC_CREATININE,
            "subject": OWN,
            "effectiveDateTime": "2026-11-01",
            "valueQuantity": {"value": 80, "unit": "umol/L"},
        }
        body = request_of({"profile": "se", "patient": {"sex": "female", "age": 70}})
        entry = {"fullUrl": "urn:uuid:5"} | {"resource": record | change} | ({"search": {"mode": mode}} if mode else {})
        body["prefetch"]["observations"]["entry"] = [entry]
        for form in FORMS:
            raw = written(body, form)
            assert told(decode(raw)) == told(loads(raw)), change


@few
@given(anything_json, st.booleans())
def test_the_question_of_a_code_raises_nothing(code: Any, coded: bool) -> None:
    """A result as it was written is asked for its question outside of what catches malformed records."""
    question_of({"coding": [code], "text": code} if coded else code)


@few
@given(requests(), st.integers(0, 10_000))
def test_a_spoilt_body_is_refused_in_the_same_words(body: Json, seed: int) -> None:
    random = Random(seed)
    raw = written(mutated(body, random), random.choice(sorted(FORMS)))
    at = random.randrange(len(raw))
    spoilt = raw[:at] + random.choice([b"", b"\xff", b"\\", b'"', b",", b"1e999", b"NaN", b"\x01"]) + raw[at + 1 :]
    for text in (raw, spoilt):
        assert outcome(decode, text) == outcome(loads, text)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e308", "01", "1.", "NaN", '"\\ud800"', '"\xff"'])
def test_a_value_that_json_does_not_have_is_refused(number: str) -> None:
    """JSON-1: also where nobody looks at it."""
    body = request_of({"profile": "se", "patient": {"sex": "female", "age": 70}})
    record = {"resourceType": "Observation", "id": "a", "status": "final", "code": {"text": "colour"}, "subject": OWN}
    body["prefetch"]["observations"]["entry"] = [{"resource": record | {"valueQuantity": {"value": 123456}}}]
    raw = written(body, "minified").replace(b"123456", number.encode("latin-1"))
    assert outcome(decode, raw) == outcome(loads, raw)


def outcome(work: Callable[[bytes], Any], raw: bytes) -> object:
    """What came of it: the value, or the words of the refusal."""
    try:
        value = work(raw)
        return as_tree(value) if outlined(raw) is not None else value
    except MalformedRequest as error:
        return error.text


@few
@given(requests(), st.sampled_from(["minified", "in ASCII"]), st.integers(0, 10_000))
def test_a_name_that_stands_twice_is_refused(body: Json, form: str, seed: int) -> None:
    """JSON-1, wherever it stands, whichever of the two is longer, and beside numbers that can be written shorter."""
    raw = written(body, form).replace(b'"value":-2.5,', b'"value":-2500e-3,')
    random = Random(seed)
    places = [found.end() for found in re.finditer(rb'\{(?=")', raw)]
    at = random.choice(places)
    name = raw[at : raw.index(b'"', at + 1) + 1]
    twice = raw[:at] + name + b":" + random.choice([b"0", b'"a:b"', b"{}", b"[1,2,3]"]) + b"," + raw[at:]
    assert outlined(twice) is None
    with pytest.raises(MalformedRequest, match="same name"):
        decode(twice)


def ordinary() -> Json:
    """A request with two ordinary results, the second with all that a plain result can have."""
    fact = {"concept": "creatinine", "value": 70.5, "unit": "umol/L", "days_ago": 5, "reference_low": 50}
    body = request_of({"profile": "se", "patient": {"sex": "female", "age": 70}, "observations": [fact, fact]})
    entry = body["prefetch"]["observations"]["entry"][1]
    entry |= {"fullUrl": "urn:uuid:1", "search": {"mode": "match"}, "link": [{"relation": "self", "url": "urn:x"}]}
    more = entry["resource"]
    more["meta"] = {"lastUpdated": "2026-11-01T08:00:00Z", "profile": ["http://a/b"]}
    more["meta"] |= {"tag": [{"code": "ä"}], "security": [{"code": "R"}]}
    more |= {"text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">å\n</div>'}}
    more |= {"identifier": [{"system": "urn:x", "value": "1"}], "performer": [{"reference": "Practitioner/1"}]}
    more |= {"category": [{"coding": [{"code": "laboratory"}]}], "encounter": {"identifier": {"value": "1"}}}
    more |= {"issued": "2026-11-01T08:00:00Z", "interpretation": [{"coding": [{"code": "N"}]}]}
    return body


@pytest.mark.parametrize("form", sorted(FORMS))
def test_ordinary_results_stand_as_they_were_written(form: str) -> None:
    """The other side: all of the above would hold of a decoder that never leaves anything as written."""
    body = ordinary()
    assert results_in(decode(written(body, form))) == 2
    body["prefetch"]["observations"]["entry"][1]["resource"]["component"] = []
    assert results_in(decode(written(body, form))) == 1


@pytest.mark.parametrize("form", ["minified", "in ASCII"])
def test_a_name_that_stands_twice_is_refused_everywhere(form: str) -> None:
    """JSON-1: in each object of a request whose results stand as they were written."""
    raw = written(ordinary(), form)
    for place in re.finditer(rb'\{("[^"]*")', raw):
        twice = raw[: place.start(1)] + place[1] + b":1," + raw[place.start(1) :]
        with pytest.raises(MalformedRequest, match="same name"):
            decode(twice)


def test_no_text_becomes_longer() -> None:
    """What the comparison of lengths rests on: a character is written as short as JSON can have it, or shorter."""
    short = {'"': 2, "\\": 2} | dict.fromkeys("\b\f\n\r\t", 2)
    for character in map(chr, (*range(0xD800), *range(0xE000, 0x110000))):
        least = short.get(character, 6 if character < " " else len(character.encode()))
        assert len(outline._encoder.encode(character)) - len('""') <= least


def test_members_are_those_of_r4() -> None:
    """A name that is wrong, or missing, would leave whole bodies to the tree without anybody seeing it."""
    extended = {name for name in Observation.elements_sequence() if not name.startswith("_")}
    named = set(outline._Observation.__struct_encode_fields__)
    assert named == extended | {"resourceType", "contained", "extension", "modifierExtension"}
    assert set(outline._Prefetch.__struct_encode_fields__) == set(TEMPLATES)
    bundle = {name for name in Bundle.elements_sequence() if not name.startswith("_")} - {"implicitRules", "language"}
    assert set(outline._Bundle.__struct_encode_fields__) >= bundle - {"identifier", "signature"}
