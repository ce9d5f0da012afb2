"""The outline of an answer: what the patient gets, without the wording of the cards.

advice, indicator, topic, cited recommendations with their roles, missing data, and each order with code, dose, unit,
interval and route.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Outline = dict[str, Any]


def outline_of(body: Mapping[str, Any]) -> Outline:
    """The outline of the JSON of an answer."""
    beside = body.get("extension", {}).get("osteon.explanation", {})
    found: Outline = {"cards": [_card(card) for card in body["cards"]]}
    found |= {
        name: list(beside[key]) for name, key in (("missing", "missing"), ("left_out", "leftOut")) if key in beside
    }
    return {name: value for name, value in found.items() if value or name == "cards"}


def _card(card: Mapping[str, Any]) -> Outline:
    explanation = card["extension"]["osteon.explanation"]
    made: Outline = {
        "advice": explanation["advice"],
        "topic": card["source"].get("topic", {}).get("code"),
        "indicator": card["indicator"],
        "cited": [f"{one['id']} ({one['role']})" for one in explanation.get("recommendations", ())],
        "missing": list(explanation.get("missing", ())),
        "blocked": [_blocked(option) for option in explanation.get("blockedOptions", ())],
        "orders": [
            " + ".join(_action(action) for action in suggestion.get("actions", ()))
            for suggestion in card.get("suggestions", ())
        ],
    }
    return {name: value for name, value in made.items() if value}


def _blocked(option: Mapping[str, Any]) -> str:
    reasons = [*option.get("by", ()), *(f"{name} missing" for name in option.get("missing", ()))]
    return (
        f"{option['drug']} {option['status']}: {', '.join(reasons)}"
        if reasons
        else f"{option['drug']} {option['status']}"
    )


def _action(action: Mapping[str, Any]) -> str:
    """One action in a line: "create alendronic acid (M05BA04, 46041) 70 mg 1 per 1 wk oral"."""
    resource = action.get("resource")
    if resource is None:
        return f"{action['type']} {action.get('resourceId', '')}".strip()
    concept = resource.get("medicationCodeableConcept") or resource.get("code") or {}
    codes = ", ".join(coding["code"] for coding in concept.get("coding", ()))
    said = [action["type"], concept.get("text", ""), f"({codes})"]
    for dosage in resource.get("dosageInstruction", ()):
        said += _dosage(dosage)
    return " ".join(part for part in said if part)


def _dosage(dosage: Mapping[str, Any]) -> Iterator[str]:
    for amount in dosage.get("doseAndRate", ()):
        if "doseRange" in amount:
            low, high = amount["doseRange"]["low"], amount["doseRange"]["high"]
            yield f"{low['value']}-{high['value']} {low['code']}"
        else:
            yield f"{amount['doseQuantity']['value']} {amount['doseQuantity']['code']}"
    repeat = dosage.get("timing", {}).get("repeat")
    if repeat:
        yield f"{repeat['frequency']} per {repeat['period']} {repeat['periodUnit']}"
    for coding in dosage.get("route", {}).get("coding", ()):
        yield str(coding.get("display") or coding["code"]).lower()
