"""Examinations and tests that are ordered and not yet done: what is on its way is not asked for again."""

from __future__ import annotations

from app.chart import Chart
from app.engine.knowledge import Knowledge


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
