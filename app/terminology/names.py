"""The words of a CodeableConcept: how a person names it, and which concepts its names mean (decision 62).

A text is read only where each of its words is known: as part of a name, as a word that changes nothing, or as one that
changes the meaning (word_lists.py). A text with another word is not read; the names in it say what it could be about.
Words are read where no code is known, and to see whether words and code contradict each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct

from app.terminology.code_sets import terminology
from app.terminology.word_lists import Lexicon, Sense, TextKind, lexicon
from app.terminology.word_notation import words_of_text

MAX_TEXT = 400
"""Names of drugs and diagnoses are short. A longer text is prose: it is not read, only searched for names."""
LONGEST_CACHED = 160
"""Characters of the longest display or code that is cached, so that the bytes of caches are bounded."""
_CACHED_DISPLAYS = 16384
_STATEMENTS = re.compile(r"[;\n]")
_RANK = {sense: rank for rank, sense in enumerate(Sense)}
_NONE: frozenset[str] = frozenset()


class Words(Struct, frozen=True, gc=False):
    """The meaning of a text. `named`: the concepts that its names mean. `understood`: every word of it is known."""

    named: frozenset[str] = _NONE
    sense: Sense = Sense.AFFIRMED
    understood: bool = True


NO_WORDS = Words()


def read_words(read: Sequence[Words]) -> Words:
    """The combined meaning of the texts of one CodeableConcept.

    One that changes the meaning decides over one that does not: a display is vocabulary, the text is about the
    patient. One that is not understood says nothing where another one is understood and names something.
    """
    telling = [words for words in read if words.named or words.sense is not Sense.AFFIRMED]
    if not telling:
        return NO_WORDS
    understood = [words for words in telling if words.understood]
    sense = min((words.sense for words in telling), key=_RANK.__getitem__)
    if understood and any(words.named for words in understood):
        return Words(_union(words.named for words in understood), sense)
    named = _union(words.named for words in telling)
    return Words(named, sense, understood=not named or all(words.understood for words in telling))


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return _NONE.union(*sets)


def read_display(text: str, kind: TextKind) -> Words:
    """`read_text` for the display of a code: vocabulary without personal data, so the process caches a short one."""
    return _read_short(text, kind) if len(text) <= LONGEST_CACHED else read_text(text, kind)


@lru_cache(maxsize=_CACHED_DISPLAYS)
def _read_short(text: str, kind: TextKind) -> Words:
    return read_text(text, kind)


def read_text(text: str, kind: TextKind) -> Words:
    """The meaning of one text. Statements are divided by semicolons and line ends; one that affirms a name counts."""
    statements = [_statement(part, kind) for part in _STATEMENTS.split(text[:MAX_TEXT])]
    if len(text) > MAX_TEXT:
        return Words(_union(words.named for words in statements), understood=False)
    affirmed = [words for words in statements if words.named and words.sense is Sense.AFFIRMED]
    if affirmed and all(words.understood for words in statements if words.named):
        return Words(_union(words.named for words in affirmed))
    named = _union(words.named for words in statements)
    sense = min((words.sense for words in statements), key=_RANK.__getitem__)
    return Words(named, sense, all(words.understood for words in statements))


def _statement(text: str, kind: TextKind) -> Words:
    words = words_of_text(text)
    if not words:
        return NO_WORDS
    lists = lexicon(kind)
    names: set[str] = set()
    parts: set[str] = set()
    sense, understood, place = Sense.AFFIRMED, True, 0
    while place < len(words):
        length, entries = lists.longest(words, place)
        if not length:
            if not words[place].isdigit():
                understood = False
                names |= lists.begun_by(words[place])
            place += 1
            continue
        for entry in entries:
            if entry.concept is not None:
                names.add(entry.concept)
            elif entry.part is not None:
                parts.add(entry.part)
            elif entry.sense is not None and _RANK[entry.sense] < _RANK[sense]:
                sense = entry.sense
        place += length
    names |= _combined(lists, parts | names)
    return Words(_complete(names), sense, understood)


def _combined(lists: Lexicon, parts: set[str]) -> set[str]:
    """The concepts of the richest combinations of the parts."""
    used: list[frozenset[str]] = []
    found: set[str] = set()
    for combination in lists.combinations if parts else ():
        if combination.parts <= parts and not any(combination.parts < other for other in used):
            used.append(combination.parts)
            found |= combination.concepts
    return found


def _complete(found: Iterable[str]) -> frozenset[str]:
    """Concepts without what they supersede, and with what they are a kind of."""
    terms = terminology()
    kept = set(found)
    for concept in tuple(kept):
        kept -= terms.supersedes.get(concept, _NONE)
    return frozenset(kept | {parent for concept in kept for parent in terms.parents.get(concept, ())})


def contradicts(words: Words, coded: frozenset[str]) -> bool:
    """Whether the words name something that is not even related to the meaning of the code."""
    return bool(words.named) and words.sense is Sense.AFFIRMED and not _related(words.named, coded)


def _related(named: frozenset[str], coded: frozenset[str]) -> bool:
    """Whether the words are compatible with the code: a common concept, or a common class of drugs."""
    if named & coded:
        return True
    return bool(_family(named) & _family(coded))


def _family(concepts: frozenset[str]) -> set[str]:
    products = terminology().drugs.products
    return set(concepts).union(*(products[concept].classes for concept in concepts if concept in products))
