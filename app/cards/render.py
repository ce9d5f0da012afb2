"""Advice -> cards."""

from __future__ import annotations

from typing import Any

from app.advice.model import Advice, AdviceSet, Role
from app.cards.detail import detail_of, statements
from app.cards.explanation import NAME, EvidenceRenderer, explanation_of, not_used, withheld_of
from app.cards.suggestions import Ordering, suggestions_of
from app.cards.summary import summary_of
from app.cards.wording import Wording, wording_in
from app.cds_hooks.response import Card, Coding, HookAnswer, Indicator, Link, Source
from app.chart import Chart
from app.engine.knowledge import Knowledge
from app.vocabulary import Language

TOPIC_SYSTEM = "urn:osteon:card-topic"
MAX_LINKS = 6
"""Most links of a card to statements; its explanation names all of them."""


def answer_of(
    advice: AdviceSet,
    knowledge: Knowledge,
    profile: str,
    chart: Chart,
    ordering: Ordering,
    language: str,
    base_url: str | None = None,
) -> HookAnswer:
    """The whole answer: one card per advice; what no card carries goes into the extension.

    `base_url`: the public address of the service; with it cards link to the pages of their statements.
    """
    wording = wording_in(knowledge, language, base_url)
    facts, unused = EvidenceRenderer(wording, wording_in(knowledge, Language.EN), chart.by_local_codes), not_used(chart)
    cards = []
    for one in advice.advice:
        summary = summary_of(one, wording)
        cards.append(
            Card(
                summary=summary,
                indicator=Indicator(one.indicator.value),
                source=_source(one, wording),
                detail=detail_of(one, wording, facts),
                suggestions=suggestions_of(one, knowledge, ordering, wording, summary),
                links=(*wording.links(one.id), *_statement_links(one, wording)),
                override_reasons=wording.override_reasons(one.id, one.topic),
                extension={NAME: explanation_of(one, profile, unused, facts)},
            )
        )
    beside: dict[str, Any] = {}
    if not cards and (unused or advice.missing):
        beside = {"notUsed": unused, "missing": list(advice.missing)}
    elif advice.missing:  # lists that no card rests on, and that could have given another one
        beside = {"missing": list(advice.missing)}
    if advice.left_out:
        beside["leftOut"] = list(advice.left_out)
    if advice.withheld:
        beside["withheld"] = [withheld_of(one, wording, facts) for one in advice.withheld]
    extension = {NAME: {"profile": profile, **beside}} if beside else None
    off = tuple(risk.statement for risk in knowledge.local.risks)
    return HookAnswer(tuple(cards), extension, knowledge.version, chart.unrecognised, off)


def _statement_links(advice: Advice, wording: Wording) -> list[Link]:
    """Links to the statements that decide, at most `MAX_LINKS`; to those that support, where none decides."""
    found = statements(advice)
    deciding = [cited.rule for cited, decides in found if decides] or [cited.rule for cited, _ in found]
    return [link for rule in deciding[:MAX_LINKS] if (link := wording.statement_link(rule)) is not None]


def _source(advice: Advice, wording: Wording) -> Source:
    """The sources of the card: the lead's label first, its page as the link."""
    order = {Role.LEAD: 0, Role.FILL: 1, Role.SAFETY: 2}
    cited = sorted(advice.cited, key=lambda c: order[c.role])
    labels = dict.fromkeys(wording.locale.sources[c.rule.source.id].label for c in cited)
    topic = Coding(advice.topic, TOPIC_SYSTEM, wording.locale.topics[advice.topic])
    if not labels:
        return Source(wording.phrases.own_label, topic=topic)
    url = cited[0].rule.source.url
    return Source("; ".join(labels), url=url or None, topic=topic)
