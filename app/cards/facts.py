"""The facts of one answer in words and as JSON."""

from __future__ import annotations

from msgspec import Struct

from app.cards.wording import Wording
from app.cds_hooks.response import Written, written
from app.features.model import Evidence


class Told(Struct, frozen=True, gc=False):
    """A fact as cards tell it: on one line of the detail, and as an entry of the explanation."""

    line: str
    members: Written


class Facts:
    """Facts as cards tell them, each worked out once: the cards of an answer share half of theirs.

    Told apart by identity, comparing is dear; so they have to live as long as this.
    """

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._told: dict[int, Told] = {}

    def told(self, evidence: Evidence) -> Told:
        """One fact."""
        key = id(evidence)
        if key not in self._told:
            members = {
                "feature": evidence.feature,
                "value": evidence.value,
                "unit": evidence.unit,
                "date": str(evidence.date) if evidence.date else None,
                "resource": evidence.resource,
                "note": evidence.note,
            }
            self._told[key] = Told(self._wording.fact(evidence), written(members))
        return self._told[key]
