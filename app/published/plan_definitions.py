"""The guidelines as PlanDefinitions: one per source, one action per recommendation that the service applies.

The condition of an action is the compiled criterion in words (`CRITERIA` is our own expression language): it can be
read, not executed elsewhere. The documentation holds the line numbers and the words of the source.
"""

from __future__ import annotations

from typing import Final

from app.cds_hooks.hooks import OCCASIONS
from app.engine.criteria import Constant, Node
from app.engine.knowledge import Knowledge, Rule
from app.engine.reviews import all_reviewed
from app.engine.schema import SourceFile, Use
from app.published.code_systems import CARD_TOPIC
from app.published.header import Resource, canonical, computable_name, header

CRITERIA: Final = "text/x-osteon-criterion"
APPLIED: Final = frozenset({Use.CARD, Use.RIDES, Use.LOGIC})
HOOKS: Final = {
    "chart": tuple(hook.value for hook, occasion in OCCASIONS.items() if not occasion.about_orders),
    "orders": tuple(hook.value for hook, occasion in OCCASIONS.items() if occasion.about_orders),
}
_UNKNOWN: Final = {
    "ask": "when unknown, the advice stands and the datum is asked for",
    "block": "when unknown, nothing is suggested and the datum is asked for",
    "withhold": "when unknown, the advice does not stand",
    "silent": "when unknown, the advice stands",
}


def plan_definitions(knowledge: Knowledge) -> dict[str, Resource]:
    """A PlanDefinition for every source, by its id."""
    return {source.id: _plan(source, knowledge) for source in knowledge.sources.values()}


def _plan(source: SourceFile, knowledge: Knowledge) -> Resource:
    rules = [rule for rule in knowledge.rules.values() if rule.source.id == source.id]
    applied = [rule for rule in rules if rule.block.use in APPLIED]
    label = knowledge.locale("en").sources[source.id].label
    head = header(
        "PlanDefinition",
        id=source.id,
        url=canonical("PlanDefinition", source.id),
        version=knowledge.version,
        name=computable_name("Osteon", source.id),
        title=label,
        description=(
            f"The {len(applied)} statements of source {source.number} that Osteon applies; "
            f"{len(rules) - len(applied)} others are only worded on cards or not used."
        ),
        reviewed=all_reviewed(knowledge, source.id),
    )
    made = head | {
        "type": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/plan-definition-type",
                    "code": "eca-rule",
                    "display": "ECA Rule",
                }
            ]
        },
        "copyright": source.licence,
        "relatedArtifact": [_origin(source, label)],
    }
    return made | ({"action": [_action(rule, knowledge) for rule in applied]} if applied else {})


def _origin(source: SourceFile, label: str) -> Resource:
    made: Resource = {
        "type": "derived-from",
        "label": source.number,
        "display": source.title,
        "citation": f"{label}, {source.dated}",
    }
    return made | ({"url": source.url} if source.url else {})  # not every source has an address


def _action(rule: Rule, knowledge: Knowledge) -> Resource:
    block = rule.block
    texts = knowledge.locale("en").statements.get(rule.id)
    made: Resource = {
        "id": rule.id,
        "title": texts.statement if texts and texts.statement else rule.id,
        "description": _description(rule),
    }
    topic = block.topic or (knowledge.advice[block.advise].block.topic if block.advise else None)
    if topic:
        made["code"] = [{"coding": [{"system": CARD_TOPIC, "code": topic}]}]
    label = "line " + ", ".join(map(str, block.source.lines))
    made["documentation"] = [
        {"type": "justification", "label": label, "citation": quote} for quote in block.source.quote
    ]
    made["trigger"] = [{"type": "named-event", "name": hook} for at in block.at for hook in HOOKS[at]]
    conditions = [_condition(rule.when, "holds when")] if rule.when != Constant(True) else []
    conditions += [
        _condition(unless.node, f"does not hold when; {_UNKNOWN[unless.unknown]}", negated=True)
        for unless in rule.unless
    ]
    return made | ({"condition": conditions} if conditions else {})


def _description(rule: Rule) -> str:
    block = rule.block
    parts = [f"Strength of the wording: {block.strength.value}."]
    parts += [f"Grade: {block.grade}."] if block.grade else []
    parts += [f"Advice: {block.advise}."] if block.advise else []
    parts += ["Safety statement, applies in every profile."] if block.safety else []
    parts += ["Off by default."] if not block.default_on else []
    parts += [f"Not a card of its own: {block.reason}"] if block.reason else []
    parts += [f"Not modelled: {'; '.join(block.not_modelled)}."] if block.not_modelled else []
    return " ".join(parts)


def _condition(node: Node, meaning: str, *, negated: bool = False) -> Resource:
    text = f"not ({node})" if negated else str(node)
    return {
        "kind": "applicability",
        "expression": {"description": meaning, "language": CRITERIA, "expression": text},
    }
