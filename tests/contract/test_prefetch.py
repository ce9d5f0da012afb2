"""Prefetch data: the six cases that a key can be in, and what is set aside."""

from __future__ import annotations

from typing import Any

import pytest

from app.cds_hooks.prefetch import Records, resolve, supplement
from app.cds_hooks.queries import CATEGORY_KEYS, queries_with
from app.chart import Availability, ObservationCategory, SetAside, Source
from app.main import create_app
from app.settings import Settings
from tests.conftest import Client
from tests.support.calls import bundle, observation, outcome, patient_view, without
from tests.support.fake import FakePipeline, passing
from tests.support.wire import call, record

KEYS = [source.value for source in Source]
OPTIONAL = sorted(set(KEYS) - {"observations", "medications", "medicationRequests"})


def resolved(prefetch: Any, patient_id: str = "p1") -> Records:
    decoded = call({"prefetch": prefetch})
    return resolve(decoded.call.prefetch or {}, patient_id=patient_id, wrong=decoded.wrong)


def records(**prefetch: Any) -> Records:
    return resolved(patient_view(**prefetch)["prefetch"])


def ids(found: Records) -> list[str]:
    return [resource.id or "" for resource in found.entries]


def only(key: str, value: Any) -> Records:
    """The records of one key, without those of the required ones."""
    return resolved({"patient": {"resourceType": "Patient", "id": "p1"}, key: value})


RESOURCE_OF = {
    "observations": "Observation",
    "medications": "MedicationStatement",
    "medicationRequests": "MedicationRequest",
    "medicationAdministrations": "MedicationAdministration",
    "conditions": "Condition",
    "procedures": "Procedure",
    "familyHistory": "FamilyMemberHistory",
    "allergies": "AllergyIntolerance",
    "diagnosticReports": "DiagnosticReport",
    "serviceRequests": "ServiceRequest",
}


@pytest.mark.parametrize("key", KEYS)
def test_the_six_cases_of_each_key(key: str) -> None:
    """PFD-1, PFD-2, PFD-3, PFD-4, PFD-5, PFD-6: absent, null, failed, one resource, Bundle, paged Bundle."""
    source, resource = Source(key), {"resourceType": RESOURCE_OF[key], "id": "x"}
    page = {"link": [{"relation": "self", "url": "u"}, {"relation": "next", "url": "v"}]}
    assert resolved({}).availability[source] is Availability.ABSENT
    assert only(key, None).availability[source] is Availability.PROVIDED
    assert only(key, outcome()).availability[source] is Availability.FAILED
    single = only(key, resource)
    assert (single.availability[source], ids(single)) == (Availability.PROVIDED, ["x"])
    many = only(key, bundle(resource))
    assert (many.availability[source], ids(many)) == (Availability.PROVIDED, ["x"])
    paged = only(key, bundle(resource, **page))
    assert (paged.availability[source], ids(paged)) == (Availability.PARTIAL, ["x"])


@pytest.mark.parametrize("key", OPTIONAL)
@pytest.mark.parametrize("value", [None, outcome("warning"), {"resourceType": "Bundle"}, {}])
def test_optional_keys_never_fail_the_call(client: Client, key: str, value: Any) -> None:
    """PFD-1, PFD-8: whatever an optional key holds, the answer is 200."""
    assert client.call(patient_view(**{key: value})).status_code == 200


@pytest.mark.parametrize("value", ["absent", outcome(), outcome("information")])
@pytest.mark.parametrize("key", ["patient", "observations", "medications"])
def test_required_keys(client: Client, pipeline: FakePipeline, key: str, value: Any) -> None:
    """PFD-2, PFD-4, PFD-7, HTTP-1: a required key that did not come, or whose query failed: 412 that names it."""
    body = without(patient_view(), "prefetch", key) if value == "absent" else patient_view(**{key: value})
    response = client.call(body)
    assert response.status_code == 412
    assert key in response.json()["issue"][0]["diagnostics"]
    assert pipeline.requests == []


def test_a_call_without_prefetch_needs_data(client: Client) -> None:
    """PFD-7: absent, null and empty prefetch alike."""
    for body in (without(patient_view(), "prefetch"), {**patient_view(), "prefetch": None}):
        assert client.call(body).status_code == 412


def test_medication_requests_alone_will_do(client: Client) -> None:
    """PFD-7: contract section 2, medications may be missing where medicationRequests came."""
    body = without(patient_view(medicationRequests=bundle()), "prefetch", "medications")
    assert client.call(body).status_code == 200


def test_null_is_an_answer_not_a_gap(client: Client) -> None:
    """PFD-3, PFD-8: nothing on record is no reason for 412, and is not asked again."""
    response = client.call(patient_view(observations=None, medications=None))
    assert response.status_code == 200
    assert "observations" not in records(observations=None).queries("p1")


def test_a_null_patient_is_412(client: Client) -> None:
    """PFD-7: contract section 2."""
    assert client.call(patient_view(patient=None)).status_code == 412


@pytest.mark.parametrize("other", [{"resourceType": "Patient", "id": "p2"}, {"resourceType": "Patient"}])
def test_another_patient_is_400(client: Client, other: Any) -> None:
    """PFD-10: the patient of the prefetch is not the one of the context."""
    for value in (other, bundle(other)):
        response = client.call(patient_view(patient=value))
        assert response.status_code == 400
        assert "prefetch.patient" in response.text
        assert "p2" not in response.text


def test_a_patient_may_come_in_a_bundle(client: Client) -> None:
    """PFD-5: under its own key, or among the records of another."""
    patient = {"resourceType": "Patient", "id": "p1"}
    assert client.call(patient_view(patient=bundle(patient))).status_code == 200
    body = without(patient_view(observations=bundle(patient, observation())), "prefetch", "patient")
    assert client.call(body).status_code == 200


def test_an_empty_patient_bundle_is_412(client: Client) -> None:
    """PFD-7: looked and found nobody."""
    assert client.call(patient_view(patient=bundle())).status_code == 412


def test_other_patients_among_the_records_are_counted() -> None:
    """PFD-10: counted, never identified."""
    found = records(observations=bundle({"resourceType": "Patient", "id": "p2"}, observation()))
    assert found.set_aside == (SetAside(None, "other-patient", 1),)
    assert ids(found) == ["o1"]


def test_a_value_that_is_no_resource_is_refused(client: Client) -> None:
    """JSON-5, HTTP-2: FHIR is sent as objects, not as strings or bare lists."""
    for value in ('{"resourceType": "Bundle"}', [observation()], 7, True):
        response = client.call(patient_view(observations=value))
        assert response.status_code == 400
        assert "prefetch.observations" in response.text


def test_prefetch_must_be_an_object(client: Client) -> None:
    """HTTP-2: an array is refused."""
    assert client.call({**patient_view(), "prefetch": [1]}).status_code == 400


@pytest.mark.parametrize("severity", ["error", "fatal", ["error"], {}, 3])
def test_a_failing_outcome_among_entries_makes_the_list_incomplete(severity: Any) -> None:
    """PFD-4: with other entries partial, without any failed."""
    some = records(conditions=bundle({"resourceType": "Condition", "id": "c"}, outcome(severity)))
    none = records(conditions=bundle(outcome(severity)))
    assert some.availability[Source.CONDITIONS] is Availability.PARTIAL
    assert none.availability[Source.CONDITIONS] is Availability.FAILED


@pytest.mark.parametrize("severity", ["warning", "information"])
def test_a_harmless_outcome_among_entries_is_noted(severity: str) -> None:
    """PFD-4: contract section 2."""
    found = records(conditions=bundle(outcome(severity)))
    assert found.availability[Source.CONDITIONS] is Availability.PROVIDED
    assert found.set_aside == (SetAside(None, "operation-outcome", 1),)


def test_search_modes() -> None:
    """PFD-10: outcome is never a match; included records are there for what refers to them."""
    modes = {"match": "o1", "include": "o2", "outcome": "o3"}
    entries = [{"resource": {**observation(), "id": name}, "search": {"mode": mode}} for mode, name in modes.items()]
    found = records(observations={"resourceType": "Bundle", "entry": entries})
    assert ids(found) == ["o1", "o2"]
    assert found.set_aside == (SetAside(None, "operation-outcome", 1),)


@pytest.mark.parametrize("kind", ["searchset", "collection", "history", None])
def test_bundles_of_any_type(kind: str | None) -> None:
    """PFD-5: the type of a Bundle does not matter."""
    value = bundle(observation())
    found = records(observations={**value, "type": kind} if kind else without(value, "type"))
    assert found.availability[Source.OBSERVATIONS] is Availability.PROVIDED
    assert ids(found) == ["o1"]


@pytest.mark.parametrize("entry", [None, 7, "x", {}, {"resource": None}, {"resource": []}, {"resource": {"id": "x"}}])
def test_unreadable_entries_are_counted_and_the_list_is_not_complete(entry: Any) -> None:
    """PFD-5: what cannot be read could have been the record that is asked for."""
    found = records(conditions={"resourceType": "Bundle", "entry": [entry]})
    assert found.availability[Source.CONDITIONS] is Availability.PARTIAL
    assert found.set_aside == (SetAside(None, "unreadable", 1),)


@pytest.mark.parametrize("entry", [7, "x", {"resource": observation()}])
def test_an_entry_member_that_is_no_array(client: Client, entry: Any) -> None:
    """PFD-5: a chart full of nonsense is answered."""
    assert client.call(patient_view(conditions={"resourceType": "Bundle", "entry": entry})).status_code == 200


def test_a_resource_of_another_kind_does_not_stand_for_the_list() -> None:
    """PFD-5: the record is kept, but the list that was asked for did not come."""
    found = records(conditions={"resourceType": "Procedure", "id": "x"})
    assert found.availability[Source.CONDITIONS] is Availability.FAILED
    assert "x" in ids(found)


def test_a_resource_without_id_takes_that_of_its_full_url() -> None:
    """PFD-5: so that references to it can be resolved; what was sent is not changed."""
    resource = without(observation(), "id")
    entry = {"fullUrl": "urn:uuid:5e1", "resource": resource}
    found = records(observations={"resourceType": "Bundle", "entry": [entry]})
    assert ids(found) == ["5e1"]
    assert "id" not in resource


def test_extra_keys_are_read_like_the_others() -> None:
    """Contract, section 2: a site may split its queries as it must; how complete such a list is, is not known."""
    found = records(problems=bundle({"resourceType": "Condition", "id": "c"}), other=None, failed=outcome())
    assert ids(found) == ["o1", "c"]
    assert found.availability[Source.CONDITIONS] is Availability.ABSENT
    assert found.others == {Source.CONDITIONS}


def test_extra_keys_never_fail_the_call(client: Client) -> None:
    """PFD-9: what cannot be read under a key that was not asked for is set aside and counted."""
    assert client.call(patient_view(unknown="x", other=[1])).status_code == 200
    assert records(unknown="x").set_aside == (SetAside(None, "unreadable", 1),)


def test_each_answer_stands_for_itself(client: Client) -> None:
    """STALE-1: a second call does not see the first."""
    assert client.call(patient_view()).status_code == 200
    assert client.call(without(patient_view(), "prefetch")).status_code == 412


def test_only_what_was_left_out_is_asked_for() -> None:
    """PFD-2, PFD-3, PFD-4: not what was null and not what failed; the id is one value in its query."""
    found = resolved({"observations": None, "conditions": outcome()}, "a b&c")
    queries = found.queries("a b&c")
    assert queries["patient"] == "Patient/a%20b%26c"
    assert queries["medications"] == "MedicationStatement?patient=a%20b%26c"
    assert "observations" not in queries
    assert "conditions" not in queries


def test_further_pages_are_asked_for_where_only_they_are_missing() -> None:
    """PFD-6: the address of the next page, unless the page at hand is already incomplete."""
    link = {"link": [{"relation": "next", "url": "https://ehr.test/r4?page=2"}]}
    assert records(conditions=bundle(**link)).queries("p1")["conditions"] == "https://ehr.test/r4?page=2"
    assert "conditions" not in records(conditions=bundle(outcome(), **link)).queries("p1")
    without_address = records(conditions=bundle(link=[{"relation": "next"}]))
    assert without_address.availability[Source.CONDITIONS] is Availability.PARTIAL
    assert "conditions" not in without_address.queries("p1")


def test_what_was_fetched_completes_the_records() -> None:
    """PFD-2, PFD-6: a key that was left out, and the last page of another; what failed stays unknown."""
    next_page = {"link": [{"relation": "next", "url": "u"}]}
    came = records(conditions=bundle({"resourceType": "Condition", "id": "c1"}, **next_page))
    fetched = {
        "conditions": bundle({"resourceType": "Condition", "id": "c2"}),
        "procedures": bundle({"resourceType": "Procedure", "id": "x"}),
        "allergies": outcome(),
    }
    whole = supplement(came, {key: record(value) for key, value in fetched.items()}, patient_id="p1")
    assert ids(whole) == ["o1", "c1", "c2", "x"]
    assert whole.availability[Source.CONDITIONS] is Availability.PROVIDED
    assert whole.availability[Source.PROCEDURES] is Availability.PROVIDED
    assert whole.availability[Source.ALLERGIES] is Availability.FAILED
    assert whole.availability[Source.FAMILY_HISTORY] is Availability.ABSENT
    assert whole.availability[Source.OBSERVATIONS] is Availability.PROVIDED


@pytest.mark.parametrize("page", [outcome(), bundle(link=[{"relation": "next", "url": "v"}])])
def test_a_page_that_could_not_be_had_leaves_the_list_incomplete(page: Any) -> None:
    """PFD-6: absence then proves nothing."""
    came = records(conditions=bundle(link=[{"relation": "next", "url": "u"}]))
    whole = supplement(came, {"conditions": record(page)}, patient_id="p1")
    assert whole.availability[Source.CONDITIONS] is Availability.PARTIAL


def without_observations(**prefetch: Any) -> Any:
    return {**without(patient_view(), "prefetch", "observations")["prefetch"], **prefetch}


@pytest.mark.parametrize("key", [*CATEGORY_KEYS, "observations"])
def test_any_key_with_observations_is_enough(client: Client, key: str) -> None:
    """Contract, section 2: 412 only where none came; the others are unknown."""
    for value in (None, bundle(), bundle(observation()), observation()):
        assert client.call({**patient_view(), "prefetch": without_observations(**{key: value})}).status_code == 200
    for prefetch in (without_observations(), without_observations(**{key: outcome()})):
        assert client.call({**patient_view(), "prefetch": prefetch}).status_code == 412


def test_observations_under_an_extra_key_are_enough(client: Client) -> None:
    """Contract, section 2: recognised by their type."""
    prefetch = without_observations(vitals=bundle(observation()))
    assert client.call({**patient_view(), "prefetch": prefetch}).status_code == 200


def test_a_category_is_known_by_itself() -> None:
    found = resolved(without_observations(observationsLaboratory=bundle(), observationsVitalSigns=outcome()))
    assert found.categories == {ObservationCategory.LABORATORY}
    assert found.availability[Source.OBSERVATIONS] is Availability.FAILED
    assert set(found.queries("p1")) >= {"observationsSocialHistory", "observationsExam"}
    assert not set(found.queries("p1")) & {"observationsLaboratory", "observationsVitalSigns", "observations"}


def test_all_categories_are_all_observations() -> None:
    every = resolved(without_observations(**dict.fromkeys(CATEGORY_KEYS, None)))
    assert every.availability[Source.OBSERVATIONS] is Availability.PROVIDED
    page = bundle(observation(), link=[{"relation": "next", "url": "v"}])
    paged = resolved(without_observations(**{**dict.fromkeys(CATEGORY_KEYS, None), "observationsExam": page}))
    assert paged.availability[Source.OBSERVATIONS] is Availability.PARTIAL
    assert paged.next_pages == {"observationsExam": "v"}


def test_a_record_counts_whatever_its_category_and_key() -> None:
    found = resolved(without_observations(observationsExam=bundle(observation(7))))
    assert "o7" in ids(found)


def test_without_any_observation_the_service_asks_for_all_at_once() -> None:
    """Charts without categories are common; a server that refuses is asked by category."""
    asked = resolved(without_observations()).queries("p 1/x")
    assert asked["observations"] == "Observation?patient=p%201%2Fx"
    assert not set(asked) & set(CATEGORY_KEYS)


def test_what_is_fetched_by_category_completes_it() -> None:
    came = resolved(without_observations(**{key: None for key in CATEGORY_KEYS if key != "observationsImaging"}))
    assert came.availability[Source.OBSERVATIONS] is Availability.ABSENT
    whole = supplement(came, {"observationsImaging": record(bundle(observation()))}, patient_id="p1")
    assert whole.availability[Source.OBSERVATIONS] is Availability.PROVIDED


OWN = {
    "labs": "Observation?patient={{context.patientId}}&category=laboratory,vital-signs&_count=1000",
    "dxa": "Observation?subject=Patient/{{context.patientId}}&code=http://loinc.org|38268-9",
    "serviceRequests": None,
    "conditions": "Condition?patient={{context.patientId}}&category=problem-list-item",
}


def test_a_deployment_has_its_own_queries() -> None:
    queries = queries_with(OWN)
    assert "serviceRequests" not in queries.templates
    assert queries.templates["labs"] == OWN["labs"]
    assert queries.covers["labs"] == {ObservationCategory.LABORATORY, ObservationCategory.VITAL_SIGNS}
    assert queries.covers["dxa"] == frozenset()
    assert queries.covers["conditions"] == {Source.CONDITIONS}  # the deployment says what its list of conditions is
    decoded = call({"prefetch": without_observations(labs=None, dxa=bundle(observation()))})
    found = resolve(decoded.call.prefetch or {}, patient_id="p1", queries=queries)
    assert found.categories == {ObservationCategory.LABORATORY, ObservationCategory.VITAL_SIGNS}
    found.require()


def test_the_queries_of_a_deployment_are_published() -> None:
    app = create_app(pipeline=FakePipeline(), settings=Settings(prefetch=OWN), self_test=passing)
    for service in Client(app).get("/cds-services").json()["services"]:
        assert service["prefetch"]["labs"] == OWN["labs"]
        assert "serviceRequests" not in service["prefetch"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"patient": None}, "cannot be removed"),
        ({"patient": "Patient?_id={{context.patientId}}"}, "must be"),
        ({"condition": None}, "is not there"),
        ({"a b": "Condition?patient={{context.patientId}}"}, "letters"),
        ({"labs": "Encounter?patient={{context.patientId}}"}, "is not read"),
        ({"labs": "https://x.test/Observation?patient={{context.patientId}}"}, "must be a search"),
        ({"labs": "Observation?category=laboratory"}, "patient and subject"),
        ({"labs": "Observation?patient={{context.encounterId}}"}, "patient and subject"),
        (
            {"labs": "Observation?patient={{context.patientId}}&encounter={{context.encounterId}}"},
            "not allowed|other token",
        ),
        ({"labs": "Observation?patient={{context.patientId}}&_include=Observation:subject"}, "not allowed"),
        ({"labs": "Observation?patient={{context.patientId}}&code:not=x"}, "not allowed"),
        ({"labs": "Observation?patient={{context.patientId}}&code=x&code=y"}, "twice"),
        ({"conditions": "Observation?patient={{context.patientId}}"}, "another type"),
        ({"observationsExam": "Condition?patient={{context.patientId}}"}, "another type"),
    ],
)
def test_a_query_that_cannot_be_right_stops_the_start(changes: Any, said: str) -> None:
    """PFT-1 to PFT-9: checked at start, with the name of the key."""
    with pytest.raises(ValueError, match=said):
        Settings(prefetch=changes)
