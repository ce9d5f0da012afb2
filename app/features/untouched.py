"""Untouched answers: what a feature or a criterion says of a patient without any record of what it looks at.

Most questions find nothing on record in most charts. Their answer is worked out once, on an empty chart with the same
lists received on the same day, together with everything that was looked at on the way. The answer stands for every
chart that holds nothing of that.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct

from app.chart import (
    Chart,
    ConditionFact,
    CourseFact,
    ObservationFact,
    Patient,
    ProcedureFact,
    UnusableValue,
)
from app.features.model import Feature, FeatureCycle, Features, FeatureSettings, Memo

K = TypeVar("K")
T = TypeVar("T")
Compute = Callable[[Features, str], Feature]

_SAME_FOR_ALL: Final = frozenset({"availability", "by_category", "categories", "observed", "provided", "today"})
"""Members of a chart that are equal for all patients who share a set of untouched answers."""
_MEMBERS: Final = tuple(name for name in Chart.__struct_fields__ if name not in _SAME_FOR_ALL)
_PATIENT: Final = "@patient"
_KEPT_SETS: Final = 64


class Untouched(Struct, Generic[T], frozen=True):
    """An answer on an empty chart, and the concepts and members of the chart that it rests on."""

    answer: T
    looked_at: frozenset[str]


def present_in(chart: Chart) -> set[str]:
    """The members of a chart that hold something, as `looked_at` names them: "@" and the name."""
    return {f"@{name}" for name in _MEMBERS if getattr(chart, name)}  # the patient is never false


class _Watched:
    """A chart that notes which of its members are looked at."""

    def __init__(self, chart: Chart, looked_at: set[str]) -> None:
        self._chart, self._looked_at = chart, looked_at

    def __getattr__(self, name: str) -> Any:
        if name not in _SAME_FOR_ALL:
            self._looked_at.add(f"@{name}")
        return getattr(self._chart, name)


class _EmptyChartFeatures:
    """The features of an empty chart; notes everything that is looked at. Implements `Features`."""

    def __init__(self, chart: Chart, settings: FeatureSettings, compute: Compute) -> None:
        self.looked_at: set[str] = set()
        self.chart: Any = _Watched(chart, self.looked_at)
        self.settings, self.today = settings, chart.today
        self.memos: dict[Memo[Any, Any], dict[Any, Any]] = {}
        self._compute = compute
        self._done: dict[str, Feature | None] = {}  # None while it is being worked out

    def feature(self, name: str) -> Feature:
        """The feature of that name (FeatureCycle)."""
        if name not in self._done:
            self._done[name] = None
            self._done[name] = self._compute(self, name)
        found = self._done[name]
        if found is None:
            raise FeatureCycle(" -> ".join([*(asked for asked, known in self._done.items() if known is None), name]))
        return found

    def settled(self, _: object, decide: Callable[[Features], bool | None]) -> bool | None:
        """The truth of a criterion: worked out at once, so that all that it looks at is noted."""
        return decide(self)

    def shown_for(self, _: object) -> tuple[()]:
        """Nothing is on record."""
        return ()

    def observations(self, *concepts: str) -> Sequence[ObservationFact]:
        """None; the concepts are noted."""
        return self._none(concepts)

    def conditions(self, *concepts: str) -> Sequence[ConditionFact]:
        """None; the concepts are noted."""
        return self._none(concepts)

    def procedures(self, *concepts: str) -> Sequence[ProcedureFact]:
        """None; the concepts are noted."""
        return self._none(concepts)

    def courses(self, *drugs: str) -> Sequence[CourseFact]:
        """None; the drugs are noted."""
        return self._none(drugs)

    def unusable(self, *concepts: str) -> Sequence[UnusableValue]:
        """None; the concepts are noted."""
        return self._none(concepts)

    def _none(self, names: tuple[str, ...]) -> tuple[()]:
        self.looked_at.update(names)
        return ()


class _Table(Generic[K, T]):
    """Untouched answers by key, and by each concept or member that they looked at."""

    def __init__(self) -> None:
        self.answers: dict[K, Untouched[T]] = {}
        self._for_any_patient: dict[K, T] = {}
        self._resting_on: defaultdict[str, list[K]] = defaultdict(list)

    def add(self, key: K, answer: Untouched[T]) -> Untouched[T]:
        """Keep an answer."""
        self.answers[key] = answer
        if _PATIENT not in answer.looked_at:  # a patient is in every chart: such an answer never stands
            self._for_any_patient[key] = answer.answer
            for name in answer.looked_at:
                self._resting_on[name].append(key)
        return answer

    def without(self, present: Collection[str]) -> dict[K, T]:
        """The answers that rest on nothing of this."""
        standing = self._for_any_patient.copy()
        for name in self._resting_on.keys() & present:
            for key in self._resting_on[name]:
                standing.pop(key, None)
        return standing


class UntouchedAnswers:
    """The untouched answers for one day and one set of lists received, each worked out when it is first needed.

    `compute` gives a feature by name, with the catalogue's function.
    """

    def __init__(self, chart: Chart, settings: FeatureSettings, compute: Compute) -> None:
        self._chart, self._settings, self._compute = chart, settings, compute
        self._features = _Table[str, Feature]()
        self._truths = _Table[int, bool | None]()  # by identity: criteria are trees, and to compare them is expensive
        self._criteria: list[object] = []  # kept alive, so that no other object gets their identity

    def features_without(self, present: Collection[str]) -> dict[str, Feature]:
        """The features worked out so far whose answer stands where only these concepts and members are present."""
        return self._features.without(present)

    def truths_without(self, present: Collection[str]) -> dict[int, bool | None]:
        """The truths worked out so far, by the identity of the criterion, that stand where only these are present."""
        return self._truths.without(present)

    def feature(self, name: str) -> Untouched[Feature]:
        """The untouched answer of a feature (UnknownFeature)."""
        found = self._features.answers.get(name)
        if found is None:
            found = self._features.add(name, self._work_out(lambda features: features.feature(name)))
        return found

    def truth(self, criterion: object, decide: Callable[[Features], bool | None]) -> Untouched[bool | None]:
        """The untouched truth of a criterion or recommendation, which `decide` works out."""
        found = self._truths.answers.get(id(criterion))
        if found is None:
            self._criteria.append(criterion)
            found = self._truths.add(id(criterion), self._work_out(decide))
        return found

    def _work_out(self, work: Callable[[Features], T]) -> Untouched[T]:
        # A new patient for each: what one question keeps in a memo must not hide from the next what it rests on.
        empty = _EmptyChartFeatures(self._chart, self._settings, self._compute)
        answer = work(empty)
        return Untouched(answer, frozenset(empty.looked_at))


class UntouchedMemo:
    """The sets of untouched answers that were needed last, by the lists that came, the day and the settings."""

    def __init__(self) -> None:
        self._sets: OrderedDict[object, UntouchedAnswers] = OrderedDict()

    def answers(self, chart: Chart, settings: FeatureSettings, compute: Compute) -> UntouchedAnswers:
        """The set for a chart. Settings are compared by identity: a process has one."""
        key = (chart.today, frozenset(chart.availability.items()), chart.categories, id(settings), compute)
        found = self._sets.get(key)
        if found is None:
            empty = Chart(Patient(id=""), chart.today, chart.availability, chart.categories)
            found = self._sets[key] = UntouchedAnswers(empty, settings, compute)  # keeps `settings` alive, and their id
            if len(self._sets) > _KEPT_SETS:
                self._sets.popitem(last=False)
        return found
