"""Select the advice for this occasion; list missing data when no card remains."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from app.advice.draft import URGENCY
from app.advice.model import UNREAD, Advice, AdviceSet
from app.chart import Chart, Occasion
from app.engine.knowledge import Knowledge
from app.engine.schema import Indicator
from app.features.model import Features
from app.vocabulary import TOPICS

EMERGENCY = "emergency-cord-compression"
RED_FLAG, DRUG_SAFETY = "red-flag", "drug-safety"
SAFETY_TOPICS = frozenset({RED_FLAG, DRUG_SAFETY})
"""What is said beside an emergency, and at a discharge without a recent fracture."""
QUESTION = "data-needed"
"""The topic of questions: their data go beside the cards where the occasion allows no card."""
NOT_TO_BE_SIGNED = "do-not-start-drug"


def select_for_occasion(
    everything: list[Advice],
    knowledge: Knowledge,
    features: Features,
    chart: Chart,
    occasion: Occasion,
) -> AdviceSet:
    """The advice for this occasion, most urgent first, and the missing data if no card remains."""
    advice = everything
    if any(one.id == EMERGENCY for one in advice):
        advice = beside_an_emergency(advice)
    if occasion.about_orders:
        advice = _red_flags_of_orders(_without_consequences_of_blocked(advice, chart))
    if occasion is Occasion.PROBLEM:
        advice = [one for one in advice if one.id == EMERGENCY or _about_new_problem(one, chart)]
    if occasion is Occasion.INTOLERANCE:
        advice = [one for one in advice if _about_new_intolerance(one, chart)]
    if occasion is Occasion.VISIT:
        advice = [one for one in advice if one.indicator is not Indicator.INFO or one.kind.block.due_at_visit]
    if occasion is Occasion.DISCHARGE and features.feature("recent_fragility_fracture.any").value is not True:
        advice = [one for one in advice if is_safety(one)]
    advice = without_answered_questions(advice)
    questions = [one for one in everything if one.topic == QUESTION or one.kind.block.asks]
    asked = dict.fromkeys(name for one in questions if not advice for name in one.missing)
    return AdviceSet(tuple(in_order(advice, knowledge.advice)), tuple(asked))


def beside_an_emergency(advice: Iterable[Advice]) -> list[Advice]:
    """What is said while an emergency is open: safety, without an order (decisions 38 and 39)."""
    return [_without_suggestions(one) for one in advice if is_safety(one)]


def is_safety(advice: Advice) -> bool:
    """Whether the advice stays on every occasion: by its topic, or by the mark of a finding behind it (decision 39)."""
    return advice.topic in SAFETY_TOPICS or any(cited.rule.block.safety for cited in advice.triggered_by)


def _without_suggestions(advice: Advice) -> Advice:
    """The advice without an order: while an emergency is open no drug and no examination is suggested (decision 38)."""
    if advice.topic in SAFETY_TOPICS:
        return advice
    return replace(advice, options=(), tests=(), calcium=None, no_suggestion=True)


def _red_flags_of_orders(advice: list[Advice]) -> list[Advice]:
    """At orders, emergencies and red flags that rest on a value which speaks against an order at hand (decision 39)."""
    against = {e.resource for one in advice if one.topic == DRUG_SAFETY for e in one.evidence if e.resource}
    return [
        one
        for one in advice
        if one.topic != RED_FLAG or one.id == EMERGENCY or any(e.resource in against for e in one.evidence)
    ]


def without_answered_questions(advice: list[Advice]) -> list[Advice]:
    """Without questions whose every datum another card of the answer names as missing: that card requests it."""
    named = {name for one in advice if one.topic != QUESTION for name in one.missing}
    return [one for one in advice if one.topic != QUESTION or not one.missing or not named.issuperset(one.missing)]


def _without_consequences_of_blocked(advice: list[Advice], chart: Chart) -> list[Advice]:
    """Advice that would only follow from orders that must not be signed is not given: their own cards remain."""
    blocked = {order.ref for one in advice if one.id == NOT_TO_BE_SIGNED for order in one.orders}
    drafts = {order.ref for order in chart.draft_orders}

    def follows_only(one: Advice) -> bool:
        rests_on = {evidence.resource for evidence in one.evidence} & drafts
        return not is_safety(one) and not one.orders and bool(rests_on) and rests_on <= blocked

    return [one for one in advice if not follows_only(one)]


def _about_new_problem(advice: Advice, chart: Chart) -> bool:
    """Whether the advice rests on one of the conditions that are being recorded."""
    new = {condition.ref for condition in chart.new_conditions}
    new |= {ref for fracture in chart.fractures if fracture.new_in_context for ref in fracture.refs}
    return any(evidence.resource in new for evidence in advice.evidence)


def _about_new_intolerance(advice: Advice, chart: Chart) -> bool:
    """Whether the advice rests on the new intolerance, or asks for it; an emergency always remains."""
    new = {fact.ref for fact in chart.new_intolerances}
    asks = UNREAD[Occasion.INTOLERANCE] in advice.missing
    return asks or advice.id == EMERGENCY or any(evidence.resource in new for evidence in advice.evidence)


def to_be_read_later(given: AdviceSet, chart: Chart) -> AdviceSet:
    """The advice marked with the day of its data: the answer to a refill can be read days later."""
    return replace(given, advice=tuple(replace(one, data_of=chart.today) for one in given.advice))


def fewer(given: AdviceSet, *, max_cards: int | None, topics_off: Collection[str]) -> AdviceSet:
    """The advice that a request wants to be sent. Safety always comes (`is_safety`); what is left out is named."""
    if max_cards is None and not topics_off:
        return given
    wanted = [one for one in given.advice if is_safety(one) or one.topic not in topics_off]
    first = wanted if max_cards is None else wanted[:max_cards]
    kept = {id(one) for one in first} | {id(one) for one in wanted if is_safety(one)}
    sent = [one for one in wanted if id(one) in kept]
    left_out = dict.fromkeys(one.id for one in given.advice if id(one) not in kept)
    return replace(given, advice=tuple(sent), left_out=tuple(left_out))


_RANK = {topic: rank for rank, topic in enumerate(TOPICS)}


def in_order(advice: Iterable[Advice], entries: Iterable[str]) -> list[Advice]:
    """The advice, most urgent first; stable for the same patient. `entries`: advice ids in the order of their file."""
    place = {advice_id: number for number, advice_id in enumerate(entries)}

    def rank(one: Advice) -> tuple[int, int, int, str]:
        names = one.drug_id or " + ".join(course.name for course in one.courses)
        return URGENCY[one.indicator], _RANK[one.topic], place[one.id], names

    return sorted(advice, key=rank)
