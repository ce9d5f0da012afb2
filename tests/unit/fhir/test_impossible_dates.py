"""Dates before the patient's birth: the record stands, its date is not known and named."""

from __future__ import annotations

from typing import Any

import pytest

from app.chart import fact_of
from tests.unit.fhir.builders import (
    ATC,
    ICD10,
    LOINC,
    chart,
    coded,
    condition,
    observation,
    request,
    resource,
    statement,
)

HIP, MI = coded(ICD10, "S72.0"), coded(ICD10, "I21.9")
CREATININE = coded(LOINC, "2160-0")
NAMED = "date before birth"


def reasons(*records: dict[str, Any], **members: Any) -> list[str]:
    return [item.reason for item in chart(*records, **members).set_aside]


@pytest.mark.parametrize("day", ["1900-01-01", "1900", "1949-12", "1950-03-01", "1949-12-31T23:00:00Z"])
def test_an_onset_before_birth_is_not_known(day: str) -> None:
    found = chart(condition(HIP, onsetDateTime=day))
    assert found.fractures[0].when is None
    assert found.conditions[0].onset is None
    assert [item.reason for item in found.set_aside] == [NAMED]


@pytest.mark.parametrize("day", ["1950-03-02", "1950-03", "1950", "2020-01-01"])
def test_an_onset_from_birth_on_is_known(day: str) -> None:
    found = chart(condition(MI, onsetDateTime=day))
    assert found.conditions[0].onset is not None
    assert found.set_aside == ()


def test_the_date_of_the_record_is_no_onset_either() -> None:
    assert chart(condition(HIP, recordedDate="1900-01-01")).fractures[0].when is None


@pytest.mark.parametrize(
    "record",
    [
        condition(HIP, recordedDate="1900-01-01"),
        condition(HIP, abatementDateTime="1900-01-01"),
        observation(CREATININE, 80, "umol/L", effectiveDateTime="1900-01-01"),
        observation(CREATININE, 80, "umol/L", effectivePeriod={"start": "1900-01-01"}, effectiveDateTime=None),
        statement(coded(ATC, "M05BA04"), effectivePeriod={"start": "1900-01-01"}),
        statement(coded(ATC, "M05BA04"), dateAsserted="1900-01-01"),
        request(coded(ATC, "M05BA04"), authoredOn="1900-01-01"),
        resource(
            "MedicationAdministration",
            status="completed",
            medicationCodeableConcept=coded(ATC, "M05BX04"),
            effectiveDateTime="1900-01-01",
        ),
        resource("Procedure", status="completed", code={"text": "DXA"}, performedDateTime="1900-01-01"),
    ],
)
def test_records_of_every_kind_are_named(record: dict[str, Any]) -> None:
    assert NAMED in reasons(record)


def test_a_result_before_birth_is_undated() -> None:
    (record,) = chart(observation(CREATININE, 80, "umol/L", effectiveDateTime="1900-01-01")).observations
    assert fact_of(record).effective is None


def test_each_record_is_named_once_and_the_next_one_not() -> None:
    first = condition(HIP, "a", onsetDateTime="1900-01-01", recordedDate="1900-01-01")
    second = condition(HIP, "b", onsetDateTime="1900-01-01")
    third = condition(MI, "c", onsetDateTime="2020-01-01")
    found = chart(first, second, third).set_aside
    assert [(item.resource, item.count) for item in found] == [("Condition/a", 1), ("Condition/b", 1)]


def test_without_a_birth_date_nothing_is_before_it() -> None:
    assert reasons(condition(HIP, onsetDateTime="1900-01-01"), patient={"birthDate": None}) == []
