"""Statuses in the forms that charts have, dates that cannot be, and findings that an Observation states by its code."""

from __future__ import annotations

from typing import Any

import pytest

from app.chart import Presence
from tests.unit.fhir.builders import ICD10, LOINC, SNOMED, Json, chart, coded, condition, observation, resource

HIP = coded(ICD10, "S72.0")


def verified(status: Any) -> Json:
    return condition(HIP) | {"verificationStatus": status}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"coding": [{"code": "entered-in-error"}]}, "entered-in-error"),
        ({"coding": [{"code": "Entered in error"}]}, "entered-in-error"),
        ({"coding": [{"code": "ENTERED_IN_ERROR"}]}, "entered-in-error"),
        ({"coding": [{"system": SNOMED, "code": "723510000"}]}, "entered-in-error"),
        ({"text": "Entered in Error"}, "entered-in-error"),
        ({"coding": [{"code": "refuted"}]}, "refuted"),
        ({"coding": [{"code": "refuted "}]}, "refuted"),
        ({"text": "Refuted"}, "refuted"),
        ({"text": "known absent"}, "refuted"),
        ({"coding": [{"display": "Known absent"}]}, "refuted"),
        ({"coding": [{"system": SNOMED, "code": "410516002", "display": "Known absent"}]}, "refuted"),
        ({"coding": [{"system": SNOMED, "code": "410594000"}]}, "refuted"),
        ({"coding": [{"code": "X1"}, {"code": "refuted"}]}, "refuted"),
        ({"text": "Ruled out"}, "refuted"),
    ],
)
def test_records_that_are_wrong_or_denied(status: Any, reason: str) -> None:
    found = chart(verified(status))
    assert found.fractures == ()
    assert [item.reason for item in found.set_aside] == [reason]


@pytest.mark.parametrize(
    "status",
    [
        {"coding": [{"code": "provisional"}]},
        {"text": "Suspected"},
        {"text": "Probably present"},
        {"coding": [{"system": SNOMED, "code": "415684004"}]},
    ],
)
def test_suspected_records(status: Any) -> None:
    (fact,) = chart(verified(status)).conditions
    assert fact.presence is Presence.SUSPECTED


@pytest.mark.parametrize(
    "status",
    [
        {"coding": [{"code": "confirmed"}]},
        {"text": "Confirmed"},
        {"coding": [{"system": SNOMED, "code": "410605003"}]},
        {"text": "Known present"},
    ],
)
def test_confirmed_records(status: Any) -> None:
    (fact,) = chart(verified(status)).conditions
    assert fact.presence is Presence.PRESENT


def test_an_observation_entered_in_error_in_other_words() -> None:
    found = chart(observation(coded(LOINC, "38267-1"), -3, "{T-score}", status="Entered in error"))
    assert (found.densities, [item.reason for item in found.set_aside]) == ((), ["entered-in-error"])


@pytest.mark.parametrize(
    "record",
    [
        resource("Procedure", status="completed", code={"text": "DXA"}, performedDateTime="2027-03-01"),
        resource("DiagnosticReport", status="final", code=coded(LOINC, "38269-7"), effectiveDateTime="2027-03-01"),
        observation(coded(LOINC, "38267-1"), -3, "{T-score}", effectiveDateTime="2027-03-01"),
    ],
    ids=["procedure", "report", "observation"],
)
def test_what_was_done_in_the_future_is_set_aside(record: Json) -> None:
    found = chart(record)
    assert (found.procedures, found.densities) == ((), ())
    assert [item.reason for item in found.set_aside] == ["dated in the future"]


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"onsetDateTime": "2027-03-01"}, ["date in the future"]),
        ({"onsetString": "long ago"}, ["onset not readable"]),
        ({"onsetAge": {"value": 30, "unit": "winters"}}, ["onset not readable"]),
        ({"onsetRange": {"low": {"value": 30}, "high": {"value": 3, "code": "a"}}}, ["onset not readable"]),
        ({"onsetString": "1998"}, []),
    ],
)
def test_an_onset_that_cannot_be_read_is_named_and_the_entry_is_no_date(members: Json, named: list[str]) -> None:
    found = chart(condition(HIP, recordedDate="2026-06-10", **members))
    (fracture,) = found.fractures
    assert fracture.when is None or fracture.when.latest.year == 1998
    assert [item.reason for item in found.set_aside] == named


def test_without_any_onset_the_day_of_the_entry_stands_in() -> None:
    (fracture,) = chart(condition(HIP, recordedDate="2026-06-10")).fractures
    assert str(fracture.when) == "2026-06-10"


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ({}, True),
        ({"valueBoolean": True}, True),
        ({"valueString": "present"}, True),
        ({"valueString": "Yes"}, True),
        ({"valueCodeableConcept": {"text": "Present (qualifier value)"}}, True),
        ({"valueCodeableConcept": coded(SNOMED, "52101004")}, True),
        ({"valueCodeableConcept": coded(LOINC, "LA33-6")}, True),
        ({"valueBoolean": False}, False),
        ({"valueString": "absent"}, False),
        ({"valueString": "no"}, False),
        ({"valueCodeableConcept": coded(SNOMED, "2667000")}, False),
        ({"valueCodeableConcept": coded(SNOMED, "410516002")}, False),
        ({"valueCodeableConcept": {"text": "Known absent"}}, False),
    ],
)
@pytest.mark.parametrize("code", [HIP, coded(SNOMED, "391096007"), coded("urn:osteon:finding", "back-pain")])
def test_findings_by_their_code(code: Json, value: Json, answer: bool) -> None:
    found = chart(observation(code, **value))
    (fact,) = (fact for fact in found.observations)
    assert fact.boolean is answer
    assert bool(found.conditions) is answer
    assert bool(found.fractures) is (answer and code is HIP)
    assert found.unusable == ()


@pytest.mark.parametrize("value", [{"valueString": "patient unsure"}, {"valueCodeableConcept": {"text": "maybe"}}])
def test_an_answer_that_is_neither_yes_nor_no_is_named(value: Json) -> None:
    found = chart(observation(coded(SNOMED, "391096007"), **value))
    assert (found.conditions, [item.ref for item in found.unusable]) == ((), ["Observation/x"])


@pytest.mark.parametrize(
    "record",
    [
        observation(coded(LOINC, "82810-3")),
        observation(coded(LOINC, "72166-2")),
        observation(coded("urn:osteon:finding", "dental-status")),
        observation(HIP, dataAbsentReason={"coding": [{"code": "unknown"}]}),
    ],
    ids=["pregnancy", "smoking", "question", "absent"],
)
def test_a_question_without_an_answer_states_nothing(record: Json) -> None:
    found = chart(record)
    assert (found.conditions, found.fractures) == ((), ())
