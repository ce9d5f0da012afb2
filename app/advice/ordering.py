"""The order of cards: critical before warning before info, and within them the order of topics of the contract."""

from __future__ import annotations

from collections.abc import Iterable

from app.advice.draft import URGENCY
from app.advice.model import Advice
from app.engine.knowledge import TOPICS

_RANK = {topic: rank for rank, topic in enumerate(TOPICS)}


def in_order(advice: Iterable[Advice], entries: Iterable[str]) -> list[Advice]:
    """The advice, most urgent first; stable for the same patient. `entries`: advice ids in the order of their file."""
    place = {advice_id: number for number, advice_id in enumerate(entries)}
    return sorted(advice, key=lambda a: (URGENCY[a.indicator], _RANK[a.topic], place[a.id], a.drug_name.get("en", "")))
