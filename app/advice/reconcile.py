"""Findings -> advice. The order is always: red flags, contraindications of every source, the lead, the fillers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from app.advice.citations import Citations
from app.advice.delivery import select_for_occasion
from app.advice.draft import Draft
from app.advice.drug_options import DrugKnowledge
from app.advice.incomplete_lists import ListsRead, incomplete_lists
from app.advice.model import Advice, AdviceSet, Cited, Findings, OptionStatus
from app.advice.profile import ActiveRecommendations, active_recommendations, roles_in
from app.advice.renewal import Renewal
from app.advice.situation import Situation
from app.advice.suppression import Suppression
from app.advice.triggers import (
    Opened,
    ask_for_sex,
    collect_asks,
    open_by_decision,
    open_for_duplicates,
    open_for_intolerances,
    open_for_orders,
    open_for_running_drugs,
    open_for_unread_context,
    open_from_findings,
    open_from_options,
    ordered_already,
)
from app.chart import Chart, Occasion
from app.engine.knowledge import Knowledge
from app.features.drugs.exposure import list_failed, use_name
from app.features.model import Features

BONE_DRUG = "bone_drug"


class Advisor:
    """Gives advice from the knowledge it was built with. What does not depend on the patient is prepared once."""

    def __init__(self, knowledge: Knowledge, switched: Collection[str] = ()) -> None:
        self.knowledge = knowledge
        self._switched = frozenset(switched)
        self._lists_read = ListsRead(knowledge)
        self._prepared: dict[object, ActiveRecommendations] = {}  # by roles and switched recommendations

    def _active_for(self, profile: str, features: Features, switched: frozenset[str]) -> ActiveRecommendations:
        roles = roles_in(self.knowledge, profile, features)
        key = frozenset(roles.by_source.items()), switched
        if key not in self._prepared:
            self._prepared[key] = active_recommendations(self.knowledge, roles, self._switched | switched)
        return self._prepared[key]

    def advise(
        self,
        profile: str,
        features: Features,
        chart: Chart,
        occasion: Occasion = Occasion.CHART,
        *,
        switched: frozenset[str] = frozenset(),
    ) -> AdviceSet:
        """All advice for a patient on this occasion. `switched`: what the client has turned against its default."""
        situation = self._situation(profile, features, chart, occasion, switched)
        opened, drugs, active = situation.opened, situation.drugs, situation.active
        triggers = active.triggers_at(occasion, situation.findings)
        open_from_findings(opened, self.knowledge, triggers)
        if occasion.about_orders:
            open_for_orders(opened, drugs, chart)
            due = [Cited(rule, role, situation.findings) for rule, role in active.triggers["chart"]]
            open_for_duplicates(opened, drugs, chart, [*due, *drugs.places_in_therapy])
            collect_asks(opened, self.knowledge, [c for c in triggers if c.rule.block.asks_for])
        else:
            open_from_options(opened, self.knowledge, drugs.places_in_therapy, features)
            open_for_running_drugs(opened, drugs)
            open_by_decision(opened, self.knowledge, features, situation.supporting)
            if occasion is Occasion.INTOLERANCE:
                open_for_intolerances(opened, drugs, chart)
            else:
                collect_asks(opened, self.knowledge, [*triggers, *drugs.rules, *drugs.places_in_therapy])
                ask_for_sex(opened, self.knowledge, triggers, chart)
        open_for_unread_context(opened, self.knowledge, chart)
        found = select_for_occasion(_finished(situation, chart), self.knowledge, features, chart, occasion)
        found = replace(found, withheld=tuple(situation.withheld))
        return self._saying_what_did_not_come(found, chart)

    def _saying_what_did_not_come(self, found: AdviceSet, chart: Chart) -> AdviceSet:
        """The advice with the lists that it rests on and that did not come whole; where none is left, all of them."""
        incomplete = incomplete_lists(chart)
        said_by = self._lists_read.said_by
        advice = tuple(replace(one, incomplete=said_by(one, incomplete, chart)) for one in found.advice)
        said = {key for one in advice for key, _ in one.incomplete}
        unsaid = [key for key, _ in incomplete if key not in said]
        return replace(found, advice=advice, missing=tuple(dict.fromkeys((*found.missing, *unsaid))))

    def review(
        self, profile: str, features: Features, renewal: Renewal, *, switched: frozenset[str] = frozenset()
    ) -> list[Advice]:
        """The advice of patient-view on the course of the renewed drug alone (decision 65).

        `features` are those of `renewal.chart`.
        """
        situation = self._situation(profile, features, renewal.chart, Occasion.CHART, switched)
        triggers = [
            Cited(rule, role, situation.findings)
            for rule, role in situation.active.triggers["chart"]
            if not renewal.drugs.isdisjoint(rule.block.at_renewal_of)
        ]
        open_from_findings(situation.opened, self.knowledge, triggers)
        collect_asks(situation.opened, self.knowledge, triggers)
        found = _finished(situation, renewal.chart)
        return [one for one in found if any(evidence.resource in renewal.refs for evidence in one.evidence)]

    def _situation(
        self, profile: str, features: Features, chart: Chart, occasion: Occasion, switched: frozenset[str]
    ) -> Situation:
        active, findings = self._active_for(profile, features, switched), Findings(features)
        drugs = DrugKnowledge(
            self.knowledge,
            profile,
            features,
            rules=[Cited(rule, role, findings) for rule, role in active.drug_rules],
            places_in_therapy=[Cited(rule, role, findings) for rule, role in active.places_in_therapy],
        )
        ordered = ordered_already(chart, self.knowledge)
        return Situation(self.knowledge, profile, findings, drugs, active, Opened(), occasion, ordered)


def _finished(situation: Situation, chart: Chart) -> list[Advice]:
    """The opened advice after gates, joins, drug options and supporting statements."""
    Suppression(situation).run()
    for draft in situation.opened.drafts.values():
        _choose_drugs(draft, situation)
    Citations(situation).run()
    return [draft.finished(situation.features, chart) for draft in situation.opened.drafts.values()]


def _choose_drugs(draft: Draft, situation: Situation) -> None:
    """Set the drug options and the calcium preparation of a draft."""
    if draft.no_drug_reasons:
        return  # a list of drugs and doses beside "no drug is suggested" would be read as one
    purpose = draft.kind.block.purpose
    if purpose:
        exclude = {d.id for d in situation.drugs.running}
        exclude |= {d.id for d in situation.knowledge.drugs.values() if _ordered(situation, d.course)}
        if draft.orders:
            ordered = frozenset().union(*(order.course.drugs for order in draft.orders))
            purpose = "replace"  # type: ignore[assignment]
            exclude |= {d.id for d in situation.knowledge.drugs.values() if d.course in ordered}
        draft.options = situation.drugs.options(purpose or "", exclude)
        for option in draft.options:
            draft.missing += situation.drugs.asks(option.drug.classes)
            if option.status is OptionStatus.OFFERED:
                draft.basis += situation.drugs.rests_on(option.drug.classes)
            elif option.status is OptionStatus.WITHHELD:
                draft.basis += situation.drugs.left_open_by(option.drug.classes)
        bone_drugs = [o for o in draft.options if o.status is OptionStatus.OFFERED and BONE_DRUG in o.drug.classes]
        if bone_drugs and list_failed(situation.features):
            draft.no_suggestion = True
            draft.missing.append(use_name(BONE_DRUG))
    preparation = situation.knowledge.suggested_drug(draft.kind.block)
    if preparation is not None and preparation.id not in situation.knowledge.local.not_stocked:
        for cited in draft.cited:
            if cited.rule.source.id in preparation.orders:
                draft.calcium = (preparation, cited.rule.source.id)
                break


def _ordered(situation: Situation, course: str) -> bool:
    return situation.features.feature(f"ordered.{course}").value is True
