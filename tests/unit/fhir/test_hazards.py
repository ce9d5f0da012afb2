"""Shapes that break naive readers: met in real and generated charts, each made up anew and small."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.chart import Availability, Interpretation, Presence, SetAside, Sex, Source
from tests.unit.fhir.builders import (
    ATC,
    FINDING,
    ICD10,
    ICD10CM,
    LOINC,
    ME,
    NPU,
    RXNORM,
    SNOMED,
    TODAY,
    Json,
    chart,
    coded,
    condition,
    facts_in,
    observation,
    request,
    resource,
    statement,
)

PROVIDED = Availability.PROVIDED
CREATININE = coded(NPU, "NPU18016")


def test_the_dead_are_dead_by_a_date_or_by_true_only() -> None:
    assert chart(patient={"deceasedDateTime": "2020"}).patient.deceased
    assert chart(patient={"deceasedBoolean": True}).patient.deceased
    assert not chart(patient={"deceasedBoolean": False}).patient.deceased


ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}


@pytest.mark.parametrize(
    ("patient", "born", "dead", "named"),
    [
        ({"birthDate": None, "_birthDate": ABSENT}, False, False, ""),
        ({"_birthDate": ABSENT}, False, False, "birthDate"),
        ({"_birthDate": {"extension": [{"url": "http://x/time", "valueDateTime": "1950-03-02"}]}}, True, False, ""),
        ({"_deceasedDateTime": ABSENT}, True, False, "deceasedDateTime"),
        ({"_deceasedDateTime": ABSENT, "deceasedBoolean": True}, True, True, ""),
        ({"_deceasedDateTime": ABSENT, "deceasedDateTime": "2020"}, True, True, ""),
        ({"_deceasedDateTime": {"extension": []}}, True, False, ""),
        ({"_deceasedDateTime": ABSENT, "_birthDate": ABSENT}, False, False, "deceasedDateTime, birthDate"),
        ({"deceasedBoolean": False}, True, False, ""),
        ({"_deceasedDateTime": None, "_birthDate": None}, True, False, ""),
    ],
)
def test_dates_of_the_patient_that_are_said_to_be_absent(patient: Json, born: bool, dead: bool, named: str) -> None:
    """A date of death that is absent does not tell whether the patient lives: named, and the call is answered."""
    found = chart(patient=patient)
    assert (found.patient.birth_date is not None, found.patient.deceased) == (born, dead)
    noted = [SetAside("Patient/me", f"members not readable: {named}")] if named else []
    assert list(found.set_aside) == noted


def test_sex_may_stand_only_in_an_extension() -> None:
    url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-individual-sex"
    coding = {"url": url, "valueCoding": {"system": SNOMED, "code": "248152002"}}
    assert chart(patient={"gender": None, "extension": [coding]}).patient.sex is Sex.FEMALE
    assert chart(patient={"gender": "other", "extension": [coding]}).patient.sex is None
    assert chart(patient={"gender": None}).patient.sex is None


@pytest.mark.parametrize(("born", "shown"), [("1950", "1950"), ("2030-01-01", "None"), ("unknown", "None")])
def test_birth_dates_are_partial_or_impossible(born: str, shown: str) -> None:
    assert str(chart(patient={"birthDate": born}).patient.birth_date) == shown


def test_a_question_that_was_answered_with_no_is_no_finding() -> None:
    answer = {"coding": [{"system": SNOMED, "code": "373067005"}]}
    no = observation(coded(FINDING, "night-pain"), valueCodeableConcept=answer)
    found = chart(no)
    assert found.conditions == ()
    assert facts_in(found)[0].boolean is False
    yes = chart(observation(coded(FINDING, "night-pain"), valueBoolean=True))
    assert [fact.concepts for fact in yes.conditions] == [{"night_pain"}]


def test_a_japanese_percentage_of_young_adults_is_no_t_score() -> None:
    code = {"coding": [{"system": "http://jpfhir.jp/x", "code": "9N226", "display": "DXA"}]}
    assert chart(observation(code, 95, "{%YAM}")).densities == ()
    assert chart(observation(coded(LOINC, "38267-1"), 95, "%")).unusable[0].shown == "95 %"


def test_a_resolved_fracture_is_still_a_fracture() -> None:
    assert len(chart(condition(coded(SNOMED, "359817006"), clinical="resolved")).fractures) == 1


def test_empty_strings_are_missing() -> None:
    assert chart(condition({"coding": [{"system": LOINC, "code": "", "display": ""}], "text": ""})).conditions == ()


@pytest.mark.parametrize("text", ["entered-in-error", "Entered-in-Error ", "ENTERED-IN-ERROR"])
def test_entered_in_error_is_seen_in_any_spelling(text: str) -> None:
    wrong = condition(coded(ICD10, "M81.9"), verificationStatus={"coding": [{"code": text}]})
    assert chart(wrong).set_aside == (SetAside("Condition/x", "entered-in-error"),)
    assert chart(observation(CREATININE, 80, "umol/L", status=text)).observations == ()


def test_a_record_is_read_without_the_members_that_cannot_be_read_and_they_are_named() -> None:
    bad = request(coded(RXNORM, "46041"), "bad", dispenseRequest={"validityPeriod": {"start": {"year": 2020}}})
    bad["reasonCode"] = "text where an object belongs"
    good = statement(coded(ATC, "M05BA04"), "good", dateAsserted="2026-06-01")
    found = chart(bad, good, availability={Source.MEDICATIONS: PROVIDED, Source.MEDICATION_REQUESTS: PROVIDED})
    assert [set(course.refs) for course in found.courses] == [{"MedicationRequest/bad", "MedicationStatement/good"}]
    lacks = "members not readable: reasonCode, dispenseRequest.validityPeriod.start"
    assert found.set_aside == (SetAside("MedicationRequest/bad", lacks),)
    assert found.availability == {Source.MEDICATIONS: PROVIDED, Source.MEDICATION_REQUESTS: Availability.PARTIAL}


@pytest.mark.parametrize("member", ["status", "subject", "doNotPerform", "intent", "adherence"])
def test_a_record_of_which_it_cannot_be_read_whether_it_counts_is_not_used(member: str) -> None:
    bad = request(coded(RXNORM, "46041"), "bad") | {member: 7}
    found = chart(bad, availability={Source.MEDICATION_REQUESTS: PROVIDED})
    assert found.courses == ()
    assert found.set_aside == (SetAside("MedicationRequest/bad", f"members not readable: {member}"),)
    assert found.availability == {Source.MEDICATION_REQUESTS: Availability.PARTIAL}


def test_lists_and_objects_stand_for_each_other() -> None:
    single = {"coding": {"system": ICD10, "code": "K90.0"}}
    assert len(chart(condition(single)).conditions) == 1
    route = {"resourceType": "MedicationRequest", "dosageInstruction": {"route": {"text": "oral"}}}
    assert len(chart(request(coded(ATC, "M05BA04")) | route).courses) == 1


@pytest.mark.parametrize(
    "reference", ["Patient/other", "https://ehr.example/fhir/Patient/other", "Patient/other/_history/3"]
)
def test_records_of_others_are_counted_and_not_named(reference: str) -> None:
    records = [observation(CREATININE, 80, "umol/L", subject={"reference": reference}) for _ in range(2)]
    found = chart(*records)
    assert found.observations == ()
    assert found.set_aside == (SetAside(None, "other patient", 2),)


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": f"Patient/{ME}"},
        {"reference": f"https://ehr.example/fhir/Patient/{ME}/_history/2"},
        {"reference": "urn:uuid:0b7e3a5c-0000-4000-8000-000000000000"},
        {"reference": "#p"},
        {"display": "the patient"},
        None,
    ],
)
def test_records_that_do_not_name_another_are_the_patients(subject: Any) -> None:
    assert len(chart(observation(CREATININE, 80, "umol/L", subject=subject)).observations) == 1


def test_an_order_not_to_do_something_is_no_order() -> None:
    code = coded(LOINC, "38265-5")
    refused = resource("ServiceRequest", status="active", intent="order", code=code, doNotPerform=True)
    open_order = resource("ServiceRequest", "o", status="active", intent="order", code=code)
    done = resource("ServiceRequest", "d", status="completed", intent="order", code=code)
    found = chart(refused, open_order, done)
    assert [(service.ref, "dxa_report" in service.concepts) for service in found.services] == [
        ("ServiceRequest/o", True)
    ]


@pytest.mark.parametrize(
    ("verification", "clinical", "presence"),
    [
        ("confirmed", "active", Presence.PRESENT),
        ("confirmed", "relapse", Presence.PRESENT),
        ("confirmed", "remission", Presence.PAST),
        ("unconfirmed", "active", Presence.SUSPECTED),
        ("differential", "", Presence.SUSPECTED),
        ("", "", Presence.UNKNOWN),
    ],
)
def test_what_a_condition_says_about_now(verification: str, clinical: str, presence: Presence) -> None:
    record = condition(
        coded(ICD10, "J44.9"),
        clinical=clinical,
        verificationStatus={"coding": [{"code": verification}]} if verification else None,
    )
    assert [fact.presence for fact in chart(record).conditions] == [presence]


def test_a_condition_that_has_ended_is_past_without_a_status() -> None:
    record = condition(coded(ICD10, "J44.9"), abatementDateTime="2020-01")
    del record["clinicalStatus"]
    assert chart(record).conditions[0].presence is Presence.PAST


def test_the_onset_of_a_history_code_dates_a_disease_and_no_fracture() -> None:
    """Decision 53; a fracture that was once is often entered with the day of the entry as its onset."""
    fact = chart(condition(coded(ICD10CM, "I25.2"), onsetDateTime="2026-05-01")).conditions[0]
    assert fact.presence is Presence.PAST
    assert str(fact.onset) == "2026-05-01"
    fractures = chart(condition(coded(ICD10CM, "Z87.310"), onsetDateTime="2026-05-01")).fractures
    assert [fracture.when for fracture in fractures] == [None]


@pytest.mark.parametrize("status", ["registered", "cancelled", "unknown"])
def test_observation_statuses_that_do_not_count(status: str) -> None:
    assert chart(observation(CREATININE, 80, "umol/L", status=status)).set_aside == (
        SetAside("Observation/x", "status does not count"),
    )


@pytest.mark.parametrize(("days_ahead", "read"), [(0, True), (1, True), (2, False), (400, False)])
def test_a_result_of_the_future_is_set_aside(days_ahead: int, read: bool) -> None:
    """One day ahead can be a clock in another time zone."""
    when = (TODAY + timedelta(days=days_ahead)).isoformat()
    found = chart(observation(CREATININE, 80, "umol/L", effectiveDateTime=when))
    assert bool(found.observations) is read
    assert found.set_aside == (() if read else (SetAside("Observation/x", "dated in the future"),))


def test_a_preliminary_value_counts_and_is_named_so() -> None:
    assert facts_in(chart(observation(CREATININE, 80, "umol/L", status="preliminary")))[0].preliminary


def test_the_laboratorys_own_judgement_comes_in_the_canonical_unit() -> None:
    limits = [{"low": {"value": 8.6}, "high": {"value": 10.2, "unit": "mg/dL"}}]
    flag = [{"coding": [{"code": "L"}]}]
    calcium = observation(coded(LOINC, "17861-6"), 8.0, "mg/dL", referenceRange=limits, interpretation=flag)
    fact = facts_in(chart(calcium))[0]
    assert (fact.reference_low, fact.reference_high) == (Decimal("2.14570"), Decimal("2.54490"))
    assert fact.interpretation is Interpretation.LOW


def test_a_value_of_unknown_unit_is_kept_apart_with_its_reason() -> None:
    found = chart(observation(CREATININE, 80, "flasks"))
    assert found.observations == ()
    assert [(item.ref, item.reason) for item in found.unusable] == [("Observation/x", "unit not known for this value")]


def test_answers_are_words_and_concepts() -> None:
    code = {"coding": [{"system": SNOMED, "code": "76498008"}]}
    status = facts_in(chart(observation(coded(FINDING, "menopausal-status"), valueCodeableConcept=code)))[0]
    assert {"post", "menopausal_status_post"} <= status.answer
    teeth = facts_in(chart(observation(coded(FINDING, "dental-status"), valueString="Poor")))[0]
    assert teeth.answer == {"poor"}


def relative(relationship: Json, code: Json) -> Json:
    return resource("FamilyMemberHistory", status="completed", relationship=relationship, condition=[{"code": code}])


@pytest.mark.parametrize(
    ("relationship", "parent"),
    [
        ({"coding": [{"code": "MTH"}]}, True),
        ({"text": "far"}, True),
        ({"coding": [{"code": "SIS"}], "text": "sister"}, False),
        ({"text": "grandmother"}, False),
        ({}, None),
    ],
)
def test_parents_are_told_from_other_relatives(relationship: Json, parent: bool | None) -> None:
    (fact,) = chart(relative(relationship, coded(ICD10, "S72.0"))).family
    assert fact.parent is parent
    assert fact.fracture_site == "hip"


def test_intolerances_name_the_drug_its_class_and_the_reaction() -> None:
    reaction = [{"manifestation": [coded(ICD10, "K20")]}]
    record = resource("AllergyIntolerance", code=coded(ATC, "M05BA04"), reaction=reaction)
    (fact,) = chart(record).intolerances
    assert {"alendronate", "oral_bisphosphonate"} <= fact.drugs
    assert "oesophageal_disorder" in fact.reaction_concepts
    refuted = record | {"verificationStatus": {"coding": [{"code": "refuted"}]}}
    assert chart(refuted).intolerances == ()


def test_planned_procedures_are_planned_and_cancelled_ones_none() -> None:
    code = coded(SNOMED, "55162003")
    planned = resource("Procedure", "p", status="preparation", code=code, performedDateTime="2026-07-01")
    cancelled = resource("Procedure", "c", status="not-done", code=code)
    found = chart(planned, cancelled)
    assert [(fact.ref, fact.planned) for fact in found.procedures] == [("Procedure/p", True)]
    assert found.set_aside == (SetAside("Procedure/c", "not done"),)


@pytest.mark.parametrize(
    ("onset", "shown"),
    [
        ({"onsetString": "as a child"}, "None"),
        ({"onsetString": "1998"}, "1998"),
        ({"onsetString": "about 1998"}, "None"),
        ({"onsetDateTime": "long ago"}, "None"),
        (
            {"onsetRange": {"low": {"value": 30, "unit": "years"}, "high": {"value": 35, "unit": "years"}}},
            "1980-03-02/1986-03-01",
        ),
        ({"onsetRange": {"low": {"value": 30, "unit": "years"}}}, "None"),
        ({"onsetRange": {"low": {"value": 35, "unit": "a"}, "high": {"value": 30, "unit": "a"}}}, "None"),
        ({"onsetPeriod": {"end": "2001"}}, "None"),
        ({"onsetAge": {"value": 7, "unit": "moons"}}, "None"),
        ({"onsetAge": {}}, "None"),
        ({}, "2026-06-01"),
        ({"onsetString": " "}, "2026-06-01"),
        ({"onsetDateTime": "2020-05"}, "2020-05"),
    ],
)
def test_the_day_of_recording_is_no_onset_where_one_is_told(onset: Json, shown: str) -> None:
    """Decision 57: the event is on record, its time is unknown; without any onset the day of recording is taken."""
    (fracture,) = chart(condition(coded(ICD10, "S72.0"), recordedDate="2026-06-01", **onset)).fractures
    assert str(fracture.when) == shown
