"""Which fractures count as fragility fractures (decisions 2 and 44), by group of sites.

Low energy counts at every site but finger, toe, skull and face; energy not recorded only at hip, vertebra, distal
forearm, upper arm and pelvis, named "mechanism not recorded - confirm". Never: before the age of 18, suspected, high
energy, in tumour, atypical femoral, periprosthetic, stress.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from app.chart import CourseFact, CourseStatus, DateRange, Energy, FractureFact, FractureSite, Source
from app.dates import after, shifted, years_between
from app.features.drugs.exposure import ONCOLOGICAL, taken
from app.features.history.diagnoses import not_understood
from app.features.model import Evidence, Feature, Features, none_on_record, unknown
from app.features.notes import Note, NoteCode, note
from app.features.person.demographics import FULL_AGE
from app.terminology.code_sets import terminology

Site = FractureSite
NEVER_COUNTED = frozenset({Site.FINGER, Site.TOE, Site.SKULL_FACE})
TYPICAL = frozenset({Site.HIP, Site.VERTEBRA, Site.DISTAL_FOREARM, Site.PROXIMAL_HUMERUS, Site.HUMERUS, Site.PELVIS})
NOT_COUNTED_BY_MSD = frozenset({Site.NOSE, Site.RIB, Site.CLAVICLE, Site.PATELLA, Site.METATARSAL})
AFTER_ANTIRESORPTIVE_MONTHS = 24
"""How long after an antiresorptive a femoral shaft fracture is thought of as atypical (decision 40)."""

GROUPS: dict[str, Callable[[FractureFact], bool]] = {
    "any": lambda _: True,
    "hip": lambda fact: fact.site is Site.HIP,
    "hip_or_vertebra": lambda fact: fact.site in (Site.HIP, Site.VERTEBRA),
    "msd_counted": lambda fact: fact.site not in NOT_COUNTED_BY_MSD,
    "non_vertebral": lambda fact: fact.site not in (Site.VERTEBRA, Site.UNKNOWN),
    "rib": lambda fact: fact.site is Site.RIB,
    "typical": lambda fact: fact.site in TYPICAL,
    "vertebra": lambda fact: fact.site is Site.VERTEBRA,
}
"""The groups of sites that rules ask for; msd_counted leaves out the sites that 001 does not count."""


def excluded(fact: FractureFact) -> bool:
    """Whether a fracture is of a kind that never counts as fragility fracture."""
    return (
        fact.suspected
        or fact.energy is Energy.HIGH
        or fact.pathological_tumour
        or fact.atypical_femoral
        or fact.periprosthetic
        or fact.stress
        or fact.site in NEVER_COUNTED
    )


def counts(fact: FractureFact) -> bool:
    """Whether a fracture counts as fragility fracture (decision 2)."""
    if excluded(fact):
        return False
    return fact.energy is Energy.LOW or fact.site in TYPICAL


def fracture_evidence(fact: FractureFact) -> Evidence:
    """The evidence for a fracture: its site, and that its mechanism is not recorded where so."""
    notes: list[Note] = []
    if fact.suspected:
        notes.append(note(NoteCode.SUSPECTED))
    if fact.energy is Energy.NOT_RECORDED:
        notes.append(note(NoteCode.MECHANISM_NOT_RECORDED))
    if fact.level:
        notes.append(note(NoteCode.LEVEL, fact.level))
    site = fact.site.value.replace("_", " ")
    return Evidence("fragility_fracture", site, None, fact.when, fact.refs[0], tuple(notes))


def newest(fact: FractureFact) -> tuple[int, int, tuple[str, ...]]:
    """Sort key: later fractures first, undated last."""
    return (
        -fact.when.latest.toordinal() if fact.when else 1,
        -fact.when.earliest.toordinal() if fact.when else 1,
        fact.refs,
    )


def counted(context: Features, group: str) -> list[FractureFact]:
    """The fractures of a group that count, newest first, undated last."""
    chosen = GROUPS[group]
    facts = [f for f in context.chart.fractures if counts(f) and chosen(f) and not in_childhood(context, f)]
    return sorted((f for f in facts if not possibly_atypical(context, f)), key=newest)


def atypical_sites(fact: FractureFact) -> bool:
    """Whether a fracture is where atypical femoral fractures are, and not of high energy or already called so."""
    if fact.suspected or fact.energy is Energy.HIGH or fact.atypical_femoral or fact.pathological_tumour:
        return False
    return fact.site is Site.FEMUR_SHAFT or fact.subtrochanteric


def possibly_atypical(context: Features, fact: FractureFact) -> bool:
    """Whether such a fracture came during an antiresorptive or within 2 years after it (decision 40).

    A fracture or a course without a date leaves it open: then it is looked at.
    """
    if not atypical_sites(fact):
        return False
    when = when_of(context, fact)
    exposed = [*taken(context, "antiresorptive"), *taken(context, ONCOLOGICAL)]
    return any(_during_or_soon_after(course, when) for course in exposed)


def _during_or_soon_after(course: CourseFact, when: DateRange | None) -> bool:
    if when is None:
        return True
    if course.started is not None and after(course.started, when) is True:
        return False
    end = course.ended or course.last_given
    if course.status is not CourseStatus.PAST or end is None:
        return True
    return after(when, shifted(end, months=AFTER_ANTIRESORPTIVE_MONTHS)) is not True


def in_childhood(context: Features, fact: FractureFact) -> bool:
    """Whether the fracture was certainly before adult age; a date that leaves it open, or none, is not childhood."""
    born = context.chart.patient.birth_date
    if born is None or fact.when is None:
        return False
    return years_between(born.earliest, fact.when.latest) < FULL_AGE


def when_of(context: Features, fact: FractureFact) -> DateRange | None:
    """The date of a fracture; a fracture that the hook is about and that has none is of today."""
    if fact.when is None and fact.new_in_context:
        return DateRange(context.today, context.today)
    return fact.when


def dated(facts: list[FractureFact]) -> list[FractureFact]:
    """Without history codes that have no date of their own, where the fracture itself is on record as well."""
    events = [fact for fact in facts if not (fact.healing_only and fact.when is None)]
    return events or facts


@cache
def _fracture_concepts() -> tuple[str, ...]:
    """The concepts of fractures: all that have a site."""
    return tuple(sorted(terminology().sites))


def no_fracture(context: Features, missing: str = "fragility_fracture") -> Feature:
    """None on record; unknown where the conditions did not come complete, or a record of them was not understood."""
    unclear = not_understood("fragility_fracture", context.conditions(*_fracture_concepts()), missing)
    if unclear is not None:
        return unclear
    if context.chart.provided(Source.CONDITIONS):
        return none_on_record()
    return unknown("conditions not provided", missing)
