"""What a hospital has chosen in its overlay (docs/local.md), as the rest of the service uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from app.vocabulary import Language

Texts = Mapping[Language, str]
"""A text of the hospital by language. Where the language of a card has none, the first one stands."""


def text_in(texts: Texts, language: str) -> str:
    """The text in a language, or the first one that the hospital wrote."""
    return texts.get(Language(language)) or next(iter(texts.values()))


@dataclass(frozen=True, slots=True)
class LocalLimit:
    """The decision behind a limit that the hospital has changed. `source_limit`: the limit of the source."""

    source_limit: Decimal
    because: str
    by: str
    date: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class AcceptedRisk:
    """A safety statement that is switched off, and what the hospital says about the risk."""

    statement: str
    risk: str
    by: str = ""
    date: str = ""

    def __str__(self) -> str:
        who = ", ".join(filter(None, (self.by, self.date)))
        return f"{self.statement}: {self.risk}" + (f" ({who})" if who else "")


@dataclass(frozen=True, slots=True)
class LocalLink:
    """A page that stands beside the cards of an advice."""

    url: str
    label: Texts


@dataclass(frozen=True, slots=True)
class LocalReason:
    """A reason for not following a card. `text` is None for a reason that ships: its text is in the locale files."""

    code: str
    system: str
    text: Texts | None = None


@dataclass(frozen=True, slots=True)
class Local:
    """All choices of an overlay. Without an overlay everything is empty.

    `drug_order`: the place of a drug in the formulary. `after`: a text behind what an advice says. `override_reasons`:
    None where the reasons that ship stand.
    """

    hospital: str = ""
    fingerprint: str = ""
    switched: frozenset[str] = frozenset()
    risks: tuple[AcceptedRisk, ...] = ()
    drug_order: Mapping[str, int] = field(default_factory=dict)
    not_stocked: frozenset[str] = frozenset()
    after: Mapping[str, Texts] = field(default_factory=dict)
    links: Mapping[str, tuple[LocalLink, ...]] = field(default_factory=dict)
    override_reasons: tuple[LocalReason, ...] | None = None
    prefetch: Mapping[str, str | None] = field(default_factory=dict)
