"""Citations: supporting statements and disagreements between sources, added to the remaining advice."""

from __future__ import annotations

from app.advice.draft import Draft
from app.advice.model import Cited, OptionStatus
from app.advice.situation import Situation


class Citations:
    """Adds to each draft the statements that support it and the lines about sources that disagree."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.knowledge, self.features = situation.knowledge, situation.features
        self.drafts = situation.opened.drafts

    def run(self) -> None:
        """Add supporting statements, then disagreements, which can depend on them."""
        self._supporting()
        self._disagreements()

    def _supporting(self) -> None:
        for (advice_id, _), host in self.drafts.items():
            carried = {cited.id for cited in (*host.cited, *host.supporting)}
            for cited in self.situation.supporting(advice_id):
                if cited.id not in carried and self._supports(cited, host):
                    host.supporting.append(cited)
                    carried.add(cited.id)

    def _supports(self, cited: Cited, host: Draft) -> bool:
        if cited.rule.block.rides_with_drug and not self._has_drug(host):
            return False
        if cited.rule.block.rides_when is None:
            return cited.holds
        return cited.rule.rides_when.truth(self.features) is True

    def _has_drug(self, host: Draft) -> bool:
        """Whether a bone drug is offered on the card, or runs (decision 29)."""
        offered = any(option.status in {OptionStatus.OFFERED, OptionStatus.NAMED} for option in host.options)
        return offered or self.features.feature("takes.bone_drug").value is True

    def _disagreements(self) -> None:
        for line in self.knowledge.disagreements:
            block = line.block
            if self.situation.profile not in block.profiles:
                continue
            hosts = [d for (advice_id, _), d in self.drafts.items() if advice_id in block.advice]
            hosts = [d for d in hosts if not block.after or any(d.carries(rule_id) for rule_id in block.after)]
            if block.leads:
                hosts = [d for d in hosts if all(cited.id in block.after for cited in d.cited)]
            if hosts and line.when.truth(self.features) is True:
                for host in hosts:
                    (host.replacement_text if block.leads else host.disagreements).append(block.id)
