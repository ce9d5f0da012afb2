"""The whole explanation (`explain`): the record over time, every recommendation, what was not understood."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Client
from tests.support import calls

HISTORY = calls.example("long-history.request")
SIGN = calls.example("order-sign.request")
VIEW = calls.example("patient-view.request")


def asked(body: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {**body, "extension": {"osteon.configuration": {"profile": "se", **options}}}


def answer(osteon: Client, body: dict[str, Any], **options: Any) -> dict[str, Any]:
    response = osteon.call(asked(body, **options), f"osteoporosis-{body['hook']}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def told(osteon: Client, body: dict[str, Any], **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer(osteon, body, explain=True, **options)["extension"]["osteon.explanation"]
    return found


def parts(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for part in tree.get("parts", ()):
        yield from parts(part)


def without_ids(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in card.items() if key not in {"uuid", "suggestions"}} for card in found["cards"]
    ]


@pytest.mark.parametrize("body", [HISTORY, SIGN, VIEW], ids=["history", "sign", "view"])
def test_the_cards_are_the_same_with_and_without(osteon: Client, body: dict[str, Any]) -> None:
    plain, explained = answer(osteon, body), answer(osteon, body, explain=True)
    assert without_ids(explained) == without_ids(plain)
    assert answer(osteon, body, explain=False).keys() == plain.keys()


@pytest.mark.parametrize("wrong", ["yes", 1, []])
def test_it_is_asked_for_by_true_alone(osteon: Client, wrong: object) -> None:
    response = osteon.call(asked(VIEW, explain=wrong), "osteoporosis-patient-view")
    assert response.status_code == 400
    assert response.json()["issue"][0]["expression"] == ["extension['osteon.configuration']['explain']"]


def test_the_timeline_tells_density_fractures_drugs_and_kidney(osteon: Client) -> None:
    timeline = told(osteon, HISTORY)["timeline"]
    assert timeline["patient"] == {"sex": "female", "birthDate": "1948-05-22", "age": 78}
    scores = [(one["date"], one["site"], one["value"]) for one in timeline["densities"]]
    assert len(scores) == 10
    assert scores == sorted(scores, key=lambda one: one[0])
    assert ("2012-03-14", "lumbar_spine", -3.1) in scores
    assert [(one["site"], one["date"]) for one in timeline["fractures"]] == [
        ("distal_forearm", "2011-12-05"),
        ("vertebra", "2018-02-19"),
        ("proximal_humerus", "2023-11-08"),
    ]
    courses = {one["name"]: one for one in timeline["courses"]}
    assert courses["alendronate"]["status"] == "past"
    assert courses["alendronate"]["ended"]["date"] == "2017-05-08"
    assert [one["value"] for one in timeline["kidney"] if one["kind"] == "egfr"] == [74, 70, 63, 58, 52, 47, 41]


def test_each_depot_dose_is_told(osteon: Client) -> None:
    denosumab = next(one for one in told(osteon, HISTORY)["timeline"]["courses"] if one["name"] == "denosumab")
    assert denosumab["given"][0] == "2018-06-11"
    assert denosumab["given"][-1] == "2025-12-15"
    assert len(denosumab["given"]) == 16
    assert denosumab["forBone"]


def test_doses_that_belong_to_an_order_are_told_with_it(osteon: Client) -> None:
    """The administrations of a running order are one course with it, and keep their days."""
    body = calls.example("long-history.request")
    order = {
        "resourceType": "MedicationRequest",
        "id": "denosumab-order",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "M05BX04"}]},
        "subject": {"reference": "Patient/karin-holm"},
        "authoredOn": "2018-06-01",
    }
    body["prefetch"]["medicationRequests"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": order}],
    }
    courses = [one for one in told(osteon, body)["timeline"]["courses"] if one["name"] == "denosumab"]
    assert [len(one["given"]) for one in courses] == [16]
    assert "MedicationRequest/denosumab-order" in courses[0]["resources"]


@pytest.mark.parametrize("profile", ["se", "intl", "dk", "cn"])
def test_every_recommendation_of_a_card_is_among_those_considered(osteon: Client, profile: str) -> None:
    found = answer(osteon, SIGN, explain=True, profile=profile)
    considered = {one["id"]: one for one in found["extension"]["osteon.explanation"]["considered"]}
    for card in found["cards"]:
        explanation = card["extension"]["osteon.explanation"]
        for cited in explanation["recommendations"]:
            assert explanation["advice"] in considered[cited["id"]]["cards"]
            assert considered[cited["id"]]["role"] == cited["role"]


def test_the_trees_are_sound(osteon: Client) -> None:
    """Names and facts that a tree refers to are there; what decides has the truth that it decides."""
    explanation = told(osteon, SIGN)
    criteria, facts = explanation["criteria"], explanation["facts"]
    trees = [one["when"] for one in explanation["considered"]] + list(criteria.values())
    trees += [tree for one in explanation["considered"] for tree in one.get("unless", ())]
    kinds = set()
    for tree in trees:
        for part in parts(tree):
            kinds.add(part["kind"])
            assert part["holds"] in {"true", "false", "unknown"}
            if part["kind"] == "named":
                assert criteria[part["name"]]["holds"] == part["holds"]
            assert all(0 <= place < len(facts) for place in part.get("facts", ()))
            deciding = [one for one in part.get("parts", ()) if one.get("decides")]
            if part["kind"] in {"all", "any"}:
                assert deciding
                assert {one["holds"] for one in deciding} == {part["holds"]}
            if part["kind"] == "criterion" and part["holds"] == "unknown":
                assert part["why"]
                assert part["missing"]
    assert kinds == {"all", "any", "not", "named", "criterion", "constant"}


def test_a_limit_is_told_with_the_recommendations_that_it_is_from(osteon: Client) -> None:
    limits = told(osteon, SIGN)["limits"]
    by_limit = {(one["feature"], one["sign"], one["limit"]): one["recommendations"] for one in limits}
    assert "uppsala.treat.pm-t-le-minus2-5-plus-strong-risk-factor" in by_limit["lowest_t_score", "≤", -2.5]
    assert "uppsala.contra.zoledronate-crcl-35" in by_limit["creatinine_clearance", "≤", 35]


def test_what_was_not_understood_is_told(osteon: Client) -> None:
    body = calls.example("patient-view.request")
    entries = body["prefetch"]["observations"]["entry"]
    creatinine = next(one["resource"] for one in entries if one["resource"]["id"] == "creatinine")
    creatinine["valueQuantity"] = {"value": 68, "unit": "furlong"}
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "999999999"}]}
    other = {**body["prefetch"]["conditions"]["entry"][0]["resource"], "id": "strange", "code": code}
    body["prefetch"]["conditions"]["entry"].append({"resource": other})
    told_of = told(osteon, body)["notUnderstood"]
    assert [(one["resource"], one["shown"]) for one in told_of["values"]] == [("Observation/creatinine", "68 furlong")]
    assert {"kind": "condition", "system": "snomed", "count": 1} in told_of["codes"]


def test_text_of_a_record_is_harmless_where_it_is_repeated(osteon: Client) -> None:
    body = calls.example("patient-view.request")
    statement = body["prefetch"]["medications"]["entry"][0]["resource"]
    statement["medicationCodeableConcept"]["text"] = "Prednisolon [x](http://evil.example) <img src=x>\u202e"
    explanation = told(osteon, body)
    course = explanation["timeline"]["courses"][0]
    assert "http" not in course["recordedAs"]
    assert "\u202e" not in course["recordedAs"]
    assert not any("<img" in one["line"].replace("\\<", "") for one in explanation["facts"])


def test_names_come_in_the_language_of_the_cards(osteon: Client) -> None:
    swedish = told(osteon, HISTORY, language="sv")
    assert "kota" in {one["name"] for one in swedish["timeline"]["fractures"]}
    assert any("frakturer" in one.get("statement", "") for one in swedish["considered"])


def test_a_patient_who_has_died_has_a_record_and_no_card(osteon: Client) -> None:
    body = calls.example("long-history.request")
    body["prefetch"]["patient"]["deceasedBoolean"] = True
    found = answer(osteon, body, explain=True)
    assert found["cards"] == []
    assert found["extension"]["osteon.explanation"]["timeline"]["patient"]["deceased"] is True
