from __future__ import annotations

from typing import Any

from app.engine.knowledge import Knowledge
from app.published import PublishedKnowledge
from app.vocabulary import TOPICS


def _read(published: PublishedKnowledge, kind: str, id: str) -> dict[str, Any]:
    found = published.read(kind, id)
    assert found is not None
    return found


def test_what_is_not_there_is_none(small: PublishedKnowledge) -> None:
    assert small.read("CodeSystem", "no-such") is None
    assert small.read("Patient", "1") is None
    assert small.read("CapabilityStatement", "other") is None


def test_the_capability_statement_names_what_can_be_read(small: PublishedKnowledge) -> None:
    made = _read(small, "CapabilityStatement", "osteon")
    assert (made["fhirVersion"], made["date"], made["kind"]) == ("4.0.1", "2026-05-04", "instance")
    assert [entry["type"] for entry in made["rest"][0]["resource"]] == [
        "CodeSystem",
        "ValueSet",
        "PlanDefinition",
        "ConceptMap",
        "Library",
    ]


def test_card_topics_are_the_contracts_most_urgent_first(small: PublishedKnowledge) -> None:
    made = _read(small, "CodeSystem", "card-topic")
    assert made["url"] == "urn:osteon:card-topic"
    assert [concept["code"] for concept in made["concept"]] == list(TOPICS)
    assert made["count"] == len(TOPICS)


def test_orderables_with_a_standard_code_are_not_codes_of_ours(small: PublishedKnowledge) -> None:
    made = _read(small, "CodeSystem", "orderable")
    assert made["concept"] == [
        {
            "code": "vfa",
            "display": "Vertebral fracture assessment",
            "designation": [
                {"language": "sv", "value": "Kotfrakturbedömning"},
                {"language": "da", "value": "Vertebral fracture assessment"},
                {"language": "zh", "value": "Vertebral fracture assessment"},
            ],
        }
    ]


def test_findings_come_with_value_unit_and_answers(small: PublishedKnowledge) -> None:
    made = _read(small, "CodeSystem", "finding")
    concepts = {concept["code"]: concept for concept in made["concept"]}
    assert len(concepts) == made["count"], "a code stands twice"
    assert {"code": "unit", "valueString": "cm"} in concepts["height-loss"]["property"]
    answers = [p["valueCode"] for p in concepts["menopausal-status"]["property"] if p["code"] == "answer"]
    assert answers == ["post", "peri", "pre"]
    assert set(answers) <= set(concepts)


def test_every_answer_and_property_of_a_finding_is_declared(small: PublishedKnowledge) -> None:
    made = _read(small, "CodeSystem", "finding")
    codes = {concept["code"] for concept in made["concept"]}
    declared = {entry["code"] for entry in made["property"]}
    used = [entry for concept in made["concept"] for entry in concept["property"]]
    assert {entry["code"] for entry in used} == declared
    assert {entry["valueCode"] for entry in used if entry["code"] == "answer"} <= codes


def test_a_plan_definition_tells_each_applied_statement_with_its_place_in_the_source(
    small: PublishedKnowledge, small_knowledge: Knowledge
) -> None:
    made = _read(small, "PlanDefinition", "uppsala")
    assert (made["name"], made["version"]) == ("OsteonUppsala", small_knowledge.version)
    assert made["relatedArtifact"][0]["url"] == "https://guideline.example.org/x"
    assert [action["id"] for action in made["action"]] == ["uppsala.dxa.low-weight", "uppsala.logic.always"]
    assert "1 others" in made["description"]


def test_an_action_holds_quotes_topic_triggers_and_conditions(small: PublishedKnowledge) -> None:
    action = _read(small, "PlanDefinition", "uppsala")["action"][0]
    assert action["title"] == "Measure bone density when weight is low"
    assert action["code"] == [{"coding": [{"system": "urn:osteon:card-topic", "code": "dxa-referral"}]}]
    assert [(d["label"], d["citation"]) for d in action["documentation"]] == [
        ("line 12, 14", "low weight"),
        ("line 12, 14", "measure density"),
    ]
    assert {"type": "named-event", "name": "order-sign"} in action["trigger"]
    assert [condition["expression"]["expression"] for condition in action["condition"]] == [
        "weight_kg < 55 kg",
        "not (under_18)",
    ]
    assert "should" in action["description"]
    assert "every profile" in action["description"]


def test_a_statement_that_always_holds_has_no_condition(small: PublishedKnowledge) -> None:
    action = _read(small, "PlanDefinition", "uppsala")["action"][1]
    assert "condition" not in action
    assert action["title"] == "uppsala.logic.always"
    assert "used by the criterion above" in action["description"]


def test_a_search_tells_summaries_of_all_of_a_type(small: PublishedKnowledge) -> None:
    bundle = small.search("CodeSystem", base="https://osteon.example.org/fhir")
    assert bundle is not None
    assert (bundle["type"], bundle["total"]) == ("searchset", 3)
    assert bundle["entry"][0]["fullUrl"] == "https://osteon.example.org/fhir/CodeSystem/card-topic"
    for entry in bundle["entry"]:
        assert "concept" not in entry["resource"]
        assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
        assert entry["search"] == {"mode": "match"}


def test_a_search_without_a_known_address_gives_none(small: PublishedKnowledge) -> None:
    bundle = small.search("PlanDefinition")
    assert bundle is not None
    assert "link" not in bundle
    assert all("fullUrl" not in entry for entry in bundle["entry"])


def test_what_is_not_searched_is_none(small: PublishedKnowledge) -> None:
    assert small.search("Patient") is None
    assert small.search("CapabilityStatement") is None


def test_a_search_by_url_status_name_and_title(small: PublishedKnowledge) -> None:
    def ids(**by: str) -> list[str]:
        bundle = small.search("CodeSystem", base="https://x.example/fhir", by=by)
        assert bundle is not None
        return [entry["resource"]["id"] for entry in bundle.get("entry", ())]

    every = ids()
    assert len(every) == 3
    one = _read(small, "CodeSystem", "card-topic")
    assert ids(url=one["url"]) == ["card-topic"]
    assert ids(url=one["url"][:-1]) == []
    assert ids(title=one["title"].upper()) == ["card-topic"]
    assert ids(name=one["name"][:-1].lower()) == ["card-topic"]
    assert ids(name=one["name"][1:]) == []
    assert ids(status="draft") == every
    assert ids(status="active") == []
    assert ids(version=one["version"], url=one["url"]) == ["card-topic"]
    bundle = small.search("CodeSystem", base="https://x.example/fhir", by={"status": "draft"})
    assert bundle is not None
    assert bundle["link"][0]["url"] == "https://x.example/fhir/CodeSystem?status=draft"


def test_nothing_is_active_before_it_is_reviewed(small: PublishedKnowledge) -> None:
    for resource in small.resources():
        if resource["resourceType"] != "CapabilityStatement":
            assert (resource["status"], resource["experimental"]) == ("draft", True), resource["id"]
            assert resource["contact"]
