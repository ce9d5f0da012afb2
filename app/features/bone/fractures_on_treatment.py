"""Fractures during treatment: a failure, too early to judge, or perhaps an atypical fracture (decisions 40 and 42)."""

from __future__ import annotations

from app.chart import CourseFact, CourseStatus, DateRange, FractureFact
from app.dates import after, months_since, on_or_after, shifted
from app.features.bone.fragility import (
    atypical_sites,
    counted,
    dated,
    fracture_evidence,
    newest,
    no_fracture,
    possibly_atypical,
    when_of,
)
from app.features.catalogue import OneOf, family, feature
from app.features.drugs.exposure import CLASS, course_evidence, courses, current_start, depot_months
from app.features.model import Evidence, Feature, Features, Kind, any_of, known, truth, unknown
from app.terminology.code_sets import terminology

READS = ("conditions", "medications")
GROUPS = OneOf("group", ("any", "msd_counted", "vertebra"))
EFFECT_MONTHS = 12
"""When a fracture can first be a failure: fewer fractures after a year at the earliest (001:269; decision 42)."""


def _in_gap(course: CourseFact, when: DateRange) -> bool | None:
    """Whether a fracture fell into a gap of a depot drug: after the last dose by more than its interval allows."""
    months = depot_months(course)
    if months is None or course.last_given is None:
        return False
    late_after: dict[int | str, int] = terminology().raw["dosage"]["late_after_days"]
    limit = shifted(course.last_given, months=months, days=late_after.get(months, late_after["default"]))
    return after(when, limit)


def _is_failure(context: Features, fact: FractureFact, running: list[CourseFact], start: DateRange) -> bool | None:
    when = when_of(context, fact)
    if when is None:
        return None
    late = on_or_after(when, shifted(start, months=EFFECT_MONTHS))
    if late is not True:
        return late
    gaps = [_in_gap(course, when) for course in running]
    return None if None in gaps else not any(gaps)


@family(
    "treatment_failure_fracture",
    CLASS,
    GROUPS,
    kind=Kind.TRUTH,
    meaning="Fragility fracture from 12 months after the start of the current course of {} on, and not in a gap: {}.",
    reads=READS,
)
def treatment_failure_fracture(context: Features, drug_class: str, group: str) -> Feature:
    """A counted fracture that tells against the drug; not taken: false. Start or date not recorded: unknown."""
    taking = context.feature(f"takes.{drug_class}")
    if taking.value is not True:
        return taking
    facts = dated(counted(context, group))
    if not facts:
        return no_fracture(context)
    start = current_start(context, drug_class)
    if start is None:
        return unknown("start of the drug not recorded", "start_date", evidence=taking.evidence)
    running = [c for c in courses(context, drug_class) if c.status is CourseStatus.CURRENT]
    return any_of(
        truth(
            _is_failure(context, fact, running, start),
            "dates do not tell",
            "fracture_date",
            evidence=[fracture_evidence(fact), *taking.evidence],
        )
        for fact in facts
    )


@family(
    "early_fracture_on",
    CLASS,
    kind=Kind.TRUTH,
    meaning="Fragility fracture in the first 12 months of the current course of: {}.",
    reads=READS,
)
def early_fracture_on(context: Features, drug_class: str) -> Feature:
    """A counted fracture after the start, too early to judge the drug by; none where another fracture is a failure."""
    taking = context.feature(f"takes.{drug_class}")
    if taking.value is not True:
        return taking
    if context.feature(f"treatment_failure_fracture.{drug_class}.any").value is True:
        return known(False)
    start = current_start(context, drug_class)
    facts = dated(counted(context, "any"))
    on_a_day = [(fact, when) for fact in facts if (when := when_of(context, fact)) is not None]
    if not on_a_day:
        return no_fracture(context)
    if start is None:
        return unknown("start of the drug not recorded", "start_date", evidence=taking.evidence)
    limit = shifted(start, months=EFFECT_MONTHS)
    return any_of(
        known(True, [fracture_evidence(fact), _months_from_start(fact, when, start), *taking.evidence])
        if after(when, start) is True and on_or_after(when, limit) is False
        else known(False)
        for fact, when in on_a_day
    )


def _months_from_start(fact: FractureFact, when: DateRange, start: DateRange) -> Evidence:
    months = int(months_since(start, when.latest)[0])
    return Evidence("months_from_start_to_fracture", str(months), "months", when, fact.refs[0])


@feature(
    "possible_atypical_fracture",
    Kind.TRUTH,
    meaning="A fracture of the femoral shaft or below the trochanter, not of high energy, during or within 2 years "
    "after an antiresorptive.",
    reads=READS,
)
def possible_atypical_fracture(context: Features) -> Feature:
    """Such a fracture may be atypical (001:277): first it is neither a failure nor a hip fracture (decision 40)."""
    at_site = sorted((f for f in context.chart.fractures if atypical_sites(f)), key=newest)
    if not at_site:
        return no_fracture(context)
    found = [fact for fact in at_site if possibly_atypical(context, fact)]
    shown = [fracture_evidence(fact) for fact in found]
    drugs = [course_evidence("antiresorptive", course) for course in courses(context, "antiresorptive")]
    return known(bool(found), [*shown, *drugs] if found else map(fracture_evidence, at_site))
