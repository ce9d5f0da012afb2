"""How long a text is for a reader: what decision 69 limits."""

from __future__ import annotations

import re

FIRST_SCREEN_WORDS, FIRST_SCREEN_CHARACTERS = 90, 900
"""Limits of what stands above the sources: what to do, why, what is missing or blocked (decision 69)."""
CARD_WORDS = 300
"""Limit of a whole detail (decision 69)."""
USUAL_WORDS = 130
"""Up to here statements are added that did not decide: the median of treatment cards is at most 150 (decision 69)."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[^\W_][^\s\u3400-\u9fff]*")


def words_in(text: str) -> int:
    """Words between blanks; two Chinese characters count as one word, as Chinese writes without blanks."""
    han = len(_HAN.findall(text))
    return len(_WORD.findall(_HAN.sub(" ", text))) + (han + 1) // 2
