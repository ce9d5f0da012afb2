"""The facts of a chart by concept, in the order in which features look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from app.features.dates import newest_first
from app.fhir.chart import ConditionFact, CourseFact, ObservationFact, ProcedureFact

T = TypeVar("T")

Order = tuple[tuple[int, int, int], int, str]
"""Date, position in the day, reference: the reference decides where nothing else does, never the order of delivery."""


class FactIndex(Generic[T]):
    """Facts by concept, put in order when they are first asked for: most never are."""

    def __init__(self, facts: Iterable[tuple[frozenset[str], T]], order: Callable[[T], Order]) -> None:
        self._order = order
        self._ordered: dict[tuple[str, ...], tuple[T, ...]] = {}
        self._groups: dict[str, list[T]] = {}
        groups = self._groups
        for concepts, fact in facts:
            for concept in concepts:
                # Finding codes are kebab-case in FHIR and snake_case in guidelines: both find the same facts.
                name = concept.replace("-", "_") if "-" in concept else concept
                group = groups.get(name)
                if group is None:
                    groups[name] = [fact]
                elif group[-1] is not fact:
                    group.append(fact)

    def having(self, concepts: tuple[str, ...]) -> tuple[T, ...]:
        """The facts with any of the concepts, each once, in order."""
        found = self._ordered.get(concepts)
        if found is None:
            found = self._ordered[concepts] = self._gather(concepts)
        return found

    def _gather(self, concepts: tuple[str, ...]) -> tuple[T, ...]:
        if self._groups.keys().isdisjoint(concepts):
            return ()
        groups = [self._groups[concept] for concept in concepts if concept in self._groups]
        if len(groups) <= 1:
            return tuple(sorted(groups[0], key=self._order)) if groups else ()
        merged = {id(fact): fact for group in groups for fact in group}  # by identity: comparing facts is dear
        return tuple(sorted(merged.values(), key=self._order))


def observation_order(fact: ObservationFact) -> Order:
    """Newest first, then the later of the day."""
    return (newest_first(fact.effective), -fact.order, fact.ref)


def condition_order(fact: ConditionFact) -> Order:
    """Newest onset first."""
    return (newest_first(fact.onset or fact.recorded), 0, fact.ref)


def procedure_order(fact: ProcedureFact) -> Order:
    """Newest first."""
    return (newest_first(fact.when), 0, fact.ref)


def course_order(fact: CourseFact) -> Order:
    """Newest start first."""
    return (newest_first(fact.started), 0, "|".join(fact.refs))
