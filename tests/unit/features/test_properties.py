"""What holds for every chart: order never matters, less data never turns unknown into an answer of "no"."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

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
    Energy,
    FamilyFact,
    FractureFact,
    FractureSite,
    Interpretation,
    ObservationFact,
    Presence,
    Sex,
    Source,
)
from app.features import Feature, PatientFeatures, catalogue
from app.features.history.diagnoses import NAMES

from .charts import DRUGS, TODAY, patient

full = st.dates(date(1990, 1, 1), TODAY).map(lambda day: DateRange(day, day))
partial = st.dates(date(1990, 1, 1), date(2026, 5, 1)).map(lambda day: DateRange(day, day + timedelta(days=30)))
when = st.one_of(st.none(), full, partial)
CONCEPTS = [
    "creatinine_serum_molar",
    "egfr_mdrd",
    "calcium_total_molar",
    "calcium_ionised_molar",
    "body_weight",
    "body_height",
    "menopausal_status",
    "smoking_status",
    "falls_last_year",
    "dental_status",
    "night_pain",
    "frax_major_10y",
    "tsh",
]
DIAGNOSES = [
    "rheumatoid_arthritis",
    "bone_metastasis",
    "stroke",
    "hypercalcaemia",
    "osteopenia",
    "low_back_pain",
    "ckd_stage_5",
]
observations = st.builds(
    ObservationFact,
    ref=st.uuids().map(lambda number: f"Observation/{number}"),
    concepts=st.sampled_from(CONCEPTS).map(lambda concept: frozenset({concept})),
    effective=when,
    value=st.one_of(st.none(), st.integers(1, 300).map(Decimal)),
    boolean=st.one_of(st.none(), st.booleans()),
    answer=st.sampled_from(
        [frozenset(), frozenset({"poor"}), frozenset({"post"}), frozenset({"smoking_status_current"})]
    ),
    interpretation=st.one_of(st.none(), st.sampled_from(Interpretation)),
)
conditions = st.builds(
    ConditionFact,
    ref=st.uuids().map(lambda number: f"Condition/{number}"),
    concepts=st.sampled_from(DIAGNOSES).map(lambda concept: frozenset({concept})),
    presence=st.sampled_from(Presence),
    onset=when,
)
fractures = st.builds(
    FractureFact,
    refs=st.uuids().map(lambda number: (f"Condition/{number}",)),
    site=st.sampled_from(FractureSite),
    when=when,
    energy=st.sampled_from(Energy),
    suspected=st.booleans(),
)
courses = st.builds(
    CourseFact,
    refs=st.uuids().map(lambda number: (f"MedicationStatement/{number}",)),
    drugs=st.sampled_from(sorted(DRUGS)).map(lambda drug: frozenset(DRUGS[drug])),
    name=st.just("drug"),
    status=st.sampled_from(CourseStatus),
    started=when,
    ended=when,
    last_given=when,
    dose=st.one_of(st.none(), st.integers(1, 100)).map(lambda mg: Dose(None if mg is None else Decimal(mg))),
)
densities = st.builds(
    DensityFact,
    ref=st.uuids().map(lambda number: f"Observation/{number}"),
    kind=st.sampled_from(DensityKind),
    site=st.sampled_from(DensitySite),
    value=st.integers(-40, 10).map(lambda tenths: Decimal(tenths) / 10),
    effective=when,
)
family = st.builds(
    FamilyFact,
    ref=st.uuids().map(lambda number: f"FamilyMemberHistory/{number}"),
    concepts=st.just(frozenset({"fracture_hip"})),
    parent=st.sampled_from([True, False, None]),
)


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    who = patient(
        draw(st.sampled_from([Sex.FEMALE, Sex.MALE, None])), draw(st.sampled_from(["1950-01-01", "1985", None]))
    )
    return Chart(
        who,
        TODAY,
        {source: draw(st.sampled_from(Availability)) for source in Source},
        observations=tuple(draw(st.lists(observations, max_size=6))),
        conditions=tuple(draw(st.lists(conditions, max_size=4))),
        fractures=tuple(draw(st.lists(fractures, max_size=3))),
        courses=tuple(draw(st.lists(courses, max_size=4))),
        densities=tuple(draw(st.lists(densities, max_size=4))),
        family=tuple(draw(st.lists(family, max_size=2))),
    )


SOME_CLASSES = (
    "alendronate",
    "zoledronate",
    "denosumab",
    "bisphosphonate",
    "bone_drug",
    "oral_glucocorticoid",
    "calcium",
)


def _asked() -> list[str]:
    """All features, with a handful of drug classes: the others are computed by the same functions."""
    from app.terminology.drug_classes import class_names

    left_out = set(class_names()) - set(SOME_CLASSES)
    names = [name for name in catalogue().names() if left_out.isdisjoint(name.split("."))]
    return [*names, "dxa_since.fragility_fracture.any", "dxa_in_last_months.24", "egfr_below.35", "btm_recent.12"]


ASKED = _asked()
slow = settings(max_examples=40)


def told(feature: Feature) -> tuple[object, ...]:
    return (feature.value, feature.low, feature.high, feature.missing, feature.evidence)


@slow
@given(charts())
def test_the_order_of_the_records_never_matters(chart: Chart) -> None:
    lists = ("observations", "conditions", "fractures", "courses", "densities", "family")
    turned = replace(chart, **{name: tuple(reversed(getattr(chart, name))) for name in lists})
    one, other = PatientFeatures(chart), PatientFeatures(turned)
    for name in ASKED:
        assert told(one.feature(name)) == told(other.feature(name)), name


@slow
@given(charts(), st.sampled_from(Source))
def test_a_list_that_is_not_complete_never_settles_what_was_open(chart: Chart, source: Source) -> None:
    """The records stay, only their completeness goes: nothing may become known, and no answer may turn around."""
    complete = PatientFeatures(replace(chart, availability={**chart.availability, source: Availability.PROVIDED}))
    for state in (Availability.PARTIAL, Availability.ABSENT, Availability.FAILED):
        partial_ = PatientFeatures(replace(chart, availability={**chart.availability, source: state}))
        for name in ASKED:
            before, after = complete.feature(name), partial_.feature(name)
            if after.known:
                assert after.value == before.value, (name, state)


@slow
@given(charts())
def test_an_unknown_says_why_and_an_interval_is_one(chart: Chart) -> None:
    patient_ = PatientFeatures(chart)
    for name in ASKED:
        feature = patient_.feature(name)
        if feature.known:
            assert feature.low is None
            assert feature.high is None
        else:
            assert feature.why_unknown, name
            if feature.low is not None and feature.high is not None:
                assert feature.low < feature.high, name


def test_the_names_asked_for_cover_the_catalogue() -> None:
    assert len(ASKED) > 500
    assert {f"condition.{name}" for name in NAMES} <= set(ASKED)
