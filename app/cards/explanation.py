"""The machine-readable explanation of a card (docs/contract.md, section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from app.advice.model import Advice, Withheld
from app.cards.wording import Wording
from app.cds_hooks.response import Written, written
from app.chart import Chart
from app.engine.criteria import Limit
from app.features.model import Evidence
from app.features.notes import NoteCode, note
from app.record_text import shown, without_hidden


class RenderedEvidence(Struct, frozen=True, gc=False):
    """A fact as cards tell it: on one line of the detail, and as an entry of the explanation."""

    line: str
    members: Written


class EvidenceRenderer:
    """Renders facts, each once: the cards of an answer share half of theirs. The notes of the explanation are English.

    Keyed by id(), because equality is expensive; callers must keep the Evidence alive.
    """

    def __init__(self, wording: Wording, english: Wording, by_local_codes: frozenset[str] = frozenset()) -> None:
        self._wording, self._english = wording, english
        self._by_local_codes = by_local_codes
        self._rendered: dict[int, RenderedEvidence] = {}

    def rendered(self, evidence: Evidence) -> RenderedEvidence:
        """One fact."""
        key = id(evidence)
        if key not in self._rendered:
            if evidence.resource in self._by_local_codes:
                evidence = replace(evidence, notes=(*evidence.notes, note(NoteCode.LOCAL_CODE)))
            members = {
                "feature": evidence.feature,
                "value": shown(evidence.value) if isinstance(evidence.value, str) else evidence.value,
                "unit": shown(evidence.unit) if evidence.unit else None,
                "date": str(evidence.date) if evidence.date else None,
                "resource": shown(evidence.resource) if evidence.resource else None,
                "note": without_hidden(self._english.notes(evidence.notes)) or None,
            }
            self._rendered[key] = RenderedEvidence(self._wording.fact(evidence), written(members))
        return self._rendered[key]


NAME = "osteon.explanation"
NOT_USED = 20
"""Most records of `notUsed` that a card names; what is beyond is counted by reason."""


def explanation_of(
    advice: Advice, profile: str, unused: list[dict[str, Any]], facts: EvidenceRenderer
) -> dict[str, Any]:
    """advice, profile, recommendations with role, evidence, missing and notUsed (`unused`, out of `not_used`)."""
    return {
        "advice": advice.id,
        "profile": profile,
        "recommendations": [
            _recommendation(
                c.id, c.rule.source.number, c.rule.block.strength, c.rule.block.grade, c.role, c.rule.local_limits
            )
            for c in advice.cited
        ],
        "evidence": [facts.rendered(one).members for one in advice.evidence],
        "missing": list(dict.fromkeys((*advice.missing, *(key for key, _ in advice.incomplete)))),
        "blockedOptions": [
            {"drug": o.drug.id, "status": o.status, "by": [c.id for c in o.blocked_by], "missing": list(o.missing)}
            for o in advice.options
            if o.status in {"blocked", "withheld", "not-stocked"}
        ],
        "notUsed": unused,
        **({"localLimits": [_local_limit(limit) for limit in advice.local_limits]} if advice.local_limits else {}),
    }


def withheld_of(withheld: Withheld, wording: Wording, facts: EvidenceRenderer) -> dict[str, Any]:
    """Advice that is not given, with the reason as text and the facts behind it."""
    return {
        "advice": withheld.advice,
        "because": wording.locale.remarks[withheld.remark],
        "evidence": [facts.rendered(one).members for one in withheld.evidence],
    }


@lru_cache(maxsize=4096)
def _recommendation(
    rule_id: str, source: str, strength: str, grade: str | None, role: str, local: tuple[Limit, ...]
) -> Written:
    """A recommendation as JSON, the same in every answer. `local`: its limits that the hospital has changed."""
    members: dict[str, Any] = {"id": rule_id, "source": source, "strength": strength, "grade": grade, "role": role}
    if local:
        members["localLimits"] = [_local_limit(limit) for limit in local]
    return written(members)


def _local_limit(limit: Limit) -> dict[str, Any]:
    made = {"feature": limit.name, "comparison": limit.operator, "limit": limit.limit, "unit": limit.unit or None}
    if limit.local is not None:
        local = limit.local
        decided = {"because": local.because, "decidedBy": local.by, "decided": local.date}
        made |= {"sourceLimit": local.source_limit, **decided}
    return made


def not_used(chart: Chart) -> list[dict[str, Any]]:
    """The records that were not used, named; those of another patient are only counted."""
    named: list[dict[str, Any]] = []
    counted: dict[str, int] = {}
    entries: Iterable[tuple[str | None, str, int]] = [(s.resource, s.reason, s.count) for s in chart.set_aside]
    entries = [*entries, *((u.ref, u.reason, 1) for u in chart.unusable)]
    for resource, reason, count in entries:
        if resource is not None and len(named) < NOT_USED:
            named.append({"resource": shown(resource), "reason": reason})
        else:
            counted[reason] = counted.get(reason, 0) + count
    return [*named, *({"reason": reason, "count": count} for reason, count in sorted(counted.items()))]
