"""Unknown never becomes no: a list that is not sent takes knowledge away and adds none.

Stated exactly. When a list is not sent any more:
1. no criterion that was unknown is decided, and none that was decided is decided the other way, except where the
   guideline file itself asks with `known:` whether there is a value;
2. a recommendation that is newly cited held before too: only its exclusion, or what stood in front of it, cannot be
   told any more. Where `known:` says the exclusion, the card names what is missing;
   Whether a DXA was done is left out: it is read from the observations alone where nothing else is sent, so that a
   client that sends only what is required gets DXA advice, and a DXA since an event asks only about known events;
3. where a drug is suggested that was not, the cards name what is not known.
"""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.criteria import IsKnown, Node
from app.features import PatientFeatures
from tests.clinical.cases import TODAY
from tests.property.patients import Json, cards_of, cases, pipeline, read, request_of

OPTIONAL = ("conditions", "procedures", "familyHistory", "allergies")
few = settings(max_examples=80, derandomize=True)


def without(body: Json, *keys: str) -> Json:
    """The request of a client that does not send these lists."""
    made = copy.deepcopy(body)
    for key in keys:
        del made["prefetch"][key]
    return made


def features_of(body: Json) -> PatientFeatures:
    chart = pipeline().chart(read(body), today=TODAY)
    return PatientFeatures(chart, pipeline().feature_settings)


def asks_what_is_known(node: Node) -> bool:
    return any(isinstance(leaf, IsKnown) for leaf in node.leaves())


def asks_for_dxa(node: Node) -> bool:
    return any("dxa" in str(leaf) for leaf in node.leaves())


def drugs_suggested(cards: list[Json]) -> set[str]:
    return {
        coding["code"]
        for card in cards
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
        for coding in action.get("resource", {}).get("medicationCodeableConcept", {}).get("coding", [])
    }


def cited(cards: list[Json]) -> set[str]:
    return {r["id"] for c in cards for r in c["extension"]["osteon.explanation"].get("recommendations", [])}


def missing(cards: list[Json]) -> set[str]:
    return {name for c in cards for name in c["extension"]["osteon.explanation"].get("missing", [])}


@few
@given(cases(), st.sets(st.sampled_from(OPTIONAL), min_size=1))
def test_what_is_not_sent_decides_nothing(case: Json, dropped: set[str]) -> None:
    body = request_of(case)
    before, after = features_of(body), features_of(without(body, *dropped))
    for rule in pipeline().knowledge.rules.values():
        for node in (rule.when, rule.rides_when, rule.opens, *(unless.node for unless in rule.unless)):
            if asks_what_is_known(node) or asks_for_dxa(node):
                continue
            was, now = node.evaluate(before).truth, node.evaluate(after).truth
            assert now is None or now is was, (rule.id, str(node), was, now, dropped)


@few
@given(cases(), st.sets(st.sampled_from(OPTIONAL), min_size=1))
def test_what_is_newly_advised_held_before_and_names_what_is_missing(case: Json, dropped: set[str]) -> None:
    body = request_of(case)
    less = without(body, *dropped)
    before, after = cards_of(body), cards_of(less)
    known = features_of(body)
    rules = pipeline().knowledge.rules
    for rule_id in cited(after) - cited(before):
        rule = rules[rule_id]
        nodes = (rule.when, rule.rides_when, rule.opens)
        if any(asks_what_is_known(node) for node in nodes):
            assert missing([card for card in after if rule_id in cited([card])]), (rule_id, dropped)
        else:
            assert any(node.evaluate(known).truth is True for node in nodes), (rule_id, dropped)
    new = drugs_suggested(after) - drugs_suggested(before)
    if new:
        assert missing(after) - missing(before), (new, dropped)
