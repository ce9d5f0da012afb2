"""Which recommendations speak in a profile, sorted by what they do, so that a call evaluates only what it needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from app.advice.model import Cited, Findings, Occasion, Role
from app.engine.knowledge import Knowledge, Rule
from app.engine.schema import Use
from app.features.model import Features


@dataclass(frozen=True, slots=True)
class Roles:
    """The role of each source in a profile; sources that are not in it act by their safety statements only."""

    by_source: Mapping[str, Role]

    def role_of(self, rule: Rule) -> Role | None:
        """The role in which a recommendation acts, or None where it does not act at all."""
        role = self.by_source.get(rule.source.id)
        if role is not None:
            return role
        return Role.SAFETY if rule.block.safety else None


def roles_in(knowledge: Knowledge, profile_id: str, features: Features) -> Roles:
    """The roles in a profile. Where the lead is not for this patient (its population), the fillers answer alone."""
    profile = knowledge.profiles[profile_id]
    roles = dict.fromkeys(profile.block.fills, Role.FILL)
    if profile.lead_when.truth(features) is True:
        roles |= dict.fromkeys(profile.block.leads, Role.LEAD)
    return Roles(roles)


Voice = tuple[Rule, Role]
"""A recommendation and the role in which it speaks."""


@dataclass(frozen=True)
class Speaking:
    """The recommendations that speak, by what they do. Built once per profile and set of roles."""

    openers: Mapping[str, tuple[Voice, ...]]  # by moment: "chart", "orders"
    drug_rules: tuple[Voice, ...]
    places: tuple[Voice, ...]
    riders: Mapping[str, tuple[Voice, ...]] = field(default_factory=dict)  # by the advice that they ride on

    def openers_at(self, occasion: Occasion, findings: Findings) -> list[Cited]:
        """The recommendations that may open a card by themselves at this moment."""
        moment = "orders" if occasion is Occasion.ORDERS else "chart"
        return [Cited(rule, role, findings) for rule, role in self.openers[moment]]


def opens_by_itself(rule: Rule) -> bool:
    """Whether the recommendation opens the card of its advice: no drug rule, no place of a drug but one beside it."""
    block = rule.block
    only_a_place = block.option is not None and not block.option.beside
    return block.use is Use.CARD and bool(block.advise) and not only_a_place and block.drug_rule is None


def speaking(knowledge: Knowledge, roles: Roles, switched: Collection[str]) -> Speaking:
    """Sort the recommendations. `switched`: ids turned against their default."""
    voices: list[Voice] = []
    for rule in knowledge.rules.values():
        role = roles.role_of(rule)
        if role and (rule.citable or rule.block.option) and rule.block.default_on is not (rule.id in switched):
            voices.append((rule, role))
    riders: dict[str, list[Voice]] = {}
    for rule, role in voices:
        for target in _targets(rule):
            riders.setdefault(target, []).append((rule, role))
    plain = [(rule, role) for rule, role in voices if opens_by_itself(rule)]
    return Speaking(
        openers={m: tuple(v for v in plain if m in v[0].block.at) for m in ("chart", "orders")},
        drug_rules=tuple(v for v in voices if v[0].block.drug_rule),
        places=tuple(v for v in voices if v[0].block.option and v[1] is not Role.SAFETY),
        riders={target: tuple(found) for target, found in riders.items()},
    )


def _targets(rule: Rule) -> list[str]:
    """The advice that a recommendation rides on; drug rules and places are else cited by the drug options."""
    block = rule.block
    if block.rides_on or block.drug_rule or block.option:
        return list(block.rides_on)
    return [block.advise] if block.use is Use.RIDES and block.advise else []
