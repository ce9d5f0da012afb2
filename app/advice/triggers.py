"""What opens a piece of advice: findings that hold, drugs that run against a contraindication, draft orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from app.advice.draft import Draft
from app.advice.drug_options import DrugKnowledge
from app.advice.duplicate_drugs import duplicates
from app.advice.model import UNREAD, Cited, Role
from app.chart import Chart, DraftOrder, OrderAction
from app.engine.finding import missing_of
from app.engine.knowledge import Knowledge
from app.engine.schema import Drug, Indicator, Use
from app.features.model import Evidence, Features

GENERAL_QUESTION = "complete-risk-data"
ADVISES_CHANGE = frozenset({"use-other-drug", "follow-denosumab", "follow-anabolic"})


@dataclass
class Opened:
    """The open advice before gates; keyed by advice id, with the drugs where there is one card each."""

    drafts: dict[tuple[str, str], Draft] = field(default_factory=dict)

    def open(self, knowledge: Knowledge, advice_id: str, subject: str = "") -> Draft:
        """The draft of an advice, begun if it is new."""
        key = (advice_id, subject)
        if key not in self.drafts:
            self.drafts[key] = Draft(knowledge.advice[advice_id])
        return self.drafts[key]


def open_from_findings(opened: Opened, knowledge: Knowledge, triggers: Sequence[Cited]) -> None:
    """Cards from recommendations that hold. A filler is silent where the lead gives the same advice."""
    holding = [c for c in triggers if c.holds]
    led = {c.rule.block.advise for c in holding if c.role is Role.LEAD}
    for cited in holding:
        advise = cited.rule.block.advise
        if advise is None or (cited.role is Role.FILL and advise in led and not cited.rule.block.safety):
            continue
        opened.open(knowledge, advise).add(cited)


def open_from_options(
    opened: Opened, knowledge: Knowledge, places_in_therapy: Iterable[Cited], features: Features
) -> None:
    """Cards that a drug's place opens by itself (an oral bisphosphonate that is not tolerated, for example)."""
    for place in places_in_therapy:
        advise = place.rule.block.advise
        if advise and place.holds:
            outcome = place.rule.opens.evaluate(features)
            if outcome.truth is True:
                draft = opened.open(knowledge, advise)
                draft.add(place)
                draft.evidence += outcome.evidence


def open_by_decision(
    opened: Opened, knowledge: Knowledge, features: Features, supporting: Callable[[str], Iterable[Cited]]
) -> None:
    """Cards that a settled reading of this service opens; at most statements that support them are cited.

    `supporting`: the active statements that support an advice.
    """
    for kind in knowledge.opened_by_decision:
        if features.settled(kind.opens, kind.opens.truth) is not True:
            continue
        if kind.block.opens_with_statement and not any(cited.holds for cited in supporting(kind.id)):
            continue
        draft = opened.open(knowledge, kind.id)
        draft.evidence += kind.opens.evaluate(features).evidence
        draft.missing += missing_of(features, kind.block.names_missing)


def open_for_running_drugs(opened: Opened, drugs: DrugKnowledge) -> None:
    """A drug that runs against a contraindication asks for another drug; a caution is shown on a card of its own.

    Where the same drug is to be changed anyway, the caution is cited there: one card about one drug.
    """
    for drug in drugs.running:
        concerning = [
            (cited, cited.rule.block.drug_rule)
            for cited in drugs.concerning(drug.classes)
            if cited.holds and cited.rule.block.use is Use.CARD
        ]
        blocks = [
            c
            for c, rule in concerning
            if rule and drugs.effect(c, drug.classes) == "block" and rule.on_running == "switch"
        ]
        cautions = [c for c, rule in concerning if rule and rule.on_running == "caution"]
        waits = [
            c for c in cautions if drugs.effect(c, drug.classes) == "block"
        ]  # forbidden as it is, and not to be dropped either
        if blocks:
            _for_running(opened, drugs, "use-other-drug", "", drug, blocks).supporting += cautions
        elif waits:
            _for_running(opened, drugs, "hold-next-dose", drug.id, drug, waits).supporting += cautions
        elif cautions:
            _for_running(opened, drugs, "weigh-drug-caution", drug.id, drug, cautions)


def _for_running(
    opened: Opened, drugs: DrugKnowledge, advice_id: str, subject: str, drug: Drug, cited: Iterable[Cited]
) -> Draft:
    draft = opened.open(drugs.knowledge, advice_id, subject)
    for one in cited:
        draft.add(one)
    draft.drug_id = drug.id
    draft.evidence += drugs.features.feature(f"takes.{drug.course}").evidence
    return draft


def open_for_orders(opened: Opened, drugs: DrugKnowledge, chart: Chart) -> None:
    """Safety of the draft orders at hand, and the alternative where one must not be signed.

    Orders of one drug are looked at together, and the same advice for the same reasons is one card, however many orders
    it is about. A card names the other orders that were not checked, because their drug is unknown.
    """
    by_drugs: dict[frozenset[str], list[DraftOrder]] = {}
    for order in chart.draft_orders:
        if order.selected and order.action is not OrderAction.STOP:
            by_drugs.setdefault(order.course.drugs, []).append(order)
    for orders in by_drugs.values():
        _open_for_orders_of(opened, drugs, orders)
    _join_same_reasons(opened)
    names = [order.course.name for order in chart.draft_orders if not order.recognised and order.course.name]
    for draft in opened.drafts.values():
        draft.not_recognised = tuple(dict.fromkeys(names))


def _join_same_reasons(opened: Opened) -> None:
    """One draft of the drafts that give the same advice about orders for the same reasons."""
    by_reasons: dict[tuple[object, ...], Draft] = {}
    for key, draft in list(opened.drafts.items()):
        if not draft.orders:
            continue
        joined = by_reasons.setdefault((draft.kind.id, *draft.reasons()), draft)
        if joined is not draft:
            joined.orders += draft.orders
            del opened.drafts[key]
    for draft in by_reasons.values():
        draft.courses = tuple(order.course for order in draft.orders)


def _open_for_orders_of(opened: Opened, drugs: DrugKnowledge, orders: Sequence[DraftOrder]) -> None:
    """The advice about orders of one drug, or of one set of drugs."""
    classes = orders[0].course.drugs
    relevant = [
        c
        for c in drugs.concerning(classes)
        if c.holds and c.rule.block.drug_rule and c.rule.block.drug_rule.on_order == "card"
    ]
    blocks = [c for c in relevant if drugs.effect(c, classes) == "block"]
    cautions = [c for c in relevant if drugs.effect(c, classes) == "caution"]
    missing = drugs.must_know(classes)
    if blocks:
        draft = _for_orders(opened, drugs, "do-not-start-drug", orders, blocks)
        draft.supporting += cautions
        draft.missing += missing
        lasting = [c for c in blocks if c.rule.block.drug_rule and not c.rule.block.drug_rule.correctable]
        if "bone_drug" in classes and lasting:
            _for_orders(opened, drugs, "order-other-drug", orders, lasting).indicator = Indicator.INFO
        return
    not_tolerated = drugs.intolerance(classes)
    if not_tolerated:
        draft = _for_orders(opened, drugs, "not-tolerated-before", orders, ())
        draft.evidence += not_tolerated
        draft.supporting += cautions
        draft.missing += missing
    elif any(c.rule.block.use is Use.CARD or c.rule.block.safety for c in cautions):  # safety needs no host
        draft = _for_orders(opened, drugs, "weigh-drug-caution", orders, cautions)
        draft.missing += missing
        if all(c.rule.block.drug_rule and c.rule.block.drug_rule.effect == "block" for c in cautions):
            draft.indicator = Indicator.INFO  # elsewhere a block, a line of caution in this profile (decision 7b)
        if drugs.is_oncological(classes):
            rules = [c.rule.block.drug_rule for c in cautions]
            draft.notes += [rule.malignancy_remark for rule in rules if rule and rule.malignancy_remark]
    elif missing:
        draft = _for_orders(opened, drugs, "check-before-signing", orders, ())
        draft.missing += missing
        draft.evidence += drugs.left_open_by(classes)
    demoting = [c for c in cautions if c.rule.block.drug_rule and c.rule.block.drug_rule.demotes]
    if "bone_drug" in classes and (not_tolerated or demoting):
        draft = _for_orders(opened, drugs, "order-other-drug", orders, demoting)
        draft.indicator = Indicator.INFO
        draft.evidence += not_tolerated


def open_for_duplicates(opened: Opened, drugs: DrugKnowledge, chart: Chart, triggers: Iterable[Cited]) -> None:
    """Two bone drugs at once. `triggers`: the recommendations of the chart.

    Where one of them asks for another drug, or the running drug meets a contraindication or was not tolerated, the
    order is the change that is wanted, and no duplicate.
    """
    switched = any(cited.rule.block.advise in ADVISES_CHANGE and cited.holds for cited in triggers)

    def to_be_changed(running: frozenset[str]) -> bool:
        return switched or bool(drugs.blocks(running) or drugs.intolerance(running))

    found = duplicates(chart, to_be_changed)
    if found is None:
        return
    draft = opened.open(drugs.knowledge, "duplicate-bone-drug")
    draft.courses = found.courses
    draft.evidence += found.evidence
    if len(found.orders) > 1:
        draft.removable = found.orders


def _for_orders(
    opened: Opened, drugs: DrugKnowledge, advice_id: str, orders: Sequence[DraftOrder], cited: Iterable[Cited]
) -> Draft:
    """The draft of an advice about the orders of one drug; `orders` have the same drugs."""
    draft = opened.open(drugs.knowledge, advice_id, " ".join(sorted(orders[0].course.drugs)))
    draft.orders = list(orders)
    draft.courses = tuple(order.course for order in orders)
    for one in cited:
        draft.add(one)
    return draft


LOW_CALCIUM = "hypocalcaemia"
_FOLLOWED_BY = {"denosumab": "follow-denosumab", "anabolic": "follow-anabolic"}
"""The advice about what follows, by the drugs that must not be left without a drug after them."""


def open_for_intolerances(opened: Opened, drugs: DrugKnowledge, chart: Chart) -> None:
    """A bone drug that was not tolerated, just recorded: which one instead (decision 67).

    Low calcium under denosumab is corrected first, and opens no list of other drugs (decision 43). Where the chart asks
    for another drug for the same reason, its citations go on this card.
    """
    for fact in chart.new_intolerances:
        if "bone_drug" not in fact.drugs:
            continue
        meant = [drug for drug in drugs.knowledge.drugs.values() if drug.course in fact.drugs]
        kind = meant[0].course if len(meant) == 1 else "bone_drug"
        evidence = [Evidence(f"{kind}_intolerance", fact.reaction or True, None, fact.recorded, fact.ref)]
        low = drugs.features.feature(LOW_CALCIUM)
        if "denosumab" in fact.drugs and (LOW_CALCIUM in fact.reaction_concepts or low.value is True):
            draft = opened.open(drugs.knowledge, "calcium-before-next-dose")
            draft.evidence += (*evidence, *low.evidence)
            opened.drafts.pop(("use-other-drug", ""), None)
            continue
        running = [drug for drug in drugs.running if drug.course in fact.drugs]
        followed = next((a for name, a in _FOLLOWED_BY.items() if any(name in d.classes for d in running)), None)
        draft = opened.open(drugs.knowledge, followed or "replace-not-tolerated")
        draft.evidence += evidence
        draft.drug_id = meant[0].id if len(meant) == 1 else draft.drug_id
        other = opened.drafts.pop(("use-other-drug", ""), None)
        for cited in other.cited if other else ():
            draft.add(cited)


CONTEXT = "context."


def open_for_unread_context(opened: Opened, knowledge: Knowledge, chart: Chart) -> None:
    """What the call is about came in a shape that cannot be read: the answer asks for it instead of being empty."""
    datum = UNREAD.get(chart.occasion)
    if datum and any(item.resource and item.resource.startswith(CONTEXT) for item in chart.set_aside):
        opened.open(knowledge, GENERAL_QUESTION).missing.append(datum)


def collect_asks(opened: Opened, knowledge: Knowledge, active: Iterable[Cited]) -> None:
    """Data that alone keep a recommendation from being decided, unless its card is open anyway (decision 1)."""
    standing = {advice_id for advice_id, _ in opened.drafts}
    for cited in active:
        if not cited.rule.may_ask or cited.truth is not None:
            continue
        if cited.rule.block.advise in standing:
            # Another recommendation keeps the card open: it names what keeps this one undecided.
            opened.open(knowledge, cited.rule.block.advise).missing += _withheld_for(cited)
            continue
        if _is_withheld(knowledge, cited):
            continue
        for datum in cited.finding.asks:
            draft = opened.open(knowledge, knowledge.questions.get(datum, GENERAL_QUESTION))
            draft.missing.append(datum)
            draft.evidence += cited.finding.evidence


def _is_withheld(knowledge: Knowledge, cited: Cited) -> bool:
    """Whether a gate withholds the advice of a recommendation: no datum is requested that could not matter."""
    kind = knowledge.advice.get(cited.rule.block.advise or "")
    if kind is None:
        return False
    return any(g.block.effect == "withhold" and g.node.truth(cited.findings.features) is True for g in kind.gates)


_WITH_SEX = frozenset({"sex", "menopausal_status", "pregnancy"})
"""Data that can be asked for only where the sex is known; it settles them or asks on."""

_ASK_SEX_FOR = frozenset({"treatment", "dxa-referral"})
"""Topics of advice that must not be lost in silence where only the sex is not known."""


def ask_for_sex(opened: Opened, knowledge: Knowledge, active: Iterable[Cited], chart: Chart) -> None:
    """Ask for a sex that is not known where it keeps a recommendation from being decided: no rule of one sex holds."""
    if chart.patient.sex is not None:
        return
    for cited in active:
        advise = cited.rule.block.advise
        if advise is None or cited.truth is not None or knowledge.advice[advise].block.topic not in _ASK_SEX_FOR:
            continue
        missing = cited.finding.outcome.missing
        if "sex" in missing and _WITH_SEX.issuperset(missing):
            draft = opened.open(knowledge, GENERAL_QUESTION)
            draft.missing.append("sex")
            draft.evidence += cited.finding.evidence


def _withheld_for(cited: Cited) -> tuple[str, ...]:
    """The data behind undecided exclusions, of a recommendation that would hold otherwise."""
    return cited.finding.asks if cited.finding.outcome.truth is True else ()


def ordered_already(chart: Chart, knowledge: Knowledge) -> frozenset[str]:
    """The names of the orderables for which an order is open; drafts of an order hook count as about to happen."""
    codes = frozenset(code for service in chart.services for code in service.codes)
    if not codes:
        return frozenset()
    return frozenset(
        name
        for name, item in knowledge.orderables.items()
        if any((code["system"], code["code"]) in codes for code in item.block.codes)
    )
