"""How names are written in the word lists of `guidelines`, and how a text is cut into words.

A name is written as in a text, in lower case. `[a|b]` stands for one of its parts, which can be empty or hold further
brackets; `*` at the end of a word stands for up to six more letters. Words are runs of letters or of digits; a Chinese
or Japanese character is a word of its own, so that the longest name decides where one ends.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

MAX_ENDING: Final = 6
"""Letters that `*` can match: an ending, not a second word of a compound."""
MAX_NAMES: Final = 4000
"""The maximum number of names that one entry of a list can expand to."""
_TOKEN = re.compile(
    r"[0-9]+|[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\d_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|\?"
)
_PLAIN = re.compile(r"[^\[\]|]+")
_APOSTROPHES = str.maketrans("", "", "'\u2019\u02bc`\u00b4")


def words_of_text(text: str) -> list[str]:
    """The words of a text, in lower case; a question mark is a word, other punctuation is not."""
    folded = unicodedata.normalize("NFKC", text).lower().translate(_APOSTROPHES)
    return _TOKEN.findall(folded)


def names_of(notation: str) -> list[tuple[str, ...]]:
    """The names that an entry of a list expands to, each as its words; the last letter of a prefix is `*`.

    Raises ValueError for brackets that do not match, capitals, and an entry that expands to too many names.
    """
    if notation != notation.lower():
        raise ValueError(f"names are written in lower case: {notation}")
    spelled, end = _alternatives(notation, 0, closing=False)
    if end != len(notation):
        raise ValueError(f"brackets do not match: {notation}")
    found = []
    for name in dict.fromkeys(spelled):
        words = tuple(word for part in name.split() for word in _words_of_part(part))
        if words:
            found.append(words)
    if not found or len(found) > MAX_NAMES:
        raise ValueError(f"stands for {len(found)} names: {notation}")
    return found


@lru_cache(maxsize=8192)  # the names of a list share most of their words
def _words_of_part(part: str) -> tuple[str, ...]:
    words = words_of_text(part)
    if part.endswith("*") and words:
        words[-1] += "*"
    return tuple(words)


def _alternatives(notation: str, start: int, *, closing: bool) -> tuple[list[str], int]:
    """The spellings of a list of alternatives from `start` on, and where it ends."""
    done: list[str] = []
    current = [""]
    place = start
    while place < len(notation):
        sign = notation[place]
        if sign == "[":
            inner, place = _alternatives(notation, place + 1, closing=True)
            if place >= len(notation):
                raise ValueError(f"brackets do not match: {notation}")
            current = [head + tail for head in current for tail in inner]
            if len(current) > MAX_NAMES:
                raise ValueError(f"stands for too many names: {notation}")
        elif sign == "|" and closing:
            done += current
            current = [""]
        elif sign == "]":
            break
        else:
            plain = _PLAIN.match(notation, place)
            text = plain.group() if plain is not None else sign
            current = [head + text for head in current]
            place += len(text) - 1
        place += 1
    return done + current, place
