"""CodeableConcepts as JSON: their codings, and the words by which a person names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SEPARATOR = " | "
"""Between the texts that `words` joins."""


def objects(value: object) -> Sequence[dict[str, Any]]:
    """The objects of a list, or the one object that stands where a list belongs."""
    if isinstance(value, list):
        if len(value) == 1 and isinstance(value[0], dict):  # by far the most frequent
            return value
        return [item for item in value if isinstance(item, dict)]
    return (value,) if isinstance(value, dict) else ()


def codings(concept: object) -> list[dict[str, Any]]:
    """The codings of a CodeableConcept, whatever else is wrong with it."""
    if not isinstance(concept, dict):
        return []
    listed = concept.get("coding")
    if isinstance(listed, dict):  # a single Coding where a list belongs
        return [listed]
    if not isinstance(listed, list):
        return []
    if len(listed) == 1 and isinstance(listed[0], dict):  # by far the most frequent
        return listed
    return [coding for coding in listed if isinstance(coding, dict)]


def words(concept: object) -> str:
    """The texts and displays of a CodeableConcept, joined; "" where there are none."""
    return joined_words(concept, codings(concept)) if isinstance(concept, dict) else ""


def joined_words(concept: dict[str, Any], listed: list[dict[str, Any]]) -> str:
    """The text and the displays of these codings, each once."""
    found = [concept.get("text"), *(coding.get("display") for coding in listed)]
    seen = dict.fromkeys(text.strip() for text in found if isinstance(text, str) and text.strip())
    return SEPARATOR.join(seen)


def name_of(concept: object) -> str:
    """The words by which a person names it: text, else the first display, else the first code."""
    if not isinstance(concept, dict):
        return ""
    found = [concept.get("text")]
    found += [coding.get(key) for key in ("display", "code") for coding in codings(concept)]
    return next((text.strip() for text in found if isinstance(text, str) and text.strip()), "")
