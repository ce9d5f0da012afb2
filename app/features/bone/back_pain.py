"""Back pain: since when, what came with it, what set it off, what imaging saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.chart import DateRange, Energy, FractureSite, Source
from app.dates import on_or_after, within_months
from app.features.bone.fragility import fracture_evidence
from app.features.catalogue import OneOf, family, feature
from app.features.history.diagnoses import NEW_MONTHS, condition_evidence, confirmed, told_by_observation
from app.features.model import Evidence, Feature, Features, Kind, any_of, known, none_on_record, truth, unknown

READS = ("observations", "conditions")
TRAUMA_MONTHS = 3
"""A trauma up to this many calendar months old belongs to the same episode as a present back pain."""
ONSET_NAMES = {
    "faecal_incontinence": "anal_incontinence_onset",
    "urinary_incontinence": "bladder_dysfunction_onset",
    "urinary_retention": "bladder_dysfunction_onset",
}


@feature("back_pain", Kind.TRUTH, meaning="Has back pain.", reads=("observations", "conditions"))
def back_pain(context: Features) -> Feature:
    """Back pain as a finding, or low back pain as a present diagnosis."""
    severity = context.feature("finding_word.back_pain_severity")
    stated = [known(True, severity.evidence)] if severity.known else []
    return any_of([*stated, context.feature("condition.low_back_pain"), context.feature("finding.back_pain")])


@feature("back_pain_months", Kind.NUMBER, "months", meaning="How long back pain has lasted.", reads=READS)
def back_pain_months(context: Features) -> Feature:
    """Months since the onset of a present low back pain; no back pain: 0."""
    pain = context.feature("back_pain")
    if pain.value is False:
        return known(Decimal(0))
    if pain.value is None:
        return pain
    since = context.feature("months_since_condition.low_back_pain")
    if since.low is not None and not since.low.is_finite():
        return unknown("onset not recorded", "back_pain_onset", evidence=pain.evidence)
    return since


def pain_onset(context: Features) -> DateRange | None:
    """When the present back pain began; from a statement alone only that it began on or before its day."""
    onsets = [
        fact.onset
        for fact in context.conditions("low_back_pain", "back_pain")
        if confirmed(fact, present_only=True) and not told_by_observation(fact) and fact.onset is not None
    ]
    if onsets:
        return max(onsets)
    dates = [item.date for item in context.feature("back_pain").evidence if item.date is not None]
    return DateRange(date.min, max(when.latest for when in dates)) if dates else None


@family(
    "began_with_back_pain",
    OneOf("condition", tuple(sorted(ONSET_NAMES))),
    kind=Kind.TRUTH,
    meaning="Began with or after the present back pain: {}.",
    reads=READS,
)
def began_with_back_pain(context: Features, name: str) -> Feature:
    """A present symptom whose onset is on or after that of the present back pain; long-standing ones are no sign."""
    symptom, pain = context.feature(f"condition.{name}"), context.feature("back_pain")
    if symptom.value is False or pain.value is False:
        return known(False)
    if symptom.value is None or pain.value is None:
        return symptom if symptom.value is None else pain
    onset = pain_onset(context)
    dates = [
        fact.onset for fact in context.conditions(name) if confirmed(fact, present_only=True) and fact.onset is not None
    ]
    evidence = (*symptom.evidence, *pain.evidence)
    if onset is None or not dates:
        return unknown("onset not recorded", ONSET_NAMES[name], evidence=evidence)
    if max(dates).latest < onset.earliest and within_months(max(dates), NEW_MONTHS, context.today):
        # days before the code of the pain: the pain can be older than its code
        return unknown("began shortly before the pain was recorded", ONSET_NAMES[name], evidence=evidence)
    return truth(
        on_or_after(max(dates), onset), "dates do not tell which came first", ONSET_NAMES[name], evidence=evidence
    )


@dataclass(frozen=True, slots=True)
class _Trauma:
    when: DateRange | None
    evidence: Evidence


def _traumas(context: Features) -> list[_Trauma]:
    """Recorded injuries of high energy: coded as such, or a vertebral fracture by one."""
    found = [
        _Trauma(fact.onset or fact.recorded, condition_evidence("trauma_mechanism", fact))
        for fact in context.conditions("high_energy_trauma")
        if confirmed(fact)
    ]
    found += [
        _Trauma(fact.when, fracture_evidence(fact))
        for fact in sorted(context.chart.fractures, key=lambda fact: fact.refs)
        if fact.site is FractureSite.VERTEBRA and fact.energy is Energy.HIGH and not fact.suspected
    ]
    return found


@feature(
    "major_trauma_with_back_pain", Kind.TRUTH, meaning="A major trauma came with the present back pain.", reads=READS
)
def major_trauma_with_back_pain(context: Features) -> Feature:
    """High energy set the pain off, or an injury of high energy of the last 3 months is on record beside back pain."""
    pain = context.feature("back_pain")
    if pain.value is not True:
        return pain
    trigger = context.feature("finding_word.back_pain_trigger")
    if trigger.value == "high-energy":
        return known(True, trigger.evidence)
    answers = [
        truth(
            within_months(trauma.when, TRAUMA_MONTHS, context.today),
            "date of the trauma does not tell",
            "trauma_mechanism",
            evidence=[trauma.evidence],
        )
        for trauma in _traumas(context)
    ]
    if answers:
        return any_of(answers)
    if trigger.known:
        return known(False, trigger.evidence)
    if context.chart.provided(Source.CONDITIONS) and context.chart.provided(Source.OBSERVATIONS):
        return none_on_record()
    return unknown("not recorded", "trauma_mechanism")


@feature(
    "imaging_without_lesion", Kind.TRUTH, meaning="Imaging is on record and saw no lesion.", reads=("observations",)
)
def imaging_without_lesion(context: Features) -> Feature:
    """The newest statements about osteolytic and sclerotic lesions are that there is none; nothing stated: unknown."""
    every = [context.feature(f"finding.{code}") for code in ("osteolytic_lesion", "sclerotic_lesion")]
    stated = [answer for answer in every if answer.known and answer.evidence]
    if not stated:
        return unknown("no statement on record", "imaging_result")
    evidence = [item for answer in stated for item in answer.evidence]
    return known(all(answer.value is False for answer in stated), evidence)
