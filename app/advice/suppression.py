"""Suppression: gates, joins and answered tests decide which of the opened advice remains."""

from __future__ import annotations

from app.advice.draft import Draft
from app.advice.model import Cited, Role, Withheld
from app.advice.situation import Situation
from app.engine.criteria import Leaf, Outcome
from app.engine.knowledge import CompiledGate
from app.engine.schema import Orderable
from app.features.model import Evidence
from app.features.notes import is_out_of_date

TESTS = "tests"


class Suppression:
    """Removes, replaces or joins drafts. The order of the steps matters: a gate can open the advice that replaces."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.knowledge, self.features = situation.knowledge, situation.features
        self.drafts = situation.opened.drafts

    def run(self) -> None:
        """Apply all steps, in their order."""
        for key in list(self.drafts):
            self._gates(key)
        self._joins()
        for key in list(self.drafts):
            self._tests(key)
        self._withheld_by()

    def _gates(self, key: tuple[str, str]) -> None:
        draft, off = self.drafts[key], self.situation.active.off
        for gate in draft.kind.gates:
            if gate.block.cites and off.issuperset(gate.block.cites):
                continue  # the gate says what these statements say, and the hospital has switched them off
            outcome = gate.node.evaluate(self.features)
            if outcome.truth is True and gate.block.effect != "ask":
                if gate.block.effect in {"no-suggestion", "caution"}:
                    draft.no_suggestion |= gate.block.effect == "no-suggestion"
                    (draft.no_drug_reasons if gate.block.effect == "no-suggestion" else draft.preamble).append(
                        gate.block.remark
                    )
                    draft.evidence += outcome.evidence
                    continue
                if gate.block.effect == "reword":
                    draft.known_already = True
                    draft.evidence += outcome.evidence
                    continue
                del self.drafts[key]
                if gate.block.effect == "replace":
                    self._replace(draft, gate, outcome)
                elif gate.block.remark:
                    self.situation.withheld.append(Withheld(key[0], gate.block.remark, tuple(outcome.evidence)))
                return
            if outcome.truth is None and gate.block.unknown != "silent":
                draft.missing += outcome.missing
                draft.no_suggestion |= gate.block.unknown == "block"

    def _replace(self, replaced: Draft, gate: CompiledGate, outcome: Outcome) -> None:
        draft = self.situation.opened.open(self.knowledge, gate.block.by)
        if not (draft.drug_id or draft.courses):  # "caution with calcium", not "with this drug"
            drug = self.knowledge.suggested_drug(replaced.kind.block)
            draft.drug_id = draft.drug_id if drug is None else drug.id
        if gate.block.remark:
            draft.notes.append(gate.block.remark)
        draft.local_limits += replaced.kind.local_limits
        if replaced.kind.block.asks:  # a question that is put in another way
            draft.missing += replaced.missing
            draft.evidence += replaced.evidence
        draft.evidence += outcome.evidence
        for rule_id in (name for name in gate.block.cites if name not in self.situation.active.off):
            rule = self.knowledge.rules[rule_id]
            spoken = [*self.situation.active.triggers["chart"], *self.situation.active.drug_rules]
            role = next((role for other, role in spoken if other.id == rule_id), Role.SAFETY)
            draft.add(Cited(rule, role, self.situation.findings))

    def _joins(self) -> None:
        for key in list(self.drafts):
            draft = self.drafts[key]
            target = self.drafts.get((draft.kind.block.joins or "", ""))
            if target is None:
                continue
            if self.situation.occasion.about_orders and target.kind.block.topic != draft.kind.block.topic:
                continue  # at an order, safety keeps a card of its own
            for cited in draft.cited:
                target.add(cited)
            target.missing += draft.missing
            target.evidence += draft.evidence
            del self.drafts[key]

    def _withheld_by(self) -> None:
        standing = {advice_id for advice_id, _ in self.drafts}
        for key in list(self.drafts):
            if standing & set(self.drafts[key].kind.block.withheld_by):
                del self.drafts[key]

    def _answered(self, name: str) -> bool:
        return self.knowledge.orderables[name].answered_by.truth(self.features) is True

    def _tests(self, key: tuple[str, str]) -> None:
        """Keep the tests without a recent value or open order. Where all are on record or ordered, nothing is due."""
        draft = self.drafts[key]
        if TESTS not in draft.kind.block.suggests:
            examinations = [name for name in draft.kind.block.suggests if name in self.knowledge.orderables]
            if examinations and all(name in self.situation.ordered for name in examinations):
                del self.drafts[key]
            return
        wanted = dict.fromkeys(name for c in draft.cited for name in c.rule.block.tests)
        due = [name for name in wanted if name not in self.situation.ordered and not self._answered(name)]
        if wanted and not due:
            del self.drafts[key]
            return
        draft.cited = [c for c in draft.cited if not c.rule.block.tests or any(n in due for n in c.rule.block.tests)]
        tests = {self._first_code(name): self._orderable(name) for name in due}
        draft.tests = tuple(tests.values())
        draft.basis += [old for name in due for old in self._out_of_date(name)]

    def _out_of_date(self, name: str) -> list[Evidence]:
        """The values on record of a test that is due because they are too old (decision 9)."""
        leaves = self.knowledge.orderables[name].answered_by.leaves()
        asked = [leaf.name for leaf in leaves if isinstance(leaf, Leaf)]
        return [e for feature in asked for e in self.features.feature(feature).evidence if is_out_of_date(e.notes)]

    def _first_code(self, name: str) -> tuple[str, str]:
        """What tells tests apart: one test can have two names, by what answers it."""
        code = self._orderable(name).codes[0]
        return code["system"], code["code"]

    def _orderable(self, name: str) -> Orderable:
        return self.knowledge.orderables[name].block
