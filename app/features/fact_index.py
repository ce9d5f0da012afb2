"""The facts of a chart by concept, in the order in which features look at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from math import inf
from operator import attrgetter, eq
from typing import Generic, TypeVar, overload

from typing_extensions import override

from app.chart import (
    ConditionFact,
    CourseFact,
    ObservationFact,
    ProcedureFact,
    Recorded,
    UnreadObservation,
    fact_of,
)
from app.dates import newest_first
from app.terminology.units import HAIR

T = TypeVar("T")
F = TypeVar("F")

Order = tuple[tuple[int, int, int], int, str]
"""Date, position in the day, reference: the reference decides where nothing else does, never the order of delivery."""


class FactIndex(Generic[T, F]):
    """Records by concept, sorted on first use: most are never used.

    `concepts_of`: of one record. `arrange`: the facts of some records, in order.
    """

    def __init__(
        self,
        facts: Iterable[T],
        concepts_of: Callable[[T], frozenset[str]],
        arrange: Callable[[Collection[T]], Sequence[F]],
    ) -> None:
        self._arrange = arrange
        self._ordered: dict[tuple[str, ...], Sequence[F]] = {}
        self._groups: dict[str, list[T]] = {}
        kinds: defaultdict[frozenset[str], list[T]] = defaultdict(list)  # charts hold many facts of few kinds
        for fact in facts:
            kinds[concepts_of(fact)].append(fact)
        for concepts, found in kinds.items():
            # Finding codes are kebab-case in FHIR and snake_case in guidelines: both find the same facts.
            for name in {concept.replace("-", "_") for concept in concepts}:
                self._groups.setdefault(name, []).extend(found)

    @property
    def concepts(self) -> Iterable[str]:
        """The concepts of which there are facts."""
        return self._groups

    def having(self, concepts: tuple[str, ...]) -> Sequence[F]:
        """The facts with any of the concepts, each once, in order."""
        found = self._ordered.get(concepts)
        if found is None:
            found = self._ordered[concepts] = self._gather(concepts)
        return found

    def _gather(self, concepts: tuple[str, ...]) -> Sequence[F]:
        if self._groups.keys().isdisjoint(concepts):
            return ()
        groups = [self._groups[concept] for concept in concepts if concept in self._groups]
        if len(groups) == 1:
            return self._arrange(groups[0])
        merged = {id(fact): fact for group in groups for fact in group}  # by identity: comparing facts is dear
        return self._arrange(merged.values())


class Observations(Sequence[ObservationFact]):
    """Observations in order, each read when it is looked at."""

    __slots__ = ("records",)

    def __init__(self, records: Sequence[Recorded]) -> None:
        self.records = records

    @override
    def __len__(self) -> int:
        return len(self.records)

    @override
    def __iter__(self) -> Iterator[ObservationFact]:
        return map(fact_of, self.records)

    @overload
    def __getitem__(self, index: int) -> ObservationFact: ...

    @overload
    def __getitem__(self, index: slice) -> Observations: ...

    @override
    def __getitem__(self, index: int | slice) -> ObservationFact | Observations:
        if isinstance(index, slice):
            return Observations(self.records[index])
        return fact_of(self.records[index])


def largest(
    observations: Sequence[ObservationFact], counts: Callable[[ObservationFact], bool]
) -> ObservationFact | None:
    """Of the observations that count, the one with the largest number; of equals, the last by reference.

    `counts` holds of nothing without a number. Only what can be the largest is read.
    """
    records = observations.records if isinstance(observations, Observations) else observations
    found: list[ObservationFact] = []
    least = -inf
    for record in sorted(records, key=_about, reverse=True):
        about = _about(record)
        if about < least:
            break
        fact = fact_of(record)
        if counts(fact):
            found.append(fact)
            least = max(least, about - abs(about) * HAIR)  # as floats, equal numbers can differ by a hair
    return max(found, key=_value_and_ref, default=None)


def _about(record: Recorded) -> float:
    """The number of a record as a float."""
    if isinstance(record, UnreadObservation):
        return record.about
    return -inf if record.value is None else float(record.value)


def _value_and_ref(fact: ObservationFact) -> tuple[Decimal, str]:
    return fact.value or Decimal(0), fact.ref


def newest_observations(records: Collection[Recorded]) -> Observations:
    """Observations, the newest first, then the later of the day; undated last.

    Those that are not read yet are ordered by their dates. Where these do not decide, all of them are read.
    """
    unread = [record for record in records if isinstance(record, UnreadObservation)]
    if len(unread) == len(records):
        newest = _by_moment(unread)
        if newest is not None:
            return Observations(newest)
    facts: list[ObservationFact] = sorted(map(fact_of, records), key=_observation_order)
    return Observations(facts)


def _by_moment(records: list[UnreadObservation]) -> list[UnreadObservation] | None:
    """The newest first; None where two have one moment, or only one of two has a time zone."""
    try:
        newest = sorted(records, key=_moment, reverse=True)
    except TypeError:  # each two neighbours were compared
        return None
    moments = list(map(_moment, newest))
    return None if any(map(eq, moments, moments[1:])) else newest


_moment = attrgetter("moment")


def _observation_order(fact: ObservationFact) -> Order:
    return (newest_first(fact.effective), -fact.order, fact.ref)


def ordered_conditions(facts: Collection[ConditionFact]) -> tuple[ConditionFact, ...]:
    """Conditions, the newest onset first, undated last."""
    return tuple(sorted(facts, key=lambda fact: (newest_first(fact.onset or fact.recorded), fact.ref)))


def ordered_procedures(facts: Collection[ProcedureFact]) -> tuple[ProcedureFact, ...]:
    """Procedures, the newest first, undated last."""
    return tuple(sorted(facts, key=lambda fact: (newest_first(fact.when), fact.ref)))


def ordered_courses(facts: Collection[CourseFact]) -> tuple[CourseFact, ...]:
    """Courses, the newest start first, without start last."""
    return tuple(sorted(facts, key=lambda fact: (newest_first(fact.started), "|".join(fact.refs))))
