"""The features of one patient: computed when asked for, once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date
from functools import cache
from importlib import import_module
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from app.features.dates import newest_first
from app.features.model import Evidence, Feature, FeatureSettings
from app.features.readings import OUT_OF_DATE
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
        # For whoever derives from features: they live as long.
        self.memo: dict[str, Any] = {}
        self.truths: dict[str, bool | None] = {}
        self._running: list[str] = []
        self._observations = _Index(((fact.concepts, fact) for fact in chart.observations), _observation_order)
        self._conditions = _Index(((fact.concepts, fact) for fact in chart.conditions), _condition_order)
        self._procedures = _Index(((fact.concepts, fact) for fact in chart.procedures), _procedure_order)
        self._courses = _Index(((fact.drugs, fact) for fact in chart.courses), _course_order)

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
            result = _named(compute(self), name)
        finally:
            self._running.pop()
        self._done[name] = result
        return result

    def shown_for(self, missing: Collection[str]) -> tuple[Evidence, ...]:
        """What is on record of data that are missing: values too old, and an eGFR where a clearance is asked for.

        An older value is shown with its date and asked for again (decisions 9 and 23).
        """
        wanted = frozenset(missing)
        asked = [f for f in self._done.values() if f.value is None and f.evidence and not wanted.isdisjoint(f.missing)]
        return tuple(
            dict.fromkeys(e for f in asked for e in f.evidence if e.note in OUT_OF_DATE or e.feature == "egfr")
        )

    def observations(self, *concepts: str) -> tuple[ObservationFact, ...]:
        """The observations with any of the concepts, newest first, undated last."""
        return self._observations.having(concepts)

    def conditions(self, *concepts: str) -> tuple[ConditionFact, ...]:
        """The conditions with any of the concepts, newest onset first, undated last."""
        return self._conditions.having(concepts)

    def procedures(self, *concepts: str) -> tuple[ProcedureFact, ...]:
        """The procedures with any of the concepts, newest first, undated last."""
        return self._procedures.having(concepts)

    def courses(self, drug: str) -> tuple[CourseFact, ...]:
        """The courses of a drug or class, newest start first, without start last."""
        return self._courses.having((drug,))


def _named(found: Feature, name: str) -> Feature:
    """The feature under its name."""
    return found if found.name == name else replace(found, name=name)


class _Index(Generic[T]):
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


def _observation_order(fact: ObservationFact) -> Order:
    return (newest_first(fact.effective), -fact.order, fact.ref)


def _condition_order(fact: ConditionFact) -> Order:
    return (newest_first(fact.onset or fact.recorded), 0, fact.ref)


def _procedure_order(fact: ProcedureFact) -> Order:
    return (newest_first(fact.when), 0, fact.ref)


def _course_order(fact: CourseFact) -> Order:
    return (newest_first(fact.started), 0, "|".join(fact.refs))
