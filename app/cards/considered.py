"""What each recommendation says of a patient: the part of the explanation that a request gets with `explain`.

A card tells why it is there; this tells also why the others are not (docs/contract.md, section 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from app.advice.model import AdviceSet, Role
from app.advice.profile import roles_in
from app.cards.criteria_tree import HOLDS, SIGNS, CriteriaTrees
from app.cards.explanation import EvidenceRenderer, not_used
from app.cards.timeline import timeline_of
from app.cards.wording import Wording, wording_in
from app.chart import Chart
from app.engine.criteria import Limit
from app.engine.finding import evaluate
from app.engine.knowledge import Knowledge, Rule
from app.features.model import Features
from app.record_text import shown
from app.vocabulary import Language

DRAWN_LIMITS = frozenset({"lowest_t_score", "lowest_t_score_any_site", "creatinine_clearance"})
"""The features whose limits a picture of the timeline can show; the members of the family t_score beside them."""
_UPPER = frozenset({"at_most", "below"})


def explained(
    advice: AdviceSet, knowledge: Knowledge, profile: str, chart: Chart, features: Features, language: str
) -> dict[str, Any]:
    """The members that `explain` adds to the explanation of the whole answer.

    `timeline`, `considered` (the recommendations that are active in the profile), `criteria` (the named ones), `facts`
    (those that the trees refer to by position), `limits`, `notUnderstood` and `knowledge`, the version.
    """
    wording = wording_in(knowledge, language)
    facts = EvidenceRenderer(wording, wording_in(knowledge, Language.EN), chart.by_local_codes)
    trees = CriteriaTrees(knowledge, features, wording, facts)
    carried: dict[str, list[str]] = {}
    for one in advice.advice:
        for cited in one.cited:
            carried.setdefault(cited.id, []).append(one.id)
    active = _active(knowledge, profile, features)
    considered = [_considered(rule, role, carried, features, wording, trees) for rule, role in active]
    return {
        "knowledge": knowledge.version,
        "notUsed": not_used(chart),
        "timeline": timeline_of(chart, features, wording),
        "considered": considered,
        "criteria": trees.named,
        "facts": trees.facts,
        "limits": _limits(knowledge, (rule for rule, _ in active)),
        "notUnderstood": _not_understood(chart),
    }


def _active(knowledge: Knowledge, profile: str, features: Features) -> list[tuple[Rule, Role]]:
    """The recommendations that a card may cite in this profile, by source and place in it."""
    roles = roles_in(knowledge, profile, features)
    rules = sorted(knowledge.rules.values(), key=lambda rule: (rule.source.number, rule.block.source.lines))
    return [(rule, role) for rule in rules if rule.citable and (role := roles.role_of(rule)) is not None]


def _considered(
    rule: Rule,
    role: Role,
    carried: Mapping[str, list[str]],
    features: Features,
    wording: Wording,
    trees: CriteriaTrees,
) -> dict[str, Any]:
    finding = evaluate(rule, features)
    outcome = finding.outcome
    excluded = [{**trees.tree(unless.node), "unknownMeans": unless.unknown} for unless in rule.unless]
    texts = wording.statement(rule)
    return {
        "id": rule.id,
        "source": rule.source.number,
        "sourceName": wording.source_of(rule),
        "url": rule.source.url or None,
        "role": role,
        "strength": rule.block.strength,
        "grade": rule.block.grade,
        "statement": texts.statement or texts.because or None,
        "advice": rule.block.advise,
        "holds": HOLDS[finding.truth],
        "cards": carried.get(rule.id, []),
        "when": trees.tree(rule.when),
        "unless": excluded,
        "missing": [wording.name(name) for name in (*outcome.missing, *finding.missing)],
    }


def _limits(knowledge: Knowledge, rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """The limits at which a drug is due or excluded, with the recommendations that they are from, the highest first."""
    found: dict[tuple[str, str, Decimal, str], list[str]] = {}
    for rule in rules:
        if rule.block.drug_rule is None and not _is_for_drug(knowledge, rule):
            continue
        for leaf in rule.when.leaves():
            if isinstance(leaf, Limit) and leaf.operator in _UPPER and _is_drawn(leaf.name):
                ids = found.setdefault((leaf.name, leaf.operator, leaf.limit, leaf.unit), [])
                if rule.id not in ids:
                    ids.append(rule.id)
    return [
        {
            "feature": name,
            "comparison": operator,
            "sign": SIGNS[operator],
            "limit": limit,
            "unit": unit,
            "recommendations": ids,
        }
        for (name, operator, limit, unit), ids in sorted(
            found.items(), key=lambda one: (-one[0][2], one[0][0], one[0][1])
        )
    ]


def _is_for_drug(knowledge: Knowledge, rule: Rule) -> bool:
    """Whether a recommendation opens a card that starts a drug."""
    kind = knowledge.advice.get(rule.block.advise or "")
    return kind is not None and kind.block.purpose in {"start", "anabolic"}


def _is_drawn(feature: str) -> bool:
    return feature in DRAWN_LIMITS or feature.startswith("t_score.")


def _not_understood(chart: Chart) -> dict[str, Any]:
    """Values that could not be used, as they were sent, and how many codes are not known, by kind and code system."""
    return {
        "values": [
            {"resource": shown(one.ref), "reason": one.reason, "shown": shown(one.shown)} for one in chart.unusable
        ],
        "codes": [
            {"kind": kind, "system": system, "count": count}
            for (kind, system), count in sorted(chart.unrecognised.items())
        ],
    }
