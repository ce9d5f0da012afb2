"""The facts of one answer in words and as JSON."""

from __future__ import annotations

from decimal import Decimal

from app.cards.wording import Wording
from app.cds_hooks.response import Written, written
from app.features.model import Evidence


class Facts:
    """Facts as cards tell them, each worked out once: the cards of an answer share half of theirs.

    Told apart by identity, comparing is dear; so they have to live as long as this.
    """

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._lines: dict[int, str] = {}
        self._members: dict[int, Written] = {}

    def line(self, evidence: Evidence) -> str:
        """One fact on one line of the detail."""
        if id(evidence) not in self._lines:
            self._lines[id(evidence)] = self._wording.fact(evidence)
        return self._lines[id(evidence)]

    def json(self, evidence: Evidence) -> Written:
        """One fact of the explanation."""
        if id(evidence) not in self._members:
            self._members[id(evidence)] = written(_members(evidence))
        return self._members[id(evidence)]


def _members(evidence: Evidence) -> dict[str, bool | Decimal | str | None]:
    return {
        "feature": evidence.feature,
        "value": evidence.value,
        "unit": evidence.unit,
        "date": str(evidence.date) if evidence.date else None,
        "resource": evidence.resource,
        "note": evidence.note,
    }
