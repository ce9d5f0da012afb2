"""Charts built by hand: today is fixed, everything is provided unless a test says otherwise."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from app.chart import (
    Availability,
    Chart,
    ConditionFact,
    CourseFact,
    CourseStatus,
    DateRange,
    DensityFact,
    DensityKind,
    DensitySite,
    Dose,
    DraftOrder,
    Energy,
    FractureFact,
    FractureSite,
    ObservationFact,
    OrderAction,
    Patient,
    Presence,
    Sex,
    Source,
)
from app.features import FeatureSettings, PatientFeatures

TODAY = date(2026, 6, 15)
_numbers = count(1)


def on(text: str) -> DateRange:
    """ "2026-03-01", "2026-03" or "2026" as the days that it can mean."""
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 3:
        return DateRange(date(*parts), date(*parts))
    if len(parts) == 2:
        year, month = parts
        following = date(year + month // 12, month % 12 + 1, 1)
        return DateRange(date(year, month, 1), date.fromordinal(following.toordinal() - 1))
    return DateRange(date(parts[0], 1, 1), date(parts[0], 12, 31))


def patient(sex: Sex | None = Sex.FEMALE, born: str | None = "1950-01-01") -> Patient:
    return Patient("p1", sex, on(born) if born else None)


def provided(*but: Source) -> dict[Source, Availability]:
    return {source: Availability.ABSENT if source in but else Availability.PROVIDED for source in Source}


def chart(
    *, without: tuple[Source, ...] = (), sex: Sex | None = Sex.FEMALE, born: str | None = "1950-01-01", **facts: Any
) -> Chart:
    return Chart(patient(sex, born), TODAY, provided(*without), **{name: tuple(value) for name, value in facts.items()})


def features(settings: FeatureSettings | None = None, **facts: Any) -> PatientFeatures:
    return PatientFeatures(chart(**facts), settings)


def observation(
    concept: str, value: str | int | None = None, when: str | None = "2026-06-01", **more: Any
) -> ObservationFact:
    comparator = None
    if isinstance(value, str) and value[0] in "<>":
        comparator, value = value[0], value[1:]
    answer = more.pop("answer", frozenset())
    return ObservationFact(
        f"Observation/{next(_numbers)}",
        frozenset({concept}),
        on(when) if when else None,
        Decimal(value) if value is not None else None,
        comparator=comparator,
        answer=frozenset({answer}) if isinstance(answer, str) else answer,
        **more,
    )


def condition(
    concept: str, when: str | None = "2020-05-05", presence: Presence = Presence.PRESENT, **more: Any
) -> ConditionFact:
    ref = f"Condition/{next(_numbers)}"
    return ConditionFact(ref, frozenset({concept}), presence, on(when) if when else None, **more)


def fracture(
    site: FractureSite = FractureSite.HIP, when: str | None = "2025-05-05", energy: Energy = Energy.LOW, **more: Any
) -> FractureFact:
    return FractureFact((f"Condition/{next(_numbers)}",), site, on(when) if when else None, energy, **more)


DRUGS = {
    "alendronate": {"alendronate", "oral_bisphosphonate", "bisphosphonate", "antiresorptive", "bone_drug"},
    "risedronate": {"risedronate", "oral_bisphosphonate", "bisphosphonate", "antiresorptive", "bone_drug"},
    "zoledronate": {
        "zoledronic_acid",
        "zoledronate",
        "iv_bisphosphonate",
        "bisphosphonate",
        "antiresorptive",
        "bone_drug",
    },
    "denosumab": {"denosumab", "antiresorptive", "bone_drug"},
    "prednisolone": {"gc_prednisolone", "glucocorticoid", "oral_glucocorticoid"},
    "hydrocortisone": {"gc_hydrocortisone", "glucocorticoid", "oral_glucocorticoid"},
    "dexamethasone": {"gc_dexamethasone", "glucocorticoid", "oral_glucocorticoid"},
    "denosumab_any": {"denosumab_oncology_120mg", "oncological_bone_drug"},
    "calcium": {"calcium_carbonate", "calcium"},
    "vitamin_d": {"colecalciferol", "vitamin_d"},
}


def course(
    drug: str,
    started: str | None = "2024-01-01",
    status: CourseStatus = CourseStatus.CURRENT,
    *,
    ended: str | None = None,
    last: str | None = None,
    mg: str | None = None,
    days: str | None = None,
    **more: Any,
) -> CourseFact:
    dose = more.pop("dose", None) or Dose(
        daily_mg=Decimal(mg) if mg else None, interval_days=Decimal(days) if days else None, elemental=True
    )
    return CourseFact(
        more.pop("refs", (f"MedicationStatement/{next(_numbers)}",)),
        frozenset(DRUGS.get(drug, {drug})),
        drug,
        status,
        on(started) if started else None,
        on(ended) if ended else None,
        on(last) if last else None,
        dose=dose,
        **more,
    )


def past(drug: str, started: str | None, ended: str | None, **more: Any) -> CourseFact:
    return course(drug, started, CourseStatus.PAST, ended=ended, **more)


def draft(drug: str, action: OrderAction = OrderAction.START, *, selected: bool = True, **more: Any) -> DraftOrder:
    replaces = more.pop("replaces", None)
    ordered = course(drug, None, CourseStatus.PLANNED, **more)
    return DraftOrder(f"MedicationRequest/{next(_numbers)}", ordered, action, selected, replaces=replaces)


def density(
    value: str,
    site: DensitySite = DensitySite.LUMBAR_SPINE,
    when: str | None = "2026-01-10",
    kind: DensityKind = DensityKind.T_SCORE,
    **more: Any,
) -> DensityFact:
    return DensityFact(f"Observation/{next(_numbers)}", kind, site, Decimal(value), on(when) if when else None, **more)
