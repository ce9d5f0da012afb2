"""The features of one patient: computed when asked for, once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import import_module
from typing import TypeVar

from app.features.dates import newest_first
from app.features.model import Feature, FeatureSettings
from app.features.registry import Catalogue, registered
from app.fhir.chart import Chart, ConditionFact, CourseFact, ObservationFact, ProcedureFact

DOMAINS = (
    "anthropometry",
    "back_pain",
    "bone_markers",
    "calcium",
    "density",
    "diagnoses",
    "drug_history",
    "drugs",
    "dxa_history",
    "exposure",
    "family",
    "findings",
    "fractures",
    "frax",
    "glucocorticoids",
    "laboratory",
    "lifestyle",
    "orders",
    "patient",
    "renal",
    "supplements",
)
"""The modules that define features; importing one registers its features."""

T = TypeVar("T")

Order = tuple[tuple[int, int, int], int, str]
"""Date, position in the day, reference: the reference decides where nothing else does, never the order of delivery."""


class FeatureCycle(RuntimeError):
    """Two features ask for each other: a fault in the feature functions, never of the data."""


@cache
def catalogue() -> Catalogue:
    """The catalogue of all features, built at the first call."""
    for domain in DOMAINS:
        import_module(f"app.features.{domain}")
    return registered()


class Features:
    """The features of one chart; implements `FeatureContext` and the look-ups of `Context`."""

    def __init__(self, chart: Chart, settings: FeatureSettings | None = None) -> None:
        self._chart = chart
        self._settings = settings or FeatureSettings()
        self._catalogue = catalogue()
        self._done: dict[str, Feature] = {}
        self._running: list[str] = []
        self._observations = _by_concept(chart.observations, lambda fact: fact.concepts, _observation_order)
        self._conditions = _by_concept(chart.conditions, lambda fact: fact.concepts, _condition_order)
        self._procedures = _by_concept(chart.procedures, lambda fact: fact.concepts, _procedure_order)
        self._courses = _by_concept(chart.courses, lambda fact: fact.drugs, _course_order)

    @property
    def chart(self) -> Chart:
        """The facts."""
        return self._chart

    @property
    def settings(self) -> FeatureSettings:
        """The readings that a hospital can change."""
        return self._settings

    @property
    def today(self) -> date:
        """The day of the request in the service's time zone."""
        return self._chart.today

    def feature(self, name: str) -> Feature:
        """The feature of that name (UnknownFeature, FeatureCycle)."""
        done = self._done.get(name)
        if done is not None:
            return done
        _, compute = self._catalogue.definition(name)
        if name in self._running:
            raise FeatureCycle(" -> ".join([*self._running, name]))
        self._running.append(name)
        try:
            result = replace(compute(self), name=name)
        finally:
            self._running.pop()
        self._done[name] = result
        return result

    def observations(self, *concepts: str) -> tuple[ObservationFact, ...]:
        """The observations with any of the concepts, newest first, undated last."""
        return _gather(self._observations, concepts, _observation_order)

    def conditions(self, *concepts: str) -> tuple[ConditionFact, ...]:
        """The conditions with any of the concepts, newest onset first, undated last."""
        return _gather(self._conditions, concepts, _condition_order)

    def procedures(self, *concepts: str) -> tuple[ProcedureFact, ...]:
        """The procedures with any of the concepts, newest first, undated last."""
        return _gather(self._procedures, concepts, _procedure_order)

    def courses(self, drug: str) -> tuple[CourseFact, ...]:
        """The courses of a drug or class, newest start first, without start last."""
        return self._courses.get(drug, ())


def _by_concept(
    facts: Iterable[T], concepts: Callable[[T], Iterable[str]], order: Callable[[T], Order]
) -> dict[str, tuple[T, ...]]:
    groups: dict[str, list[T]] = {}
    for fact in facts:
        # Finding codes are kebab-case in FHIR and snake_case in guidelines: both find the same facts.
        for concept in {name.replace("-", "_") for name in concepts(fact)}:
            groups.setdefault(concept, []).append(fact)
    return {concept: tuple(sorted(group, key=order)) for concept, group in groups.items()}


def _gather(index: dict[str, tuple[T, ...]], concepts: tuple[str, ...], order: Callable[[T], Order]) -> tuple[T, ...]:
    groups = [index[concept] for concept in concepts if concept in index]
    if len(groups) <= 1:
        return groups[0] if groups else ()
    merged = dict.fromkeys(fact for group in groups for fact in group)
    return tuple(sorted(merged, key=order))


def _observation_order(fact: ObservationFact) -> Order:
    return (newest_first(fact.effective), -fact.order, fact.ref)


def _condition_order(fact: ConditionFact) -> Order:
    return (newest_first(fact.onset or fact.recorded), 0, fact.ref)


def _procedure_order(fact: ProcedureFact) -> Order:
    return (newest_first(fact.when), 0, fact.ref)


def _course_order(fact: CourseFact) -> Order:
    return (newest_first(fact.started), 0, "|".join(fact.refs))
