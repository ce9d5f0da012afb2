"""The situation that advice is given in: one patient, one profile, one occasion."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from app.advice.drug_options import DrugKnowledge
from app.advice.model import Cited, Findings, Withheld
from app.advice.profile import ActiveRecommendations
from app.advice.triggers import Opened
from app.chart import Occasion
from app.engine.knowledge import Knowledge
from app.features.model import Features


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that the steps from opened advice to finished advice look at.

    `opened` holds the drafts that the steps change. `ordered`: names of the orderables with an open order.
    `withheld` collects what a gate with a remark takes away: the answer says it.
    """

    knowledge: Knowledge
    profile: str
    findings: Findings
    drugs: DrugKnowledge
    active: ActiveRecommendations
    opened: Opened
    occasion: Occasion
    ordered: Collection[str]
    withheld: list[Withheld] = field(default_factory=list)

    @property
    def features(self) -> Features:
        """The features of the patient."""
        return self.findings.features

    def supporting(self, advice: str) -> tuple[Cited, ...]:
        """The active statements that support an advice, of any truth."""
        return tuple(Cited(rule, role, self.findings) for rule, role in self.active.supporting.get(advice, ()))
