"""What one reading has already worked out about a CodeableConcept.

Charts repeat themselves: two thousand results carry two dozen codes. What a code and its words mean is worked out at
their first appearance and looked up at the others. The memory is part of one reading and goes with it: words of a
chart can be about a person and are not kept between calls. Only a code with nothing beside it but its own display is
vocabulary and nobody's data: that is remembered by the process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar

import orjson

T = TypeVar("T")

_Term = tuple[str | None, str, str, str | None]
_CACHED_TERMS = 16384


class Remembered(Generic[T]):
    """A function of a CodeableConcept, worked out once for each as it is written."""

    __slots__ = ("_known", "_work")

    def __init__(self, work: Callable[[object], T]) -> None:
        self._work = work
        self._known: dict[bytes, T] = {}

    def __call__(self, concept: object) -> T:
        """What the function says of this concept, a value out of JSON."""
        return self.of_json(orjson.dumps(concept))  # cheaper than to look at its members

    def of_json(self, written: bytes) -> T:
        """What the function says of the concept that stands in a JSON text."""
        if written not in self._known:
            concept = orjson.loads(written)
            term = _term(concept)
            self._known[written] = self._work(concept) if term is None else _of_term(self._work, *term)
        return self._known[written]


def _term(concept: object) -> _Term | None:
    """Text, system, code and display of a concept that is one code of one system with no words but its display."""
    if not isinstance(concept, dict):
        return None
    text, listed = concept.get("text"), concept.get("coding")
    coding = listed[0] if isinstance(listed, list) and len(listed) == 1 else listed
    if not isinstance(coding, dict):
        return None
    system, code, display = coding.get("system"), coding.get("code"), coding.get("display")
    if not isinstance(system, str) or not isinstance(code, str):
        return None
    if display is None:
        return None if text is not None else (None, system, code, None)
    return (text, system, code, display) if isinstance(display, str) and text in (None, display) else None


@lru_cache(maxsize=_CACHED_TERMS)
def _of_term(work: Callable[[object], Any], text: str | None, system: str, code: str, display: str | None) -> Any:
    coding = {"system": system, "code": code, "display": display}
    return work({"text": text, "coding": [coding]})
