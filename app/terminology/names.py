"""The words of a CodeableConcept: how a person names it, and which concepts its names mean.

Names of drugs stand in guidelines/drugs, all others in guidelines/concepts/text-patterns.yaml. They are used where no
code is known, and to see whether words and code contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache

from app.terminology.code_sets import terminology
from app.terminology.codeable_concept import SEPARATOR
from app.wire.elements import Coding

_CACHED_DISPLAYS = 16384
_MAX_TEXT = 400  # names of drugs and diagnoses are short; what is longer is prose, and prose is not read here


class TextKind(StrEnum):
    """Which names a text is searched for."""

    OBSERVATION = "observations"
    CONDITION = "conditions"
    MEDICATION = "medications"
    PROCEDURE = "procedures"


def match_text(text: str, kind: TextKind) -> frozenset[str]:
    """The concepts that a short text names."""
    return _complete(_names_in(text, kind)) if not _says_otherwise(text, kind) else frozenset()


def named_by(listed: Sequence[Coding], text: str, kind: TextKind) -> frozenset[str]:
    """The concepts that the words of a CodeableConcept name.

    Displays of codes repeat and are vocabulary, so what they name is remembered; CodeableConcept.text can be written
    by hand about this patient, and is not.
    """
    if _says_otherwise(text, kind):
        return frozenset()
    displays = {coding.display.strip() for coding in listed if coding.code and coding.system and coding.display}
    found: set[str] = set()
    for display in displays:
        found |= _names_in_display(display, kind)
    for words_alone in text.split(SEPARATOR):
        if words_alone not in displays:
            found |= _names_in(words_alone, kind)
    return _complete(found)


def _says_otherwise(text: str, kind: TextKind) -> bool:
    never = terminology().texts[kind].never
    return never is not None and never.found_in(text[:_MAX_TEXT])


def _names_in(text: str, kind: TextKind) -> frozenset[str]:
    patterns = terminology().texts[kind]
    text = text[:_MAX_TEXT]
    if not patterns.any_name.found_in(text):
        return frozenset()
    return frozenset(concept for concept, pattern in patterns.names if pattern.found_in(text))


_names_in_display = lru_cache(maxsize=_CACHED_DISPLAYS)(_names_in)


def _complete(found: Iterable[str]) -> frozenset[str]:
    """Concepts without what they supersede, and with what they are a kind of."""
    terms = terminology()
    kept = set(found)
    for concept in tuple(kept):
        kept -= terms.supersedes.get(concept, frozenset())
    return frozenset(kept | {parent for concept in kept for parent in terms.parents.get(concept, ())})


def contradicts(listed: Sequence[Coding], text: str, kind: TextKind, coded: frozenset[str]) -> bool:
    """Whether the words name something that is not even a relative of what the code says."""
    patterns = terminology().texts[kind].by_concept
    if not text or any(pattern.found_in(text) for name in coded if (pattern := patterns.get(name)) is not None):
        return False
    named = named_by(listed, text, kind)
    return bool(named) and not _related(named, coded)


def _related(named: frozenset[str], coded: frozenset[str]) -> bool:
    """Whether the words can mean what the code says: a common concept, or a common class of drugs."""
    if named & coded:
        return True
    products = terminology().drugs.products

    def family(concepts: frozenset[str]) -> set[str]:
        classes = {name for concept in concepts if concept in products for name in products[concept].classes}
        return set(concepts) | classes

    return bool(family(named) & family(coded))
