"""Who may speak in a profile, for this patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.advice.model import Role
from app.engine.criteria import FeatureSource
from app.engine.knowledge import Knowledge, Rule


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


def roles_in(knowledge: Knowledge, profile_id: str, features: FeatureSource) -> Roles:
    """The roles in a profile. Where the lead is not for this patient (its population), the fillers answer alone."""
    profile = knowledge.profiles[profile_id]
    roles = dict.fromkeys(profile.block.fills, Role.FILL)
    if profile.lead_when.truth(features) is True:
        roles |= dict.fromkeys(profile.block.leads, Role.LEAD)
    return Roles(roles)
