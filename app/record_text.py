"""Text from a record on its way into an answer: one line, of bounded length, with nothing in it that acts or deceives.

Everything that a card repeats from a record goes through `shown`: in summaries, details, labels, descriptions and the
explanation. What is taken out: control characters; characters that turn the direction of the text or have no width
(Unicode categories Cf and Co, with which a text can look like another one); line and paragraph separators; and bare
addresses, which viewers of Markdown make into links. A FHIR id that is none is not repeated at all: see `is_id`.
"""

from __future__ import annotations

import re
import unicodedata

LIMIT = 120
"""Longest stretch of text from a record that a card repeats, in code points."""

_HIDDEN = frozenset({"Cf", "Co", "Cs", "Cn"})
_BREAKS = frozenset({"Cc", "Zl", "Zp"})
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing."""
# What stands between white space is looked at from its begin only, with the first "@" and the first "." after it.
_ADDRESS = re.compile(
    r"(?<!\S)\S*?://\S*|\bwww\.\S*|\b(?:javascript|data|vbscript|mailto|tel):\S*"
    r"|(?<!\S)\S[^\s@]*+@\S[^\s.]*+\.\S+",
    re.IGNORECASE,
)
_MAY_BE_ADDRESS = ("://", "www.", "@", "script:", "data:", "mailto:", "tel:")
_LONGEST_READ = 4 * LIMIT
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def shown(text: str) -> str:
    """The text as an answer may repeat it; "…" marks what was left out."""
    if len(text) > _LONGEST_READ:
        text = text[:_LONGEST_READ] + "…"
    line = without_hidden(text)
    return line if len(line) <= LIMIT else line[: LIMIT - 1] + "…"


def shortened(text: str, limit: int) -> str:
    """A text of one line within a number of code points, cut at a word with an ellipsis where it is longer."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    cut = limit - 1 if text[limit - 1] == " " else head.rfind(" ")
    # Chinese has no blanks: cut where the limit is rather than lose half of the text.
    return (head[:cut] if cut > limit // 2 else head).rstrip(" ,;:(+") + "…"


def without_hidden(text: str) -> str:
    """The text as one line without hidden characters and bare addresses, whatever its length."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_visible, text))
    lowered = text.lower()
    if any(sign in lowered for sign in _MAY_BE_ADDRESS):
        text = " ".join("…" if _ADDRESS.search(word) else word for word in text.split())
    return " ".join(text.split())


def is_id(text: str) -> bool:
    """Whether a text is a FHIR id, so that a reference can contain it."""
    return _ID.fullmatch(text) is not None


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in _BREAKS:
        return " "
    return "" if category in _HIDDEN or character in _FILLERS else character
