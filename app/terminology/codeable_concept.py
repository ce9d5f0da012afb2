"""The words by which a person names a CodeableConcept."""

from __future__ import annotations

from app.wire.elements import CodeableConcept

SEPARATOR = " | "
"""Between the texts that `words` joins."""


def words(concept: CodeableConcept | None) -> str:
    """The text and the displays of a CodeableConcept, each once, joined; "" where there are none."""
    if concept is None:
        return ""
    found = [concept.text, *(coding.display for coding in concept.coding)]
    return SEPARATOR.join(dict.fromkeys(text.strip() for text in found if text and text.strip()))


def name_of(concept: CodeableConcept | None) -> str:
    """The words by which a person names it: text, else the first display, else the first code."""
    if concept is None:
        return ""
    found = [concept.text, *(coding.display for coding in concept.coding), *(coding.code for coding in concept.coding)]
    return next((text.strip() for text in found if text and text.strip()), "")
