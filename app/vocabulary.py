"""Closed lists that several layers share."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = ("en", "sv", "da", "zh")
"""The languages that cards are written in, English first."""
