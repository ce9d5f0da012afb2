"""Recommendations that are active in a profile, indexed by effect: a call evaluates only what it needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from app.advice.model import Cited, Findings, Role
from app.chart import Occasion
from app.engine.knowledge import Knowledge, Rule
from app.engine.schema import Use
from app.features.model import Features


@dataclass(frozen=True, slots=True)
class Roles:
    """The role of each source in a profile; sources that are not in it act by their safety statements only."""

    by_source: Mapping[str, Role]

    def role_of(self, rule: Rule) -> Role | None:
        """The role in which a recommendation acts, or None if it is not active."""
        role = self.by_source.get(rule.source.id)
        if role is not None:
            return role
        return Role.SAFETY if rule.block.safety else None


def roles_in(knowledge: Knowledge, profile_id: str, features: Features) -> Roles:
    """The roles in a profile. If the lead's population excludes this patient, only the fillers are active."""
    profile = knowledge.profiles[profile_id]
    roles = dict.fromkeys(profile.block.fills, Role.FILL)
    if profile.lead_when.truth(features) is True:
        roles |= dict.fromkeys(profile.block.leads, Role.LEAD)
    return Roles(roles)


ActiveRecommendation = tuple[Rule, Role]
"""A recommendation and the role in which it acts."""


@dataclass(frozen=True)
class ActiveRecommendations:
    """The active recommendations by effect. Built once per profile and set of roles.

    `triggers` are keyed by occasion ("chart", "orders"), `supporting` by the advice that the statements support. `off`:
    ids of the recommendations that are switched off.
    """

    triggers: Mapping[str, tuple[ActiveRecommendation, ...]]
    drug_rules: tuple[ActiveRecommendation, ...]
    places_in_therapy: tuple[ActiveRecommendation, ...]
    supporting: Mapping[str, tuple[ActiveRecommendation, ...]] = field(default_factory=dict)
    off: frozenset[str] = frozenset()

    def triggers_at(self, occasion: Occasion, findings: Findings) -> list[Cited]:
        """The recommendations that can open a card by themselves on this occasion."""
        key = "orders" if occasion.about_orders else "chart"
        return [Cited(rule, role, findings) for rule, role in self.triggers[key]]


def is_trigger(rule: Rule) -> bool:
    """Whether the recommendation opens the card of its advice.

    Drug rules do not; a place in therapy does only if it is marked as standing beside its card.
    """
    block = rule.block
    only_a_place = block.option is not None and not block.option.beside
    return block.use is Use.CARD and bool(block.advise) and not only_a_place and block.drug_rule is None


def active_recommendations(knowledge: Knowledge, roles: Roles, switched: Collection[str]) -> ActiveRecommendations:
    """Index the recommendations by effect. `switched`: ids that are turned against their default."""
    active: list[ActiveRecommendation] = []
    off = frozenset(r.id for r in knowledge.rules.values() if r.block.default_on is (r.id in switched))
    for rule in knowledge.rules.values():
        role = roles.role_of(rule)
        if role and (rule.citable or rule.block.option) and rule.id not in off:
            active.append((rule, role))
    supporting: dict[str, list[ActiveRecommendation]] = {}
    for rule, role in active:
        for target in _targets(rule):
            supporting.setdefault(target, []).append((rule, role))
    plain = [(rule, role) for rule, role in active if is_trigger(rule)]
    return ActiveRecommendations(
        triggers={m: tuple(v for v in plain if m in v[0].block.at) for m in ("chart", "orders")},
        drug_rules=tuple(v for v in active if v[0].block.drug_rule),
        places_in_therapy=tuple(v for v in active if v[0].block.option and v[1] is not Role.SAFETY),
        supporting={target: tuple(found) for target, found in supporting.items()},
        off=off,
    )


def _targets(rule: Rule) -> list[str]:
    """The advice that a statement supports; drug options cite all other drug rules and places in therapy."""
    block = rule.block
    if block.rides_on or block.drug_rule or block.option:
        return list(block.rides_on)
    return [block.advise] if block.use is Use.RIDES and block.advise else []
