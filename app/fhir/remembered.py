"""The memo of a reading: what it has already worked out about a CodeableConcept.

Charts repeat themselves: two thousand results carry two dozen codes. What a code and its words mean is worked out when
they first appear and looked up after that. The memo is part of one reading and goes with it: words of a chart can be
about a person and are not kept between calls. Only a code with nothing beside it but its own display is vocabulary and
nobody's data: its meaning is cached by the process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, Generic, TypeVar

from app.terminology.names import LONGEST_CACHED
from app.wire.elements import CodeableConcept

T = TypeVar("T")

_CACHED_TERMS = 16384


class Remembered(Generic[T]):
    """A function of a CodeableConcept, worked out once for each."""

    __slots__ = ("_known", "_work")

    def __init__(self, work: Callable[[CodeableConcept | None], T]) -> None:
        self._work = work
        self._known: dict[CodeableConcept | None, T] = {}

    def concepts(self) -> Collection[CodeableConcept | None]:
        """The concepts that it was asked about."""
        return self._known.keys()

    def __call__(self, concept: CodeableConcept | None) -> T:
        """The result of the function for this concept."""
        known = self._known
        if concept not in known:
            known[concept] = (
                _of_term(self._work, concept) if concept is not None and is_term(concept) else self._work(concept)
            )
        return known[concept]


def is_term(concept: CodeableConcept) -> bool:
    """Whether a concept is one code of one system with no words but its display, all of them short."""
    if type(concept) is not CodeableConcept or len(concept.coding) != 1:
        return False
    coding = concept.coding[0]
    if coding.system is None or coding.code is None or concept.text not in (None, coding.display):
        return False
    return max(len(coding.system), len(coding.code), len(coding.display or "")) <= LONGEST_CACHED


@lru_cache(maxsize=_CACHED_TERMS)
def _of_term(work: Callable[[CodeableConcept], Any], concept: CodeableConcept) -> Any:
    return work(concept)
