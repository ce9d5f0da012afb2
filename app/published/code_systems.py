"""The code systems of the service itself: card topics, finding codes, and orderables without a standard code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.engine.knowledge import Knowledge
from app.published.header import Resource, header
from app.vocabulary import TOPICS, Language

CARD_TOPIC: Final = "urn:osteon:card-topic"
FINDING: Final = "urn:osteon:finding"
ORDERABLE: Final = "urn:osteon:orderable"


def card_topics(knowledge: Knowledge) -> Resource:
    """`urn:osteon:card-topic`, most urgent first."""
    concepts = [_concept(topic, {x: texts.topics[topic] for x, texts in knowledge.locales.items()}) for topic in TOPICS]
    return _code_system(
        "card-topic",
        CARD_TOPIC,
        "Topics of cards",
        "What a card is about (Card.source.topic), most urgent first.",
        concepts,
        knowledge.version,
    )


def orderables(knowledge: Knowledge) -> Resource:
    """`urn:osteon:orderable`: what cards can ask for and no standard code was found for."""
    concepts = [
        _concept(code["code"], {x: texts.orderables[item.block.id].name for x, texts in knowledge.locales.items()})
        for item in knowledge.orderables.values()
        for code in item.block.codes
        if code["system"] == ORDERABLE
    ]
    return _code_system(
        "orderable",
        ORDERABLE,
        "Orderables without a standard code",
        "Examinations and referrals that suggested ServiceRequests name with a code of Osteon.",
        concepts,
        knowledge.version,
    )


def findings(content: Mapping[str, Any], version: str) -> Resource:
    """`urn:osteon:finding` from guidelines/concepts/findings.yaml: facts without a standard code, and their answers."""
    concepts = [_finding(code, entry) for code, entry in content["findings"].items()]
    concepts += [
        {
            "code": str(code),
            "display": str(code).replace("-", " "),
            "definition": meaning,
            "property": [{"code": "kind", "valueCode": "answer"}],
        }
        for code, meaning in content["answers"].items()
    ]
    made = _code_system(
        "finding",
        FINDING,
        "Finding codes",
        "Facts without a standard code here, to be sent as Observation, Condition or Procedure. A closed list.",
        concepts,
        version,
    )
    made["property"] = [
        {"code": "kind", "description": "feature, second-coding, or answer to another code", "type": "code"},
        {"code": "resource", "description": "FHIR resource types that may carry the code", "type": "code"},
        {"code": "value", "description": "The element of the Observation that holds the answer", "type": "string"},
        {"code": "unit", "description": "UCUM unit of a valueQuantity", "type": "string"},
        {"code": "answer", "description": "A code of this system that answers this one", "type": "code"},
        {"code": "note", "description": "What else is to be known about the code", "type": "string"},
    ]
    # `concept` comes last so that people see first what the properties mean
    made["concept"] = made.pop("concept")
    return made


def _finding(code: str, entry: Mapping[str, Any]) -> Resource:
    properties: list[Resource] = [{"code": "kind", "valueCode": entry["kind"]}]
    properties += [{"code": "resource", "valueCode": kind} for kind in entry["resources"]]
    properties += [{"code": key, "valueString": entry[key]} for key in ("value", "unit") if entry.get(key)]
    properties += [{"code": "answer", "valueCode": str(answer)} for answer in entry.get("answers", ())]
    properties += [{"code": "note", "valueString": entry["note"]}] if entry.get("note") else []
    return {
        "code": code,
        "display": code.replace("-", " "),
        "definition": entry["meaning"],
        "property": properties,
    }


def _concept(code: str, texts: Mapping[Language, str]) -> Resource:
    made: Resource = {"code": code, "display": texts[Language.EN]}
    others = [
        {"language": language.value, "value": text} for language, text in texts.items() if language is not Language.EN
    ]
    return made | ({"designation": others} if others else {})


def _code_system(id: str, url: str, title: str, description: str, concepts: list[Resource], version: str) -> Resource:
    head = header(
        "CodeSystem",
        id=id,
        url=url,
        version=version,
        name=f"Osteon{id.title().replace('-', '')}",
        title=title,
        description=description,
    )
    return head | {"caseSensitive": True, "content": "complete", "count": len(concepts), "concept": concepts}
