"""Emergencies of the spine: compression that is recorded, and signs of it that are new (decision 38)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from app.chart import DateRange, FractureFact, FractureSite, ObservationFact
from app.dates import on_or_after, within_months
from app.features.bone.back_pain import ONSET_NAMES
from app.features.bone.fragility import fracture_evidence
from app.features.catalogue import OneOf, family, feature
from app.features.history.diagnoses import condition_evidence, confirmed
from app.features.model import Evidence, Feature, Features, Kind, any_of, known, observed, truth, unknown
from app.features.readings import says

READS = ("conditions", "observations")
COMPRESSION = ("spinal_cord_compression", "cauda_equina")
SIGN_MONTHS = 3
"""How long a sign, a fracture and a pain belong to one episode (decision 38)."""
SIGNS = ("progressive_neurological_deficit", "sudden_bladder_dysfunction")


def _within_days(when: DateRange | None, days: int, context: Features) -> bool | None:
    """Whether a date is at most `days` old; None where the date does not tell."""
    if when is None:
        return None
    first = context.today - timedelta(days=days)
    if when.earliest >= first:
        return True
    return False if when.latest < first else None


def _records(context: Features, concepts: tuple[str, ...]) -> Iterable[tuple[DateRange | None, Evidence]]:
    """The present records of a sign, with their dates: diagnoses by onset, else by the day of the record."""
    for fact in context.conditions(*concepts):
        if confirmed(fact, present_only=True):
            yield fact.onset or fact.recorded, condition_evidence(concepts[0], fact)
    for observation in _affirmed(context, concepts):
        yield observation.effective, observed(concepts[0], observation)


def _affirmed(context: Features, concepts: tuple[str, ...]) -> list[ObservationFact]:
    """The statements about a sign, unless the newest denies it."""
    found = list(context.observations(*concepts))
    if found and any(says(found[0], concept) is False for concept in concepts):
        return []
    return [fact for fact in found if any(says(fact, concept) is True for concept in concepts)]


@feature(
    "cord_compression_now",
    Kind.TRUTH,
    meaning="Compression of the spinal cord or the cauda equina, recorded as new, or without a date and active.",
    reads=READS,
)
def cord_compression_now(context: Features) -> Feature:
    """A record of the last settings.emergency_days days, or one that is active and has no date; an older one is not."""
    days = context.settings.emergency_days
    answers = [
        known(True, [shown])
        if when is None
        else truth(_within_days(when, days, context), "date does not tell", "compression_onset", evidence=[shown])
        for concept in COMPRESSION
        for when, shown in _records(context, (concept,))
    ]
    if answers:
        return any_of(answers)
    return any_of([context.feature("finding.spinal_cord_compression"), context.feature("condition.cauda_equina")])


@feature(
    "saddle_anaesthesia_now",
    Kind.TRUTH,
    meaning="Saddle anaesthesia that is new, or that stands beside a spinal context.",
    reads=READS,
)
def saddle_anaesthesia_now(context: Features) -> Feature:
    """New within settings.emergency_days days it needs nothing else; undated or up to 3 months old a spinal context."""
    records = list(_records(context, ("saddle_anaesthesia",)))
    if not records:
        return context.feature("condition.saddle_anaesthesia")
    evidence = [shown for _, shown in records]
    days = context.settings.emergency_days
    if any(_within_days(when, days, context) is True for when, _ in records if when):
        return known(True, evidence)
    if any(when is None or within_months(when, SIGN_MONTHS, context.today) is not False for when, _ in records):
        spine = context.feature("spinal_context")
        return known(True, [*evidence, *spine.evidence]) if spine.value is True else spine
    return known(False, evidence)


@feature(
    "spinal_context",
    Kind.TRUTH,
    meaning="Back pain, a vertebral fracture of the last 3 months, or known bone metastasis.",
    reads=READS,
)
def spinal_context(context: Features) -> Feature:
    """What makes a sign of the bladder, the bowel or the legs one of the spine."""
    return any_of([context.feature("back_pain"), _spinal_disease(context)])


@family(
    "new_sign",
    OneOf("code", SIGNS),
    kind=Kind.TRUTH,
    meaning="A sign of the last 3 months, or without a date: {}.",
    reads=READS,
)
def new_sign(context: Features, code: str) -> Feature:
    """A stated sign, where no record dates it more than 3 months back."""
    stated = context.feature(f"finding.{code}")
    if stated.value is not True:
        return stated
    dates = [item.date for item in stated.evidence]
    if any(when is None or within_months(when, SIGN_MONTHS, context.today) is not False for when in dates):
        return stated
    return known(False, stated.evidence)


@family(
    "began_with_spinal_disease",
    OneOf("condition", tuple(sorted(ONSET_NAMES))),
    kind=Kind.TRUTH,
    meaning="Began after a vertebral fracture of the last 3 months, or within 3 months beside bone metastasis: {}.",
    reads=READS,
)
def began_with_spinal_disease(context: Features, name: str) -> Feature:
    """A present symptom that is new beside a spinal disease; long-standing ones are no sign of compression."""
    symptom, spine = context.feature(f"condition.{name}"), _spinal_disease(context)
    if symptom.value is False or spine.value is False:
        return known(False)
    if symptom.value is None or spine.value is None:
        return symptom if symptom.value is None else spine
    evidence = (*symptom.evidence, *spine.evidence)
    onsets = [fact.onset for fact in context.conditions(name) if confirmed(fact, present_only=True) and fact.onset]
    if not onsets:
        return unknown("onset not recorded", ONSET_NAMES[name], evidence=evidence)
    onset = max(onsets)
    recent = within_months(onset, SIGN_MONTHS, context.today)
    if recent is False:
        return known(False, evidence)
    if context.feature("condition.bone_metastasis").value is True:
        return truth(recent, "date does not tell", ONSET_NAMES[name], evidence=evidence)
    breaks = [fact.when for fact in _recent_vertebral(context) if fact.when is not None]
    return any_of(
        [truth(on_or_after(onset, when), "dates do not tell", ONSET_NAMES[name], evidence=evidence) for when in breaks]
    )


def _recent_vertebral(context: Features) -> list[FractureFact]:
    """Vertebral fractures of the last 3 months, of any energy: all of them can narrow the canal."""
    return [
        fact
        for fact in sorted(context.chart.fractures, key=lambda fact: fact.refs)
        if fact.site is FractureSite.VERTEBRA and within_months(fact.when, SIGN_MONTHS, context.today) is True
    ]


def _spinal_disease(context: Features) -> Feature:
    """A recent vertebral fracture, or known bone metastasis."""
    fractures = [known(True, [fracture_evidence(fact)]) for fact in _recent_vertebral(context)]
    return any_of([context.feature("condition.bone_metastasis"), *fractures])
