"""Findings -> advice. The order is always: red flags, contraindications of every source, the lead, the fillers."""

from __future__ import annotations

from collections.abc import Collection

from app.advice.delivery import at_the_moment
from app.advice.draft import Draft
from app.advice.drug_options import DrugKnowledge
from app.advice.model import AdviceSet, Cited, Findings, Occasion, OptionStatus, Role
from app.advice.profile import Speaking, roles_in, speaking
from app.advice.triggers import (
    Opened,
    collect_asks,
    open_for_duplicates,
    open_for_orders,
    open_for_running_drugs,
    open_from_findings,
    open_from_options,
    ordered_already,
)
from app.chart import Chart
from app.engine.criteria import Leaf, Outcome
from app.engine.knowledge import CompiledGate, Knowledge
from app.engine.schema import Orderable
from app.features.model import Evidence, Features
from app.features.readings import OUT_OF_DATE

TESTS = "tests"
CALCIUM = "calcium-vitamin-d"


class Advisor:
    """Gives advice from the knowledge it was built with. What does not depend on the patient is prepared once."""

    def __init__(self, knowledge: Knowledge, switched: Collection[str] = ()) -> None:
        self.knowledge = knowledge
        self._switched = frozenset(switched)
        self._prepared: dict[frozenset[tuple[str, Role]], Speaking] = {}

    def _speaking(self, profile: str, features: Features) -> Speaking:
        roles = roles_in(self.knowledge, profile, features)
        key = frozenset(roles.by_source.items())
        if key not in self._prepared:
            self._prepared[key] = speaking(self.knowledge, roles, self._switched)
        return self._prepared[key]

    def advise(self, profile: str, features: Features, chart: Chart, occasion: Occasion = Occasion.CHART) -> AdviceSet:
        """All advice for a patient at this moment."""
        voices, findings = self._speaking(profile, features), Findings(features)
        drugs = DrugKnowledge(
            self.knowledge,
            profile,
            features,
            rules=[Cited(rule, role, findings) for rule, role in voices.drug_rules],
            places=[Cited(rule, role, findings) for rule, role in voices.places],
        )
        openers = voices.openers_at(occasion, findings)
        opened = Opened()
        open_from_findings(opened, self.knowledge, openers)
        if occasion is Occasion.ORDERS:
            open_for_orders(opened, drugs, chart)
            due = [Cited(rule, role, findings) for rule, role in voices.openers["chart"]]
            open_for_duplicates(opened, drugs, chart, [*due, *drugs.places])
            collect_asks(opened, self.knowledge, [c for c in openers if c.rule.block.asks_for])
        else:
            open_from_options(opened, self.knowledge, drugs.places, features)
            open_for_running_drugs(opened, drugs)
            collect_asks(opened, self.knowledge, [*openers, *drugs.rules, *drugs.places])
        ordered = ordered_already(chart, self.knowledge)
        _Reconciler(self.knowledge, profile, findings, drugs, voices, opened, occasion, ordered).run()
        advice = [draft.finished(features, chart) for draft in opened.drafts.values()]
        return at_the_moment(advice, self.knowledge, features, chart, occasion)


class _Reconciler:
    """Takes the opened advice through gates, joins, drug options and riders."""

    def __init__(
        self,
        knowledge: Knowledge,
        profile: str,
        findings: Findings,
        drugs: DrugKnowledge,
        voices: Speaking,
        opened: Opened,
        occasion: Occasion,
        ordered: Collection[str],
    ) -> None:
        self.knowledge, self.profile, self.ordered = knowledge, profile, ordered
        self.findings, self.features = findings, findings.features
        self.drugs, self.voices, self.opened = drugs, voices, opened
        self.occasion = occasion

    @property
    def drafts(self) -> dict[tuple[str, str], Draft]:
        """The drafts so far."""
        return self.opened.drafts

    def run(self) -> None:
        """All steps, in their order."""
        for key in list(self.drafts):
            self._gates(key)
        self._joins()
        for key in list(self.drafts):
            self._tests(key)
        self._withheld_by()
        for draft in self.drafts.values():
            self._drugs(draft)
        self._riders()
        self._disagreements()

    # ------------------------------------------------------------------------------------------------------ gates
    def _gates(self, key: tuple[str, str]) -> None:
        draft = self.drafts[key]
        for gate in draft.kind.gates:
            outcome = gate.node.evaluate(self.features)
            if outcome.truth is True:
                if gate.block.effect in {"no-suggestion", "caution"}:
                    draft.no_suggestion |= gate.block.effect == "no-suggestion"
                    (draft.held if gate.block.effect == "no-suggestion" else draft.first).append(gate.block.text)
                    draft.evidence += outcome.evidence
                    continue
                del self.drafts[key]
                if gate.block.effect == "replace":
                    self._replace(draft, gate, outcome)
                return
            if outcome.truth is None and gate.block.unknown != "silent":
                draft.missing += outcome.missing
                draft.no_suggestion |= gate.block.unknown == "block"

    def _replace(self, replaced: Draft, gate: CompiledGate, outcome: Outcome) -> None:
        draft = self.opened.open(self.knowledge, gate.block.by)
        if CALCIUM in replaced.kind.block.suggests and not draft.drug_name:
            draft.drug_name = self.knowledge.drugs[CALCIUM].name  # "caution with calcium", not "with this drug"
        if gate.block.text:
            draft.notes.append(gate.block.text)
        if replaced.kind.block.asks:  # a question that is put in another way
            draft.missing += replaced.missing
            draft.evidence += replaced.evidence
        draft.evidence += outcome.evidence
        for rule_id in gate.block.cites:
            rule = self.knowledge.rules[rule_id]
            spoken = [*self.voices.openers["chart"], *self.voices.drug_rules]
            role = next((role for other, role in spoken if other.id == rule_id), Role.SAFETY)
            draft.add(Cited(rule, role, self.findings))

    # --------------------------------------------------------------------------------------- joins and suppression
    def _joins(self) -> None:
        for key in list(self.drafts):
            draft = self.drafts[key]
            target = self.drafts.get((draft.kind.block.joins or "", ""))
            if target is None:
                continue
            if self.occasion is Occasion.ORDERS and target.kind.block.topic != draft.kind.block.topic:
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

    # ------------------------------------------------------------------------------------------------------- tests
    def _answered(self, name: str) -> bool:
        return self.knowledge.orderables[name].answered_by.truth(self.features) is True

    def _tests(self, key: tuple[str, str]) -> None:
        """Keep the tests without a recent value or open order. Where all are on record or ordered, nothing is due."""
        draft = self.drafts[key]
        if TESTS not in draft.kind.block.suggests:
            examinations = [name for name in draft.kind.block.suggests if name in self.knowledge.orderables]
            if examinations and all(name in self.ordered for name in examinations):
                del self.drafts[key]
            return
        wanted = dict.fromkeys(name for c in draft.cited for name in c.rule.block.tests)
        due = [name for name in wanted if name not in self.ordered and not self._answered(name)]
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
        return [e for feature in asked for e in self.features.feature(feature).evidence if e.note in OUT_OF_DATE]

    def _first_code(self, name: str) -> tuple[str, str]:
        """What tells tests apart: one test can have two names, by what answers it."""
        code = self._orderable(name).codes[0]
        return code["system"], code["code"]

    def _orderable(self, name: str) -> Orderable:
        return self.knowledge.orderables[name].block

    # ------------------------------------------------------------------------------------------------------- drugs
    def _drugs(self, draft: Draft) -> None:
        if draft.held:
            return  # a list of drugs and doses beside "no drug is suggested" would be read as one
        purpose = draft.kind.block.purpose
        if purpose:
            exclude = {d.id for d in self.drugs.running}
            exclude |= {d.id for d in self.knowledge.drugs.values() if self._ordered(d.course)}
            if draft.order is not None:
                purpose = "replace"  # type: ignore[assignment]
                exclude |= {d.id for d in self.knowledge.drugs.values() if d.course in draft.order.course.drugs}
            draft.options = self.drugs.options(purpose or "", exclude)
            for option in draft.options:
                draft.missing += self.drugs.asks(option.drug.classes)
                if option.status is OptionStatus.OFFERED:
                    draft.basis += self.drugs.rests_on(option.drug.classes)
        if CALCIUM in draft.kind.block.suggests:
            preparation = self.knowledge.drugs[CALCIUM]
            for cited in draft.cited:
                if cited.rule.source.id in preparation.orders:
                    draft.calcium = (preparation, cited.rule.source.id)
                    break

    def _ordered(self, course: str) -> bool:
        return self.features.feature(f"ordered.{course}").value is True

    # ------------------------------------------------------------------------------------------------------ riders
    def _riders(self) -> None:
        for (advice_id, _), host in self.drafts.items():
            carried = {cited.id for cited in (*host.cited, *host.riders)}
            for rule, role in self.voices.riders.get(advice_id, ()):
                cited = Cited(rule, role, self.findings)
                if cited.id not in carried and self._rides(cited, host):
                    host.riders.append(cited)
                    carried.add(cited.id)

    def _rides(self, cited: Cited, host: Draft) -> bool:
        if cited.rule.block.rides_with_drug and not self._has_drug(host):
            return False
        if cited.rule.block.rides_when is None:
            return cited.holds
        return cited.rule.rides_when.truth(self.features) is True

    def _has_drug(self, host: Draft) -> bool:
        """Whether a bone drug is offered on the card, or runs (decision 29)."""
        offered = any(option.status in {OptionStatus.OFFERED, OptionStatus.NAMED} for option in host.options)
        return offered or self.features.feature("takes.bone_drug").value is True

    # ----------------------------------------------------------------------------------------------- disagreements
    def _disagreements(self) -> None:
        for line in self.knowledge.disagreements:
            block = line.block
            if self.profile not in block.profiles:
                continue
            hosts = [d for (advice_id, _), d in self.drafts.items() if advice_id in block.advice]
            hosts = [d for d in hosts if not block.after or any(d.carries(rule_id) for rule_id in block.after)]
            if block.leads:
                hosts = [d for d in hosts if all(cited.id in block.after for cited in d.cited)]
            if hosts and line.when.truth(self.features) is True:
                for host in hosts:
                    (host.instead if block.leads else host.disagreements).append(block.text)
