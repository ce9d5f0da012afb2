"""What a clinical case expects, compared with the cards of an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.cases.builder import vocabulary

KNOWN = {"fire", "not_fire", "topics", "no_topics", "suggest", "no_suggest", "indicator", "mentions_missing"}
KNOWN |= {"no_cards", "says", "says_not", "below_indicator", "advice", "no_advice", "one_card", "withheld"}
INDICATORS = {"info": 0, "warning": 1, "critical": 2}
BISPHOSPHONATES = ("alendronate", "risedronate", "ibandronate", "zoledronic_acid")
SERVICES = {
    "dxa_scan": "38268-9",
    "vertebral_fracture_assessment": "vfa",
    "spine_xray": "spine-xray",
    "femur_xray": "femur-xray",
    "specialist_referral": "specialist-referral",
}
ALIASES = {"crcl": "creatinine clearance", "calcium_total": "calcium", "dxa_t_score": "t score"}


class Answer:
    """An answer, read the way the expectations ask for it."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.cards: list[dict[str, Any]] = list(body["cards"])
        self.beside: Mapping[str, Any] = body.get("extension", {}).get("osteon.explanation", {})

    def explanations(self) -> Iterator[Mapping[str, Any]]:
        """The machine-readable explanation of each card."""
        for card in self.cards:
            yield card["extension"]["osteon.explanation"]

    def cited(self) -> set[str]:
        """Ids that any card cites."""
        return {r["id"] for e in self.explanations() for r in e.get("recommendations", [])}

    def topics(self) -> set[str]:
        """Topics of all cards."""
        return {card["source"]["topic"]["code"] for card in self.cards}

    def missing(self) -> str:
        """Everything that cards, or the answer beside them, name as missing, in words."""
        names = " ".join(name for e in (*self.explanations(), self.beside) for name in e.get("missing", []))
        return re.sub(r"[\W_]+", " ", names.lower())

    def text(self) -> str:
        """What the clinician reads, of all cards."""
        return "\n".join(f"{card['summary']}\n{card.get('detail', '')}" for card in self.cards)

    def suggested(self, topic: str | None = None) -> set[str]:
        """Codes of everything that suggestions create or update."""
        codes = set()
        for card in self.cards:
            if topic and card["source"]["topic"]["code"] != topic:
                continue
            for suggestion in card.get("suggestions", []):
                for action in suggestion.get("actions", []):
                    resource = action.get("resource", {})
                    concept = resource.get("medicationCodeableConcept") or resource.get("code") or {}
                    codes |= {coding["code"] for coding in concept.get("coding", [])}
        return codes


def codes_of(concept: str) -> set[str]:
    """The codes by which a concept is recognised in a suggestion."""
    if concept == "bisphosphonate":
        return set().union(*(codes_of(name) for name in BISPHOSPHONATES))
    if concept in SERVICES:
        return {SERVICES[concept]}
    return {vocabulary()["drugs"][concept]}


def unmet(expect: Mapping[str, Any], body: Mapping[str, Any]) -> list[str]:
    """One line for each expectation that is not met."""
    answer, failures = Answer(body), [f"unknown expectation {key}" for key in set(expect) - KNOWN]
    cited, topics = answer.cited(), answer.topics()
    failures += [f"{name} should be cited" for name in expect.get("fire") or [] if name not in cited]
    failures += [f"{name} should not be cited" for name in expect.get("not_fire") or [] if name in cited]
    given = {explanation["advice"] for explanation in answer.explanations()}
    failures += [
        f"{name} is expected, given is {sorted(given)}" for name in expect.get("advice") or [] if name not in given
    ]
    failures += [f"{name} is not expected" for name in expect.get("no_advice") or [] if name in given]
    for name in expect.get("one_card") or []:
        count = sum(explanation["advice"] == name for explanation in answer.explanations())
        if count != 1:
            failures.append(f"one card of {name} is expected, found {count}")
    failures += [f"a card of {name} is expected" for name in expect.get("topics") or [] if name not in topics]
    failures += [f"no card of {name} is expected" for name in expect.get("no_topics") or [] if name in topics]
    for wanted in expect.get("suggest") or []:
        if not codes_of(wanted["concept"]) & answer.suggested(wanted.get("topic")):
            failures.append(f"{wanted['concept']} should be suggested by a card of {wanted.get('topic', 'any topic')}")
    for concept in expect.get("no_suggest") or []:
        if codes_of(concept) & answer.suggested():
            failures.append(f"{concept} should not be suggested")
    for topic, least in (expect.get("indicator") or {}).items():
        found = [c["indicator"] for c in answer.cards if c["source"]["topic"]["code"] == topic]
        if not any(INDICATORS[indicator] >= INDICATORS[least] for indicator in found):
            failures.append(f"{topic} should be {least}, is {found}")
    for topic, most in (expect.get("below_indicator") or {}).items():
        found = [c["indicator"] for c in answer.cards if c["source"]["topic"]["code"] == topic]
        if not found or any(INDICATORS[indicator] >= INDICATORS[most] for indicator in found):
            failures.append(f"{topic} should be below {most}, is {found}")
    text = answer.text()
    failures += [f"{words!r} should be said" for words in expect.get("says") or [] if not re.search(words, text)]
    failures += [f"{words!r} should not be said" for words in expect.get("says_not") or [] if re.search(words, text)]
    for name in expect.get("mentions_missing") or []:
        if ALIASES.get(name, name.replace("_", " ")) not in answer.missing():
            failures.append(f"{name} should be named as missing (named: {answer.missing()})")
    held = {one["advice"] for one in answer.beside.get("withheld", ())}
    failures += [
        f"{name} should be withheld with a reason" for name in expect.get("withheld") or [] if name not in held
    ]
    if expect.get("no_cards") and answer.cards:
        failures.append(f"no card is expected, found {[c['summary'] for c in answer.cards]}")
    return failures
