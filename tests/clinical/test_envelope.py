"""How records come: Bundles in Bundles, references, selections, totals, subjects. Ten shapes or more, three controls.

The patient of every table: romosozumab is being ordered two months after a myocardial infarction, or alendronate with a
creatinine clearance of 20 mL/min. Both orders get a warning where everything is understood. Where something is not, the
answer says so; it is never empty in silence (decision 56).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from app.cases.builder import Builder
from tests.clinical.cases import TODAY
from tests.clinical.test_orders import drug
from tests.conftest import Client

Json = dict[str, Any]
OWN = "Patient/case"
WARNING = "do-not-start-drug"
ROMOSOZUMAB, ALENDRONATE = "M05BX06", "M05BA04"
INFARCTION = {"concept": "myocardial_infarction", "days_ago": 60}
CREATININE_CLEARANCE = {"concept": "crcl", "value": 20, "unit": "mL/min", "days_ago": 10}
CALCIUM = {"concept": "calcium_total", "value": 2.3, "days_ago": 10, "reference_low": 2.15, "reference_high": 2.5}
URN, OTHER_URN = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "urn:uuid:6f1d4a52-0d3c-4e3b-9a94-4a8d6bd5a001"
BASE = "https://ehr.example.org/fhir"


def order_of(code: str, hook: str = "order-sign") -> Json:
    """The request: both reasons against a drug are on record, each for the drug that it forbids."""
    case = {
        "profile": "intl",
        "hook": hook,
        "patient": {"sex": "female", "age": 75},
        "observations": [CALCIUM, CREATININE_CLEARANCE | ({"value": 60} if code == ROMOSOZUMAB else {})],
        "conditions": [INFARCTION] if code == ROMOSOZUMAB else [],
        "draft_orders": [{"concept": "alendronate"}],
    }
    request = Builder(case, TODAY).request()
    request["context"]["draftOrders"] = bundle(drug(code, None, subject={"reference": OWN}))
    if hook == "order-select":
        request["context"]["selections"] = ["MedicationRequest/d1"]
    return request


def bundle(*resources: Json, kind: str = "searchset", **members: Any) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in resources]} | members


def answer_of(osteon: Client, request: Json) -> Json:
    response = osteon.call(request, service=f"osteoporosis-{request['hook']}")
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


def advice(answer: Json) -> list[str]:
    return [card["extension"]["osteon.explanation"]["advice"] for card in answer["cards"]]


def explanations(answer: Json) -> list[Json]:
    extensions = [answer.get("extension", {}), *(card["extension"] for card in answer["cards"])]
    return [extension["osteon.explanation"] for extension in extensions if "osteon.explanation" in extension]


def missing(answer: Json) -> set[str]:
    return {name for found in explanations(answer) for name in found.get("missing", ())}


def not_used(answer: Json) -> set[tuple[str | None, str]]:
    return {
        (item.get("resource"), item["reason"]) for found in explanations(answer) for item in found.get("notUsed", ())
    }


OK, FAILED = {"status": "200 OK"}, {"status": "500 Internal Server Error"}
NOTE = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}

WITH_INCLUDED = [
    {"resource": {"resourceType": "Basic", "id": "b"}, "search": {"mode": "match"}},
    {"resource": {"resourceType": "Basic", "id": "c"}, "search": {"mode": "include"}},
]

NESTED: dict[str, Callable[[Json], Json]] = {
    "a searchset in a batch-response": lambda s: bundle(s, kind="batch-response"),
    "with the status of the request": lambda s: {
        "resourceType": "Bundle", "type": "batch-response", "entry": [{"response": OK, "resource": s}]
    },
    "with a fullUrl": lambda s: {"resourceType": "Bundle", "entry": [{"fullUrl": URN, "resource": s}]},
    "three deep": lambda s: bundle(bundle(s), kind="batch-response"),
    "beside an empty one": lambda s: bundle(bundle(), s, kind="batch-response"),
    "beside an empty one, the other way round": lambda s: bundle(s, bundle(), kind="batch-response"),
    "in a collection": lambda s: bundle(s, kind="collection"),
    "in a transaction-response": lambda s: bundle(s, kind="transaction-response"),
    "without a type": lambda s: {"resourceType": "Bundle", "entry": [{"resource": s}]},
    "beside records": lambda s: bundle({"resourceType": "Basic", "id": "b"}, s),
    "beside a note": lambda s: bundle(s, NOTE, kind="batch-response"),
    "one per record": lambda s: bundle(*(bundle(e["resource"]) for e in s["entry"]), kind="batch-response"),
    "in a list of one entry that is no list": lambda s: {"resourceType": "Bundle", "entry": {"resource": s}},
}  # fmt: skip


@pytest.mark.parametrize("shape", sorted(set(NESTED) - {"in a list of one entry that is no list"}))
def test_a_bundle_inside_a_bundle_is_read_like_the_outer_one(osteon: Client, shape: str) -> None:
    request = order_of(ROMOSOZUMAB)
    request["prefetch"]["conditions"] = NESTED[shape](request["prefetch"]["conditions"])
    assert WARNING in advice(answer_of(osteon, request))


@pytest.mark.parametrize("shape", sorted(NESTED))
def test_draft_orders_in_a_bundle_inside_a_bundle_are_read(osteon: Client, shape: str) -> None:
    request = order_of(ALENDRONATE)
    request["context"]["draftOrders"] = NESTED[shape](request["context"]["draftOrders"])
    response = osteon.call(request, service="osteoporosis-order-sign")
    if shape == "in a list of one entry that is no list":
        assert response.status_code == 400
    else:
        assert WARNING in advice(response.json())


@pytest.mark.parametrize(
    "value",
    [
        bundle(bundle(), kind="batch-response"),
        bundle(kind="batch-response"),
        {"resourceType": "Bundle", "type": "batch-response", "entry": [{"response": {"status": "204 No Content"}}]},
        bundle(bundle(NOTE), kind="batch-response"),
        bundle(bundle(total=0), kind="batch-response"),
    ],
)
def test_control_nothing_found_inside_is_nothing_on_record(osteon: Client, value: Json) -> None:
    request = order_of(ROMOSOZUMAB)
    request["prefetch"]["conditions"] = value
    answer = answer_of(osteon, request)
    assert WARNING not in advice(answer)
    assert "myocardial_infarction" not in missing(answer)


@pytest.mark.parametrize(
    "value",
    [
        bundle(ERROR, kind="batch-response"),
        bundle(bundle(), ERROR, kind="batch-response"),
        {"resourceType": "Bundle", "entry": [{"response": FAILED}]},
        {"resourceType": "Bundle", "entry": [{"response": {"status": "200", "outcome": ERROR}}]},
        {"resourceType": "Bundle", "entry": [{"response": {"status": "404", "outcome": NOTE}}, {"resource": bundle()}]},
        bundle(bundle(total=40), kind="batch-response"),
        bundle(bundle(link=[{"relation": "next", "url": f"{BASE}?page=2"}]), kind="batch-response"),
        bundle(total=40),
        bundle({"resourceType": "Basic", "id": "b"}, total=2),
        {
            "resourceType": "Bundle",
            "total": 2,
            "entry": [{"resource": {"resourceType": "Basic"}, "search": {"mode": "include"}}],
        },
        {"resourceType": "Bundle", "total": 2, "entry": [{"resource": NOTE, "search": {"mode": "outcome"}}]},
        {"resourceType": "Bundle", "total": "many"},
        {"resourceType": "Bundle", "entry": [{}]},
    ],
)
def test_a_part_that_failed_or_did_not_come_makes_the_list_incomplete(osteon: Client, value: Json) -> None:
    """Total, contract section 2: more were found than came, and no page follows."""
    request = order_of(ROMOSOZUMAB)
    request["prefetch"]["conditions"] = value
    assert any("myocardial_infarction" in name or name == "conditions" for name in missing(answer_of(osteon, request)))


@pytest.mark.parametrize(
    "members",
    [
        {"total": 0},
        {"total": 1},
        {"total": 2, "entry": WITH_INCLUDED},
        {"total": None},
        {"link": [{"relation": "self", "url": BASE}]},
        {"total": -1},
    ],
)
def test_control_a_total_that_is_not_larger_than_what_came(osteon: Client, members: Json) -> None:
    request = order_of(ROMOSOZUMAB)
    request["prefetch"]["conditions"] = bundle({"resourceType": "Basic", "id": "b"}, **members)
    assert "myocardial_infarction" not in missing(answer_of(osteon, request))


@pytest.mark.parametrize("severity", ["information", "warning", "success", None])
@pytest.mark.parametrize("nested", [False, True])
def test_control_an_outcome_is_a_failure_only_by_its_severity(
    osteon: Client, severity: str | None, nested: bool
) -> None:
    note = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "informational"}]}
    request = order_of(ROMOSOZUMAB)
    request["prefetch"]["conditions"] = bundle(bundle(note), kind="batch-response") if nested else bundle(note)
    assert "myocardial_infarction" not in missing(answer_of(osteon, request))


# ------------------------------------------------------------------------------------------------------- references
PRODUCT: Json = {
    "resourceType": "Medication",
    "id": "m1",
    "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": ALENDRONATE}]},
}
WITHOUT_ID = {name: value for name, value in PRODUCT.items() if name != "id"}
RESOLVED: dict[str, tuple[str, Json]] = {
    "relative": ("Medication/m1", {"resource": PRODUCT}),
    "absolute": (f"{BASE}/Medication/m1", {"resource": PRODUCT}),
    "absolute, with a fullUrl": (f"{BASE}/Medication/m1", {"fullUrl": f"{BASE}/Medication/m1", "resource": PRODUCT}),
    "versioned": ("Medication/m1/_history/3", {"resource": PRODUCT}),
    "absolute and versioned": (f"{BASE}/Medication/m1/_history/3", {"resource": PRODUCT}),
    "urn of the entry, another id": (URN, {"fullUrl": URN, "resource": PRODUCT}),
    "urn of the entry, no id": (URN, {"fullUrl": URN, "resource": WITHOUT_ID}),
    "urn of an oid": ("urn:oid:1.2.3", {"fullUrl": "urn:oid:1.2.3", "resource": PRODUCT}),
    "an address that ends otherwise": (f"{BASE}/drugs/77", {"fullUrl": f"{BASE}/drugs/77", "resource": PRODUCT}),
    "with blanks": (" Medication/m1 ", {"resource": PRODUCT}),
    "id alone": ("m1", {"resource": PRODUCT}),
    "included": ("Medication/m1", {"resource": PRODUCT, "search": {"mode": "include"}}),
}


@pytest.mark.parametrize("under", ["medicationRequests", "draftOrders", "conditions"])
@pytest.mark.parametrize("form", sorted(RESOLVED))
def test_a_medication_is_found_by_every_form_of_reference(osteon: Client, form: str, under: str) -> None:
    reference, entry = RESOLVED[form]
    request = order_of(ALENDRONATE)
    draft = request["context"]["draftOrders"]["entry"][0]["resource"]
    del draft["medicationCodeableConcept"]
    draft["medicationReference"] = {"reference": reference}
    holder = request["context"] if under == "draftOrders" else request["prefetch"]
    holder.setdefault(under, bundle())["entry"].append(entry)
    assert WARNING in advice(answer_of(osteon, request))


@pytest.mark.parametrize("identifier", ["m1", "1"])
def test_a_contained_medication_is_found(osteon: Client, identifier: str) -> None:
    request = order_of(ALENDRONATE)
    draft = request["context"]["draftOrders"]["entry"][0]["resource"]
    del draft["medicationCodeableConcept"]
    draft |= {"medicationReference": {"reference": f"#{identifier}"}, "contained": [PRODUCT | {"id": identifier}]}
    assert WARNING in advice(answer_of(osteon, request))


UNRESOLVED: list[Json] = [
    {"reference": "Medication/m2"},
    {"reference": URN},
    {"reference": "#m1"},
    {"reference": f"{BASE}/Medication/m2/_history/1"},
    {"reference": "Substance/m1"},
    {"reference": ""},
    {"reference": "urn:oid:1.2.3"},
    {"display": " "},
    {"type": "Medication"},
    {},
]


@pytest.mark.parametrize("reference", UNRESOLVED)
def test_a_reference_that_nothing_resolves_is_named(osteon: Client, reference: Json) -> None:
    request = order_of(ALENDRONATE)
    draft = request["context"]["draftOrders"]["entry"][0]["resource"]
    del draft["medicationCodeableConcept"]
    draft["medicationReference"] = reference
    request["prefetch"]["medications"]["entry"].append({"resource": PRODUCT})
    found = not_used(answer_of(osteon, request))
    assert ("MedicationRequest/d1", "drug could not be identified") in found


@pytest.mark.parametrize("reference", UNRESOLVED)
def test_a_running_drug_that_nothing_resolves_makes_bone_drug_use_unknown(osteon: Client, reference: Json) -> None:
    """Decision 66: no bone drug is offered with one click."""
    case = {
        "profile": "intl",
        "patient": {"sex": "female", "age": 75},
        "observations": [
            CREATININE_CLEARANCE | {"value": 60},
            CALCIUM,
            {"concept": "dxa_t_score", "site": "total_hip", "value": -2.9, "days_ago": 40},
        ],
    }
    request = Builder(case, TODAY).request()
    before = answer_of(osteon, request)
    running = {"resourceType": "MedicationStatement", "id": "s", "status": "active", "subject": {"reference": OWN}}
    running |= {
        "effectivePeriod": {"start": "2026-05-01"},
        "dateAsserted": "2026-10-01",
        "medicationReference": reference,
    }
    request["prefetch"]["medications"]["entry"].append({"resource": running})
    after = answer_of(osteon, request)
    assert suggested(before)
    assert not suggested(after)
    assert ("MedicationStatement/s", "drug could not be identified") in not_used(after)


def suggested(answer: Json) -> set[str]:
    """The drugs that suggestions would order."""
    return {
        coding["code"]
        for card in answer["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
        for coding in action.get("resource", {}).get("medicationCodeableConcept", {}).get("coding", ())
    }


@pytest.mark.parametrize(
    "medication",
    [
        {"medicationReference": {"reference": "Medication/m2", "display": "Metformin 500 mg"}},
        {"medicationCodeableConcept": {"text": "Metformin"}},
        {"medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "A10BA02"}]}},
        {
            "medicationReference": {"reference": "#x"},
            "contained": [{"resourceType": "Medication", "id": "x", "code": {"text": "Metformin"}}],
        },
    ],
)
def test_control_another_drug_that_is_told_changes_nothing(osteon: Client, medication: Json) -> None:
    case = {
        "profile": "intl",
        "patient": {"sex": "female", "age": 75},
        "observations": [
            CREATININE_CLEARANCE | {"value": 60},
            CALCIUM,
            {"concept": "dxa_t_score", "site": "total_hip", "value": -2.9, "days_ago": 40},
        ],
    }
    request = Builder(case, TODAY).request()
    running = {"resourceType": "MedicationStatement", "id": "s", "status": "active", "subject": {"reference": OWN}}
    request["prefetch"]["medications"]["entry"].append({"resource": running | medication})
    answer = answer_of(osteon, request)
    assert suggested(answer)
    assert not_used(answer) == set()


# ------------------------------------------------------------------------------------------------------- selections
SELECTED = {
    "relative": "MedicationRequest/d1",
    "id alone": "d1",
    "absolute": f"{BASE}/MedicationRequest/d1",
    "versioned": "MedicationRequest/d1/_history/1",
    "absolute and versioned": f"{BASE}/MedicationRequest/d1/_history/1",
    "with blanks": " MedicationRequest/d1 ",
    "another server": "http://127.0.0.1:9000/r4/MedicationRequest/d1",
    "urn of the entry": URN,
    "urn of the id": "urn:uuid:d1",
    "fullUrl of the entry": f"{BASE}/drafts/1",
}


@pytest.mark.parametrize("form", sorted(SELECTED))
def test_a_selection_is_found_in_every_form(osteon: Client, form: str) -> None:
    request = order_of(ALENDRONATE, "order-select")
    request["context"]["selections"] = [SELECTED[form]]
    entry = request["context"]["draftOrders"]["entry"][0]
    if form in {"urn of the entry", "fullUrl of the entry"}:
        entry["fullUrl"] = SELECTED[form]
    assert WARNING in advice(answer_of(osteon, request))


@pytest.mark.parametrize(
    "selections",
    [
        ["MedicationRequest/d2"],
        ["d2"],
        [URN],
        [f"{BASE}/MedicationRequest/d2"],
        ["ServiceRequest/d1"],
        ["MedicationRequest"],
        ["MedicationRequest/"],
        ["/"],
        ["Observation/d1", "MedicationRequest/d3"],
        ["MedicationRequest/d1x"],
        ["MedicationRequest/D1"],
    ],
)
def test_selections_that_name_nothing_are_refused(osteon: Client, selections: list[str]) -> None:
    """Never an empty answer: it is not known what the call is about."""
    request = order_of(ALENDRONATE, "order-select")
    request["context"]["selections"] = selections
    response = osteon.call(request, service="osteoporosis-order-select")
    assert response.status_code == 400
    assert "context.selections" in response.text


def test_control_one_of_two_selections_is_enough_and_the_other_is_named(osteon: Client) -> None:
    request = order_of(ALENDRONATE, "order-select")
    request["context"]["selections"] = ["MedicationRequest/d1", "MedicationRequest/lost"]
    answer = answer_of(osteon, request)
    assert WARNING in advice(answer)
    assert ("context.selections", "unreadable") in not_used(answer)


@pytest.mark.parametrize("selections", [["MedicationRequest/d2"], ["d2"], [f"{BASE}/MedicationRequest/d2"]])
def test_control_an_order_that_is_not_selected_is_not_spoken_of(osteon: Client, selections: list[str]) -> None:
    request = order_of(ALENDRONATE, "order-select")
    other = drug("A10BA02", "metformin", "d2", subject={"reference": OWN})
    request["context"]["draftOrders"]["entry"].append({"resource": other})
    request["context"]["selections"] = selections
    assert WARNING not in advice(answer_of(osteon, request))


# --------------------------------------------------------------------------------------------------------- subjects
OTHERS: list[Json] = [
    {"reference": "RelatedPerson/case"},
    {"reference": "Group/case"},
    {"reference": "Device/case"},
    {"reference": "Location/case"},
    {"reference": f"{BASE}/Group/case"},
    {"reference": f"{BASE}/RelatedPerson/case/_history/2"},
    {"reference": "Patient/other"},
    {"reference": f"{BASE}/Patient/other"},
    {"reference": "case", "type": "Group"},
    {"type": "Device", "display": "the pump"},
    {"reference": OTHER_URN},
    {"reference": "#g"},
]
OWNS: list[Json] = [
    {"reference": OWN},
    {"reference": f"{BASE}/{OWN}"},
    {"reference": f"{OWN}/_history/4"},
    {"reference": f"{BASE}/{OWN}/_history/4"},
    {"reference": OWN, "type": "Patient"},
    {"reference": OWN, "type": "http://hl7.org/fhir/StructureDefinition/Patient"},
    {"reference": "case"},
    {"reference": URN},
    {"reference": "urn:uuid:case"},
    {"reference": "#p"},
    {"display": "Anna"},
    {"reference": "Patient?identifier=1"},
]


def about(subject: Json) -> Json:
    """The order of romosozumab; the infarction is about this subject."""
    request = order_of(ROMOSOZUMAB)
    patient = request["prefetch"]["patient"]
    other = {"resourceType": "Patient", "id": "other"}
    entries = [{"fullUrl": URN, "resource": patient}, {"fullUrl": OTHER_URN, "resource": other}]
    request["prefetch"]["observations"]["entry"] += entries
    condition = request["prefetch"]["conditions"]["entry"][0]["resource"]
    condition["contained"] = [{"resourceType": "Group", "id": "g"}, {"resourceType": "Patient", "id": "p"}]
    condition["subject"] = subject
    return request


@pytest.mark.parametrize("subject", OTHERS)
def test_who_is_not_the_patient_is_not_the_patient(osteon: Client, subject: Json) -> None:
    answer = answer_of(osteon, about(subject))
    assert WARNING not in advice(answer)
    assert (None, "other patient") in not_used(answer)


@pytest.mark.parametrize("subject", OWNS)
def test_control_the_patient_in_every_form(osteon: Client, subject: Json) -> None:
    assert WARNING in advice(answer_of(osteon, about(subject)))


@pytest.mark.parametrize("focus", [*OTHERS[:10], {"reference": "Patient/fetus"}, {"reference": "BodyStructure/1"}])
def test_an_observation_with_another_focus_is_not_about_the_patient(osteon: Client, focus: Json) -> None:
    request = order_of(ALENDRONATE)
    clearance = request["prefetch"]["observations"]["entry"][1]["resource"]
    clearance["focus"] = [focus]
    answer = answer_of(osteon, request)
    assert WARNING not in advice(answer)
    assert (f"Observation/{clearance['id']}", "about somebody or something else") in not_used(answer)


@pytest.mark.parametrize("focus", [[], [{"reference": OWN}], [{"reference": f"{BASE}/{OWN}"}], None])
def test_control_an_observation_whose_focus_is_the_patient(osteon: Client, focus: Any) -> None:
    request = order_of(ALENDRONATE)
    request["prefetch"]["observations"]["entry"][1]["resource"]["focus"] = focus
    assert WARNING in advice(answer_of(osteon, request))


# ----------------------------------------------------------------------------------------------- modifier extensions
MODIFIERS: list[Any] = [
    [{"url": "http://example.org/negated", "valueBoolean": True}],
    [{"url": "http://example.org/negated", "valueBoolean": False}],
    [{"url": "http://example.org/certainty", "valueCode": "doubtful"}],
    [{"url": "http://example.org/who", "valueReference": {"reference": "RelatedPerson/1"}}],
    [{"url": "urn:oid:1.2.3"}],
    [{}],
    [{"url": "http://example.org/a"}, {"url": "http://example.org/b"}],
    [{"url": "http://example.org/nested", "extension": [{"url": "x", "valueString": "y"}]}],
    [{"url": "http://hl7.org/fhir/StructureDefinition/condition-related"}],
    {"url": "http://example.org/no-list"},
    7,
]


@pytest.mark.parametrize("modifier", MODIFIERS)
def test_a_record_with_an_unknown_modifier_is_not_used_and_its_list_is_incomplete(
    osteon: Client, modifier: Any
) -> None:
    request = order_of(ROMOSOZUMAB)
    condition = request["prefetch"]["conditions"]["entry"][0]["resource"]
    condition["modifierExtension"] = modifier
    answer = answer_of(osteon, request)
    assert WARNING not in advice(answer)
    assert any("myocardial_infarction" in name for name in missing(answer))
    assert f"Condition/{condition['id']}" in {name for name, _ in not_used(answer)}


@pytest.mark.parametrize("modifier", MODIFIERS)
def test_an_order_with_an_unknown_modifier_is_still_checked(osteon: Client, modifier: Any) -> None:
    request = order_of(ALENDRONATE)
    request["context"]["draftOrders"]["entry"][0]["resource"]["modifierExtension"] = modifier
    assert WARNING in advice(answer_of(osteon, request))


@pytest.mark.parametrize("extension", [None, []])
def test_control_no_modifier(osteon: Client, extension: Any) -> None:
    request = order_of(ROMOSOZUMAB)
    request["prefetch"]["conditions"]["entry"][0]["resource"]["modifierExtension"] = extension
    assert WARNING in advice(answer_of(osteon, request))


def test_control_an_unknown_modifier_of_what_matters_nowhere_changes_nothing(osteon: Client) -> None:
    request = order_of(ROMOSOZUMAB)
    other = copy.deepcopy(request["prefetch"]["conditions"]["entry"][0])
    other["resource"] |= {"id": "other", "code": {"text": "ingrown toenail"}, "modifierExtension": MODIFIERS[0]}
    request["prefetch"]["conditions"]["entry"].append(other)
    answer = answer_of(osteon, request)
    assert WARNING in advice(answer)
    assert not_used(answer) == set()
