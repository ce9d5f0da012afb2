"""Indicators of a fracture liaison service, patient by patient (docs/screening.md states the definitions).

Of the patients with a fragility fracture in the period: what was done in time after the first one. Each indicator is
`yes`, `no`, `unknown` (the list that would tell did not come whole) or not there, where the patient does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from app.chart import Chart, CourseFact, DateRange, FractureFact, Source
from app.dates import add_months
from app.features.bone.dxa import measurements
from app.features.bone.fragility import counted
from app.features.drugs.exposure import BEGUN, belongs
from app.features.model import Features
from app.terminology.drug_table import BONE_DRUG

DXA_DAYS, TREATED_MONTHS, PERSISTENT_MONTHS = 90, 6, 12
"""Limits of the indicators of this service; national programmes have others."""
YES, NO, UNKNOWN = "yes", "no", "unknown"


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both included, in which the fracture was."""

    first: date
    last: date

    @classmethod
    def before(cls, as_of: date) -> Period:
        """The twelve months that ended twelve months before a day: every indicator has its whole time."""
        last = add_months(as_of, -PERSISTENT_MONTHS)
        return cls(add_months(last, -12) + timedelta(days=1), last)


Indicator = Callable[[Features, date], str | None]


def indicators_of(features: Features, period: Period) -> dict[str, str]:
    """The indicators of a patient; empty where no fragility fracture of the period is on record."""
    day = _first_fracture(counted(features, "any"), period)
    if day is None:
        return {}
    return {name: found for name, judge in INDICATORS.items() if (found := judge(features, day)) is not None}


def _first_fracture(fractures: Iterable[FractureFact], period: Period) -> date | None:
    days = [f.when.earliest for f in fractures if f.when is not None and _within(f.when, period.first, period.last)]
    return min(days, default=None)


def _within(when: DateRange | None, first: date, last: date) -> bool:
    return when is not None and first <= when.earliest and when.latest <= last


def _answer(found: bool, chart: Chart, *sources: Source) -> str:
    """Found, or told by lists that came whole, or not known."""
    if found:
        return YES
    return NO if all(chart.provided(source) for source in sources) else UNKNOWN


def _dxa(features: Features, day: date) -> str:
    """A bone density result, or a DXA, within 90 days."""
    last = day + timedelta(days=DXA_DAYS)
    found = any(_within(measured.date, day, last) for measured in measurements(features))
    return _answer(found, features.chart, Source.OBSERVATIONS, Source.PROCEDURES)


def _drug(features: Features, day: date) -> str:
    """A bone drug that ran at the fracture, or began within 6 months."""
    last = add_months(day, TREATED_MONTHS)
    found = any(_runs(course, day, last) for course in _courses(features, BONE_DRUG))
    return _answer(found, features.chart, *_MEDICATION_LISTS)


def _falls(features: Features, day: date) -> str:
    """A question about falls answered, or the risk of falling assessed, since the fracture."""
    asked = features.observations("falls_last_year", "falls_history", "fall_risk_score")
    found = any(_within(fact.effective, day, features.today) for fact in asked)
    return _answer(found, features.chart, Source.OBSERVATIONS)


def _calcium_and_vitamin_d(features: Features, day: date) -> str:
    """Calcium and vitamin D, together or apart, within 6 months."""
    last = add_months(day, TREATED_MONTHS)
    found = all(any(_runs(c, day, last) for c in _courses(features, name)) for name in ("calcium", "vitamin_d"))
    return _answer(found, features.chart, *_MEDICATION_LISTS)


def _persistent(features: Features, day: date) -> str | None:
    """Of those with a bone drug within 6 months: a bone drug runs 12 months after the fracture."""
    if _drug(features, day) != YES:
        return None
    after = add_months(day, PERSISTENT_MONTHS)
    found = any(_runs(course, after, after) for course in _courses(features, BONE_DRUG))
    return _answer(found, features.chart, *_MEDICATION_LISTS)


_MEDICATION_LISTS = (Source.MEDICATIONS, Source.MEDICATION_REQUESTS)

INDICATORS: dict[str, Indicator] = {
    "dxa-90-days": _dxa,
    "bone-drug-6-months": _drug,
    "falls-assessed": _falls,
    "calcium-vitamin-d-6-months": _calcium_and_vitamin_d,
    "on-treatment-12-months": _persistent,
}
"""The indicators in the order in which they are shown."""


def _courses(features: Features, name: str) -> list[CourseFact]:
    """Courses that began; what is planned is no treatment."""
    return [course for course in features.chart.courses if course.status in BEGUN and belongs(course, name)]


def _runs(course: CourseFact, first: date, last: date) -> bool:
    """Whether a course ran on some day of a span. A course without a start is not counted: nothing says since when."""
    if course.started is None or course.started.latest > last:
        return False
    return course.ended is None or course.ended.earliest >= first
