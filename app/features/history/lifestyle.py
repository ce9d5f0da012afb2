"""Smoking, alcohol, falls, food and movement: what the patient answered. Without a question the answer is unknown."""

from __future__ import annotations

from app.chart import Interpretation, ObservationCategory, Presence
from app.dates import newest_first, within_months
from app.features.catalogue import feature
from app.features.history.diagnoses import condition_evidence, confirmed
from app.features.model import Evidence, Feature, Features, Kind, any_of, known, none_on_record, observed, unknown
from app.features.readings import number, says, words_of

SMOKING = ("smoking_status_current", "smoking_status_former", "smoking_status_never")
FALL_MONTHS = 12
"""The question is about the falls of the last 12 months, so an older answer does not describe the present."""
READS = ("observations", "conditions")


def _smoking(context: Features) -> tuple[str, Evidence] | None:
    """The newest statement: current, former or never."""
    found: list[tuple[tuple[int, int, int], int, str, Evidence]] = []
    for fact in context.observations("smoking_status", *SMOKING):
        words = words_of(fact)
        for rank, concept in enumerate(SMOKING):
            stated = concept in words or (concept in fact.concepts and says(fact, concept) is not False)
            if stated:
                found.append((newest_first(fact.effective), rank, concept, observed("smoking_status", fact)))
                break
    for rank, concept in enumerate(SMOKING):
        for record in context.conditions(concept):
            if confirmed(record):
                stopped = concept == SMOKING[0] and record.presence is Presence.PAST
                name = SMOKING[1] if stopped else concept
                when = record.onset or record.recorded
                found.append((newest_first(when), rank, name, condition_evidence("smoking_status", record)))
    if not found:
        return None
    _, _, concept, evidence = min(found, key=lambda item: (item[0], item[1], item[3].resource or ""))
    return concept, evidence


@feature("smokes", Kind.TRUTH, meaning="Smokes at present.", reads=READS)
def smokes(context: Features) -> Feature:
    """The newest recorded smoking status is a current one; no question on record = unknown."""
    return _smoking_is(context, SMOKING[0])


@feature("ex_smoker", Kind.TRUTH, meaning="Has smoked and stopped.", reads=READS)
def ex_smoker(context: Features) -> Feature:
    """The newest recorded smoking status is a former one."""
    return _smoking_is(context, SMOKING[1])


def _smoking_is(context: Features, concept: str) -> Feature:
    stated = _smoking(context)
    if stated is None:
        return unknown("not recorded", "smoking_status")
    return known(stated[0] == concept, [stated[1]])


@feature(
    "alcohol_drinks_per_day", Kind.NUMBER, "{drinks}/d", meaning="Alcoholic drinks per day.", reads=("observations",)
)
def alcohol_drinks_per_day(context: Features) -> Feature:
    """The newest number of drinks a day; scores and other units are not used."""
    return number(context, ("alcohol_use",), "alcohol", unit="{drinks}/d")


@feature(
    "falls_recorded",
    Kind.TRUTH,
    meaning="Has fallen in the last 12 months, or a tendency to fall is on record.",
    reads=READS,
)
def falls_recorded(context: Features) -> Feature:
    """A count of at least one in an answer of the last 12 months, or a coded history of falls; 0 falls = false.

    Nothing on record = unknown: the absence of falls is rarely recorded.
    """
    coded = [condition_evidence("falls", fact) for fact in context.conditions("falls_history") if confirmed(fact)]
    coded += [
        observed("falls", f) for f in context.observations("falls_history") if says(f, "falls_history") is not False
    ]
    if coded:
        return known(True, coded)
    for fact in context.observations("falls_last_year"):
        if within_months(fact.effective, FALL_MONTHS, context.today) is not True:
            continue
        fell = fact.value >= 1 if fact.value is not None else says(fact, "falls_last_year")
        if fell is not None:
            return known(fell, [observed("falls", fact)])
    return unknown("not recorded", "falls")


@feature(
    "fall_assessment_recorded", Kind.TRUTH, meaning="The risk of falling has been assessed.", reads=("observations",)
)
def fall_assessment_recorded(context: Features) -> Feature:
    """A fall score or a count of falls on record, whatever it says."""
    facts = context.observations("fall_risk_score", "falls_last_year")
    if facts:
        return known(True, [observed("falls", facts[0])])
    return _none_observed(context, "falls")


@feature("fall_risk_recorded", Kind.TRUTH, meaning="A raised risk of falling is on record.", reads=READS)
def fall_risk_recorded(context: Features) -> Feature:
    """Falls on record, a fall score that is flagged high, impaired mobility, or a walking aid."""
    scored = [
        observed("falls", fact)
        for fact in context.observations("fall_risk_score")[:1]
        if fact.interpretation in (Interpretation.HIGH, Interpretation.ABNORMAL)
    ]
    impaired = [
        condition_evidence("mobility", f)
        for f in context.conditions("mobility_impaired")
        if confirmed(f, present_only=True)
    ]
    impaired += [
        observed("mobility", f)
        for f in context.observations("mobility_impaired")[:1]
        if says(f, "mobility_impaired") is not False
    ]
    if scored or impaired:
        return known(True, [*scored, *impaired])
    return any_of([context.feature("falls_recorded"), context.feature("walking_aid")])


@feature(
    "dietary_calcium_mg",
    Kind.NUMBER,
    "mg/d",
    meaning="Calcium from food, without supplements.",
    reads=("observations",),
)
def dietary_calcium_mg(context: Features) -> Feature:
    """The newest recorded intake."""
    return number(context, ("dietary_calcium_intake",), "dietary_calcium", unit="mg/(24.h)")


@feature("daily_exercise_min", Kind.NUMBER, "min/d", meaning="Exercise on an average day.", reads=("observations",))
def daily_exercise_min(context: Features) -> Feature:
    """The newest recorded minutes a day."""
    return number(context, ("daily_exercise",), "daily_exercise", unit="min/d")


@feature("sedentary_or_immobilised", Kind.TRUTH, meaning="Moves little, or is immobilised.", reads=READS)
def sedentary_or_immobilised(context: Features) -> Feature:
    """The newest physical activity is sedentary or immobilised, or immobilisation is a present diagnosis."""
    activity = context.feature("finding_word.physical_activity")
    immobile = context.feature("condition.immobilisation")
    stated = known(activity.value in ("sedentary", "immobilised"), activity.evidence) if activity.known else activity
    return any_of([immobile, stated])


def _none_observed(context: Features, missing: str) -> Feature:
    if context.chart.observed(ObservationCategory.SURVEY, ObservationCategory.EXAM):
        return none_on_record()
    return unknown("observations not provided", missing)
