"""How long a text is for a reader: what decision 69 limits."""

from __future__ import annotations

import re
from typing import NamedTuple

FIRST_SCREEN_WORDS, FIRST_SCREEN_CHARACTERS = 90, 900
"""Limits of what stands above the sources: what to do, why, what is missing or blocked (decision 69)."""
CARD_WORDS = 300
"""Limit of a whole detail (decision 69)."""
USUAL_WORDS = 130
"""Up to here statements are added that did not decide: the median of treatment cards is at most 150 (decision 69)."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[^\W_][^\s\u3400-\u9fff]*")


class WordCount(NamedTuple):
    """The words of a text. Counts of texts that stand apart add up."""

    words: int
    """Words between blanks, without Chinese characters."""
    han: int
    """Chinese characters; two count as one word, as Chinese writes without blanks."""

    @property
    def in_words(self) -> int:
        """Words, Chinese ones included."""
        return self.words + (self.han + 1) // 2


def count_words(text: str) -> WordCount:
    """The words of a text, Chinese characters apart."""
    if text.isascii():
        return WordCount(len(_WORD.findall(text)), 0)
    without, han = _HAN.subn(" ", text)
    return WordCount(len(_WORD.findall(without)), han)


def words_in(text: str) -> int:
    """The words of a text."""
    return count_words(text).in_words
