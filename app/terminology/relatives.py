"""Which relative words are about: a parent or somebody else (decision 58)."""

from __future__ import annotations

from functools import cache

from app.terminology.code_sets import terminology
from app.terminology.word_notation import words_of_text


def parent_in_words(text: str) -> bool | None:
    """Whether a text speaks of mother, father or parents; None where it names no relative, or several."""
    words = f" {' '.join(words_of_text(text))} "
    parent, other = (
        any(word in words for word in _listed("parent_words")),
        any(word in words for word in _listed("others")),
    )
    if other:  # "mother and sister", "mother's sister", 祖母
        return None if parent else False
    return True if parent else None


@cache
def _listed(name: str) -> tuple[str, ...]:
    """The words of a list as they stand in a text that was cut into words and joined with blanks."""
    listed = terminology().raw["text-patterns"]["relatives"][name]
    return tuple(f" {' '.join(words_of_text(word))} " for word in listed)
