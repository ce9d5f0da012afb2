"""Which of many courses a record can belong to: found by route and dose, not by looking at each.

Two records can be of one course where route, single dose and daily dose are the same or not known in one of them. A
course is therefore filed under each part of what it knows; a look-up takes the same few steps however many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from msgspec import Struct

from app.chart import CourseFact, CourseStatus

_PARTS = 3
_SUBSETS: dict[int, tuple[int, ...]] = {
    mask: tuple(sum(1 << bit for bit in chosen) for size in range(_PARTS + 1) for chosen in combinations(bits, size))
    for mask in range(1 << _PARTS)
    for bits in [[bit for bit in range(_PARTS) if mask >> bit & 1]]
}


class Key(Struct, frozen=True, gc=False):
    """What two records of one course agree about. `fixed` always; `parts` where both know them."""

    fixed: tuple[object, ...]
    parts: tuple[object | None, ...]

    @property
    def known(self) -> int:
        """The parts that are known, as bits."""
        return sum(1 << bit for bit, part in enumerate(self.parts) if part is not None)


def key_of(course: CourseFact, ingredients: frozenset[str]) -> Key:
    """Drug and standing of a course, and its route and dose as far as they are known."""
    dose = course.dose
    daily = None if dose.daily_mg is None else (dose.daily_mg, dose.elemental)
    planned = course.status is CourseStatus.PLANNED
    return Key((ingredients, planned, course.code_text_conflict), (course.route, dose.single_mg, daily))


class CourseIndex:
    """Courses by number, filed by what they know of route and dose; the one that was filed last is found first."""

    def __init__(self) -> None:
        self._filed: dict[tuple[object, ...], list[int]] = {}
        self._keys: dict[int, Key] = {}
        # Most drugs are on record once: a course is filed under its parts when a second record of its drug comes.
        self._unfiled: dict[tuple[object, ...], list[int]] = {}

    def file(self, number: int, key: Key) -> None:
        """File a course, or file it anew after its route or dose has become known."""
        if self._keys.get(number) == key:
            return
        self._keys[number] = key
        self._unfiled.setdefault(key.fixed, []).append(number)

    def _file_all(self, fixed: tuple[object, ...]) -> None:
        """File the courses of a drug under their parts, in the order in which they came."""
        for number in self._unfiled[fixed]:
            self._file_under_parts(number, self._keys[number])
        self._unfiled[fixed].clear()

    def _file_under_parts(self, number: int, key: Key) -> None:
        for subset in _SUBSETS[key.known]:
            self._filed.setdefault(_place(key, key.known, subset), []).append(number)

    def latest(self, key: Key, fits: Callable[[int], bool]) -> int | None:
        """The course filed last that can be the record's; one that does not fit is not offered again.

        `fits`: whether the course may still take a record; once it is false, it stays false for later records.
        """
        if key.fixed not in self._unfiled:
            return None
        self._file_all(key.fixed)
        found = -1
        for mask in range(1 << _PARTS):
            place = _place(key, mask, mask & key.known)
            stack = self._filed.get(place)
            while stack:
                number = stack[-1]
                now = self._keys[number]
                if now.known == mask and _place(now, mask, mask & key.known) == place and fits(number):
                    found = max(found, number)
                    break
                stack.pop()
        return None if found < 0 else found


def _place(key: Key, mask: int, subset: int) -> tuple[object, ...]:
    parts = tuple(part if subset >> bit & 1 else None for bit, part in enumerate(key.parts))
    return (*key.fixed, mask, subset, *parts)
