"""Closed lists that several layers share: languages and topics."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """The languages of cards, English first. Each has its file guidelines/locales/LANGUAGE.yaml."""

    EN = "en"
    SV = "sv"
    DA = "da"
    ZH = "zh"


TOPICS: Final = (
    "red-flag",
    "drug-safety",
    "treatment",
    "drug-switch",
    "dxa-referral",
    "imaging",
    "secondary-workup",
    "specialist-referral",
    "monitoring",
    "calcium-vitamin-d",
    "lifestyle-falls",
    "data-needed",
)
"""Card topics, most urgent first (docs/contract.md, section 4)."""
