"""Several instructions of one dosage: side by side, or one after the other, as doses over the days of the course.

Which of the two holds follows from their times: from the calendar (boundsPeriod), from their sequence numbers, or from
their lengths. Where that leaves both readings open the dose is not known, and lies between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction

from msgspec import Struct

from app.chart import DateRange, DoseUnknown
from app.dates import add_days
from app.fhir.medications.extent import ANYTHING, NOTHING, Extent
from app.fhir.medications.instruction import Instruction

TAPERING = DoseUnknown.TAPERING
TOO_MANY = DoseUnknown.TOO_MANY_INSTRUCTIONS
MAX_INSTRUCTIONS = 100
"""Instructions of one dosage that are read; a taper by the day over three months has fewer."""


class Stretch(Struct, frozen=True, gc=False):
    """A dose that holds from day `first` of the course (0 is its start) for `days` days; None: until it ends."""

    first: Fraction
    days: Fraction | None
    daily: Extent
    problem: DoseUnknown | None = None


class Dated(Struct, frozen=True, gc=False):
    """A dose that holds from one day to another, both included; None: open."""

    first: date | None
    last: date | None
    daily: Extent
    problem: DoseUnknown | None = None


class Schedule(Struct, frozen=True, gc=False):
    """The doses over time: by the calendar, or counted from the start of the course. `days`: its whole length."""

    stretches: tuple[Stretch, ...] = ()
    dated: tuple[Dated, ...] = ()
    days: Extent | None = None


def schedule_of(instructions: Sequence[Instruction]) -> Schedule:
    """The doses over time that the instructions make together."""
    if len(instructions) > MAX_INSTRUCTIONS:
        return Schedule((Stretch(Fraction(0), None, ANYTHING, TOO_MANY),))
    if len(instructions) == 1 and instructions[0].starts is None and instructions[0].ends is None:
        only = instructions[0]
        length = only.days.high if only.days is not None and only.days.exact else None
        return Schedule((Stretch(Fraction(0), length, only.daily, only.problem),), days=only.days)
    if any(one.starts is not None or one.ends is not None for one in instructions):
        return Schedule(dated=tuple(_by_calendar(instructions)))
    groups = _groups(instructions)
    if groups is None:
        return _unclear(instructions)
    return _in_turn(groups)


def _groups(instructions: Sequence[Instruction]) -> list[list[Instruction]] | None:
    """The instructions that follow each other, those that hold at the same time together; None where that is open."""
    numbers = {one.sequence for one in instructions if one.sequence is not None}
    timed = [one.days is not None for one in instructions]
    apart = _at_different_times(instructions)
    if len(numbers) > 1:
        if not any(timed) or (apart and len({one.days for one in instructions}) == 1):
            return None  # numbered as a list, or one after the other?
        order = sorted(numbers)
        return [[one for one in instructions if (one.sequence or order[0]) == number] for number in order]
    if not any(timed) or apart:
        return [list(instructions)]
    if len({one.days for one in instructions}) == 1 and len({one.daily for one in instructions}) == 1:
        return None  # the same dose for the same time: twice a day, or twice as long?
    return [[one] for one in instructions] if all(timed[:-1]) else None


def _at_different_times(instructions: Sequence[Instruction]) -> bool:
    """Whether each instruction names moments of its own: morning and evening, Monday and Thursday."""
    seen: set[str] = set()
    for one in instructions:
        if not one.moments or seen & one.moments:
            return False
        seen |= one.moments
    return True


def _together(instructions: Iterable[Instruction]) -> tuple[Extent, DoseUnknown | None]:
    total, problem = NOTHING, None
    for one in instructions:
        total += one.daily
        problem = problem or one.problem
    return total, problem


def _in_turn(groups: list[list[Instruction]]) -> Schedule:
    """Each group after the one before; a length that is not known is only allowed for the last."""
    first, stretches = Fraction(0), []
    total: Extent | None = NOTHING
    for index, group in enumerate(groups):
        known = [one.days for one in group if one.days is not None]
        length = max(known, key=lambda days: days.high or 0) if len(known) == len(group) else None
        last = index == len(groups) - 1
        if not last and (length is None or not length.exact):
            return _unclear([one for some in groups for one in some])
        daily, problem = _together(group)
        exact = length.low if length is not None and length.exact else None
        stretches.append(Stretch(first, exact, daily, problem))
        total = None if total is None or length is None else total + length
        first += exact or 0
    return Schedule(tuple(stretches), days=total)


def _unclear(instructions: Sequence[Instruction]) -> Schedule:
    """Side by side or in turn: at least the lowest dose, at most their sum."""
    total, _ = _together(instructions)
    least = min(one.daily.low for one in instructions)
    problem = next((one.problem for one in instructions if one.problem), TAPERING)
    return Schedule((Stretch(Fraction(0), None, Extent(least, total.high), problem),))


def _by_calendar(instructions: Sequence[Instruction]) -> list[Dated]:
    """The doses between the days on which one begins or ends."""
    spans = [(*_span(one, instructions), one) for one in instructions]
    cuts = sorted({day for first, last, _ in spans for day in (first, _after(last)) if day is not None})
    edges: list[date | None] = [None, *cuts]
    found: list[Dated] = []
    for index, begin in enumerate(edges):
        following = edges[index + 1] if index + 1 < len(edges) else None
        last = None if following is None else following - timedelta(days=1)
        holding = [one for first, end, one in spans if _holds(first, end, begin, last)]
        if not holding and (begin is None or last is None):
            continue  # before the first, and after the last
        daily, problem = _together(holding)
        found.append(Dated(begin, last, daily, problem))
    return found


def _span(one: Instruction, every: Sequence[Instruction]) -> tuple[date | None, date | None]:
    """First and last day of an instruction; one without dates that has a number follows the one before it."""
    first = one.starts.earliest if one.starts is not None else None
    last = one.ends.latest if one.ends is not None else None
    if first is not None and last is None and one.days is not None and one.days.exact:
        last = add_days(first, int(one.days.low) - 1)
    if first is None and last is None and one.sequence is not None:
        before = [
            other.ends.latest
            for other in every
            if other.ends is not None and other.sequence is not None and other.sequence < one.sequence
        ]
        if before:
            first = _after(max(before))
    return first, last


def _after(day: date | None) -> date | None:
    return None if day is None or day == date.max else day + timedelta(days=1)


def _holds(first: date | None, end: date | None, begin: date | None, last: date | None) -> bool:
    """Whether an instruction holds in a stretch that no beginning or end divides."""
    if first is not None and (begin is None or begin < first):
        return False
    return end is None or (last is not None and last <= end)


def placed(schedule: Schedule, start: DateRange | None) -> tuple[Dated, ...]:
    """The doses by the calendar, where the start of the course is known to the day."""
    if schedule.dated:
        return schedule.dated
    if start is None or not start.exact:
        return ()
    found = []
    for stretch in schedule.stretches:
        first = add_days(start.latest, int(stretch.first))
        last = None if stretch.days is None else add_days(start.latest, int(stretch.first + stretch.days) - 1)
        if last is None or last >= first:
            found.append(Dated(first, last, stretch.daily, stretch.problem))
    return tuple(found)


def over_all(schedule: Schedule) -> tuple[Extent, DoseUnknown | None]:
    """The dose a day of the whole schedule: the average where each length is known, else between lowest and highest."""
    parts = [(part.daily, part.problem) for part in schedule.stretches]
    parts += [(part.daily, part.problem) for part in schedule.dated]
    if len(parts) == 1:
        return parts[0]
    lengths = [part.days for part in schedule.stretches] or [_length(part) for part in schedule.dated]
    total = sum((length for length in lengths if length is not None), Fraction(0))
    if None in lengths or not total:
        low, high = min(daily.low for daily, _ in parts), [daily.high for daily, _ in parts]
        most = None if None in high else max(number for number in high if number is not None)
        return Extent(low, most), next((problem for _, problem in parts if problem), TAPERING)
    weighted = NOTHING
    for (daily, _), length in zip(parts, lengths, strict=True):
        share = (length or Fraction(0)) / total
        weighted += daily * Extent(share, share)
    return weighted, next((problem for _, problem in parts if problem), None)


def _length(part: Dated) -> Fraction | None:
    return None if part.first is None or part.last is None else Fraction((part.last - part.first).days + 1)
