"""What one reading has already worked out about a CodeableConcept.

Charts repeat themselves: two thousand results carry two dozen codes. What a code and its words mean is worked out at
their first appearance and looked up at the others. The memory is part of one reading and goes with it: words of a
chart can be about a person and are never kept between calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_Key = tuple[object, ...]


class Remembered(Generic[T]):
    """A function of a CodeableConcept's text and codings (system, code, display), worked out once for each of them."""

    __slots__ = ("_known", "_work")

    def __init__(self, work: Callable[[object], T]) -> None:
        self._work = work
        self._known: dict[_Key, T] = {}

    def __call__(self, concept: object) -> T:
        """What the function says of this concept."""
        key = _key(concept)
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = self._work(concept)
            return found
        except TypeError:  # a list or object where a text belongs: not worth remembering
            return self._work(concept)


def _key(concept: object) -> _Key:
    """Everything of a CodeableConcept that decides what it means, in the form in which it came.

    Numbers and booleans that are equal to each other (1, true) are no texts, and mean the same here: nothing.
    """
    if not isinstance(concept, dict):
        return ()
    listed = concept.get("coding")
    if isinstance(listed, dict):
        listed = [listed]
    elif not isinstance(listed, list):
        return (concept.get("text"),)
    if len(listed) == 1 and isinstance(listed[0], dict):  # by far the most frequent
        coding = listed[0]
        return (concept.get("text"), coding.get("system"), coding.get("code"), coding.get("display"))
    key = [concept.get("text")]
    for coding in listed:
        if isinstance(coding, dict):
            key += (coding.get("system"), coding.get("code"), coding.get("display"))
    return tuple(key)
