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

T = TypeVar("T")

_Key = tuple[object, ...]
_CACHED_TERMS = 16384


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
            found: T = _of_term(self._work, *key) if _is_term(key) else self._work(concept)
            self._known[key] = found
            return found
        except TypeError:  # a list or object where a text belongs: not worth remembering
            return self._work(concept)


def _is_term(key: _Key) -> bool:
    """Whether a concept is one code of one system with no words but its display."""
    if len(key) != 4:
        return False
    text, system, code, display = key
    if not isinstance(system, str) or not isinstance(code, str):
        return False
    return text is None if display is None else isinstance(display, str) and (text is None or text == display)


@lru_cache(maxsize=_CACHED_TERMS)
def _of_term(work: Callable[[object], Any], text: str | None, system: str, code: str, display: str | None) -> Any:
    coding = {"system": system, "code": code, "display": display}
    return work({"text": text, "coding": [coding]})


def _key(concept: object) -> _Key:
    """Everything of a CodeableConcept that decides what it means, in the form in which it came.

    Numbers and booleans that are equal to each other (1, true) are no texts, and mean the same here: nothing.
    """
    if not isinstance(concept, dict):
        return ()
    listed = concept.get("coding")
    if isinstance(listed, list) and len(listed) == 1:  # by far the most frequent
        listed = listed[0]
    text = concept.get("text")
    if isinstance(listed, dict):
        return (text, listed.get("system"), listed.get("code"), listed.get("display"))
    key = [text]
    for coding in listed if isinstance(listed, list) else ():
        if isinstance(coding, dict):
            key += (coding.get("system"), coding.get("code"), coding.get("display"))
    return tuple(key)
