"""Fragility fractures: whether, how many, how long ago, and relative to a drug (what counts: `fracture_counting`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from app.chart import CourseStatus, DateRange, Energy, FractureSite, Source
from app.dates import after, months_since, on_or_after
from app.features.bone.fragility import GROUPS, counted, dated, fracture_evidence, newest, no_fracture, when_of
from app.features.catalogue import OneOf, family, feature
from app.features.drugs.exposure import CLASS, course_evidence, courses, current_start
from app.features.model import Feature, Features, Kind, all_of, any_of, at_most, interval, known, never, truth, unknown

ACUTE_MONTHS = 3
GROUP = OneOf("group", tuple(sorted(GROUPS)))
SOME_GROUPS = OneOf("group", ("any", "msd_counted", "vertebra"))
READS = ("conditions",)


@family("fragility_fracture", GROUP, kind=Kind.TRUTH, meaning="Has had a fragility fracture: {}.", reads=READS)
def fragility_fracture(context: Features, group: str) -> Feature:
    """A counted fracture of the group, of any age."""
    facts = counted(context, group)
    return known(True, map(fracture_evidence, facts)) if facts else no_fracture(context)


@family(
    "fragility_fracture_count",
    OneOf("group", ("any", "msd_counted", "rib", "typical", "vertebra")),
    kind=Kind.NUMBER,
    meaning="Number of fragility fractures: {}.",
    reads=READS,
)
def fragility_fracture_count(context: Features, group: str) -> Feature:
    """How many counted fractures; a history code without a date adds none beside a fracture of its own date.

    Conditions not provided: at least those that are on record elsewhere.
    """
    facts = dated(counted(context, group))
    number = Decimal(len(facts))
    evidence = [fracture_evidence(fact) for fact in facts]
    if not facts:
        absent = no_fracture(context)
        why = absent.why_unknown or "not known"
        return (
            known(number) if absent.known else interval(number, None, absent.evidence, missing=absent.missing, why=why)
        )
    if context.chart.provided(Source.CONDITIONS):
        return known(number, evidence)
    return interval(number, None, evidence, missing=("fragility_fracture",), why="conditions not provided")


@family(
    "months_since_fracture",
    GROUP,
    kind=Kind.NUMBER,
    unit="months",
    meaning="Months since the latest fragility fracture: {}.",
    reads=READS,
)
def months_since_fracture(context: Features, group: str) -> Feature:
    """Months since the latest counted fracture; an undated one may be later than the dated ones (fracture_date)."""
    facts = dated(counted(context, group))
    if not facts:
        absent = no_fracture(context)
        return never() if absent.known else absent
    evidence = [fracture_evidence(fact) for fact in facts]
    spans = [months_since(when, context.today) for when in (when_of(context, f) for f in facts) if when is not None]
    if not spans:
        return unknown("date not recorded", "fracture_date", evidence=evidence)
    high = min(span[1] for span in spans)
    if len(spans) < len(facts):
        return interval(Decimal(0), high, evidence, missing=("fracture_date",), why="one fracture has no date")
    return interval(min(span[0] for span in spans), high, evidence, missing=("fracture_date",))


@family("recent_fragility_fracture", GROUP, kind=Kind.TRUTH, meaning="Recent fragility fracture: {}.", reads=READS)
def recent_fragility_fracture(context: Features, group: str) -> Feature:
    """The latest counted fracture is at most settings.new_fracture_months old."""
    return _within(context, group, context.settings.new_fracture_months)


@family(
    "acute_fracture",
    OneOf("group", ("any", "hip", "vertebra")),
    kind=Kind.TRUTH,
    meaning="Fragility fracture of the last 3 months: {}.",
    reads=READS,
)
def acute_fracture(context: Features, group: str) -> Feature:
    """The latest counted fracture is at most 3 months old."""
    return _within(context, group, ACUTE_MONTHS)


def _within(context: Features, group: str, months: int) -> Feature:
    return at_most(context.feature(f"months_since_fracture.{group}"), months)


def _compared(
    context: Features,
    group: str,
    event: DateRange,
    compare: Callable[[DateRange, DateRange], bool | None],
) -> Feature:
    """Whether one counted fracture lies on the given side of an event; undated ones leave it open."""
    facts = dated(counted(context, group))
    if not facts:
        return no_fracture(context)
    answers = []
    for fact in facts:
        when = when_of(context, fact)
        answer = None if when is None else compare(when, event)
        why = "fracture not dated" if when is None else "dates known only in part"
        answers.append(truth(answer, why, "fracture_date", evidence=[fracture_evidence(fact)]))
    return any_of(answers)


@family(
    "new_fracture_on",
    CLASS,
    SOME_GROUPS,
    kind=Kind.TRUTH,
    meaning="Fragility fracture during the current course of {}: {}.",
    reads=(*READS, "medications"),
)
def new_fracture_on(context: Features, drug_class: str, group: str) -> Feature:
    """A counted fracture dated after the start of the current course; not taken: false."""
    taking = context.feature(f"takes.{drug_class}")
    if taking.value is not True:
        return taking
    if not counted(context, group):
        return no_fracture(context)
    start = current_start(context, drug_class)
    if start is None:
        return unknown("start of the drug not recorded", "start_date", evidence=taking.evidence)
    result = _compared(context, group, start, after)
    return known(True, (*result.evidence, *taking.evidence)) if result.value is True else result


@family(
    "fracture_since_end_of",
    CLASS,
    kind=Kind.TRUTH,
    meaning="Fragility fracture since the last course ended: {}.",
    reads=(*READS, "medications"),
)
def fracture_since_end_of(context: Features, drug_class: str) -> Feature:
    """A counted fracture on or after the recorded end (else the last dose) of a class that no longer runs."""
    stop = context.feature(f"stopped.{drug_class}")
    if stop.value is not True:
        return stop
    if not counted(context, "any"):
        return no_fracture(context)
    past = [c for c in courses(context, drug_class) if c.status is CourseStatus.PAST]
    ends = [end for end in (course.ended or course.last_given for course in past) if end is not None]
    if not ends or len(ends) < len(past):
        shown = [course_evidence(drug_class, course) for course in past]
        return unknown("end of the drug not recorded", "end_date", evidence=shown)
    return _compared(context, "any", max(ends, key=lambda end: (end.latest, end.earliest)), on_or_after)


def _before(when: DateRange, event: DateRange) -> bool | None:
    later = on_or_after(when, event)
    return None if later is None else not later


@family(
    "fracture_before_start_of",
    CLASS,
    kind=Kind.TRUTH,
    meaning="Fragility fracture before the current course of: {}.",
    reads=(*READS, "medications"),
)
def fracture_before_start_of(context: Features, drug_class: str) -> Feature:
    """A counted fracture before the start of the current course; not taken: false."""
    taking = context.feature(f"takes.{drug_class}")
    if taking.value is not True:
        return taking
    if not counted(context, "any"):
        return no_fracture(context)
    start = current_start(context, drug_class)
    if start is None:
        return unknown("start of the drug not recorded", "start_date", evidence=taking.evidence)
    return _compared(context, "any", start, _before)


@family(
    "low_energy_fracture",
    OneOf("group", ("any", "rib")),
    kind=Kind.TRUTH,
    meaning="Low-energy fracture: {}.",
    reads=READS,
)
def low_energy_fracture(context: Features, group: str) -> Feature:
    """A fracture of low energy as 002 asks for it, ribs included: recorded so, or read so by decision 2."""
    return context.feature(f"fragility_fracture.{group}")


@feature("vertebral_fracture_above_t6", Kind.TRUTH, meaning="Vertebral fracture above T6.", reads=READS)
def vertebral_fracture_above_t6(context: Features) -> Feature:
    """A confirmed vertebral fracture, not of high energy, at C1 to T5 (002); level not recorded: unknown."""
    vertebral = sorted(
        (
            f
            for f in context.chart.fractures
            if f.site is FractureSite.VERTEBRA and not f.suspected and f.energy is not Energy.HIGH
        ),
        key=newest,
    )
    above = [fact for fact in vertebral if _above_t6(fact.level)]
    if above:
        return known(True, map(fracture_evidence, above))
    open_level = [fact for fact in vertebral if _above_t6(fact.level) is None]
    if open_level:
        return unknown("vertebral level not recorded", "vertebral_level", evidence=map(fracture_evidence, open_level))
    return known(False, map(fracture_evidence, vertebral)) if vertebral else no_fracture(context)


def _above_t6(level: str | None) -> bool | None:
    parts = re.fullmatch(r"(C|TH?|D|L|S)(\d{1,2})", (level or "").strip().upper())
    if parts is None:
        return None
    region, number = parts[1][0], int(parts[2])
    return region == "C" or (region in "TD" and number < 6)


@feature(
    "suspected_vertebral_fracture",
    Kind.TRUTH,
    meaning="A vertebral fracture is suspected.",
    reads=("conditions", "observations"),
)
def suspected_vertebral_fracture(context: Features) -> Feature:
    """A vertebral fracture recorded as unconfirmed, or the finding suspected-vertebral-fracture."""
    suspected = sorted(
        (f for f in context.chart.fractures if f.suspected and f.site is FractureSite.VERTEBRA), key=newest
    )
    if suspected:
        return known(True, map(fracture_evidence, suspected))
    return context.feature("finding.suspected_vertebral_fracture")


@feature(
    "fracture_mechanism_known", Kind.TRUTH, meaning="The energy of every counted fracture is recorded.", reads=READS
)
def fracture_mechanism_known(context: Features) -> Feature:
    """False if a fracture counts without a recorded mechanism; true if none does (also when there is no fracture)."""
    unclear = [fact for fact in counted(context, "any") if fact.energy is Energy.NOT_RECORDED]
    if unclear:
        return known(False, map(fracture_evidence, unclear))
    absent = no_fracture(context)
    return known(True, map(fracture_evidence, counted(context, "any"))) if absent.known else absent


@feature(
    "fracture_with_malignancy",
    Kind.TRUTH,
    meaning="Fragility fracture in a patient with known malignancy.",
    reads=READS,
)
def fracture_with_malignancy(context: Features) -> Feature:
    """A counted fracture and any malignancy, now or past: its cause is open (decision 12)."""
    return all_of([context.feature("fragility_fracture.any"), context.feature("condition.malignancy")])
