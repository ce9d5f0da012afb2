"""Treatment that the patient has declined."""

from __future__ import annotations

from datetime import date

from app.chart import ConditionFact, Presence, Source
from app.dates import within_months
from app.features.catalogue import feature
from app.features.history.diagnoses import condition_evidence, confirmed, not_understood, told_by_observation
from app.features.model import Feature, Features, Kind, known, none_on_record, observed, unknown
from app.features.notes import NoteCode, note
from app.features.readings import says

CONCEPT = "treatment_refusal"
NAME = "treatment_declined"
VALID_MONTHS = 12
"""How long a refusal counts: a rule of this service. After that the question can be put again."""
FRACTURES = "fragility_fracture.any"


@feature(
    NAME,
    Kind.TRUTH,
    meaning="The patient has declined treatment, not one drug or one examination.",
    reads=("conditions", "observations"),
)
def treatment_declined(context: Features) -> Feature:
    """A refusal of treatment of the last 12 months, and no fragility fracture since (docs/contract.md, section 3).

    A refusal without a date, one that ended, is suspected or was taken back does not count, nor does one of a named
    drug or examination. Unit: none. Source: a rule of this service; the codes are those of `treatment_refusal`.
    """
    newest = next(iter(context.observations(CONCEPT)), None)
    taken_back = newest is not None and says(newest, CONCEPT) is False
    facts = [fact for fact in context.conditions(CONCEPT) if not (taken_back and told_by_observation(fact))]
    counting = [fact for fact in facts if _counts(context, fact)]
    if counting:
        return known(True, [condition_evidence(NAME, fact) for fact in counting])
    if newest is not None and taken_back:
        return known(False, [observed(NAME, newest)])
    suspected = [
        condition_evidence(NAME, fact, note(NoteCode.SUSPECTED))
        for fact in facts
        if fact.presence is Presence.SUSPECTED
    ]
    if suspected:
        return unknown("suspected, not confirmed", NAME, evidence=suspected)
    unclear = not_understood(NAME, facts, NAME)
    if unclear is not None:
        return unclear
    if context.chart.provided(Source.CONDITIONS):
        return none_on_record()
    return unknown("conditions not provided", NAME)


def _counts(context: Features, fact: ConditionFact) -> bool:
    """Whether a refusal is confirmed, recent, and not older than the newest fragility fracture."""
    when = fact.recorded or fact.onset
    if not confirmed(fact, present_only=True) or within_months(when, VALID_MONTHS, context.today) is not True:
        return False
    return when is not None and not _fracture_after(context, when.latest)


def _fracture_after(context: Features, day: date) -> bool:
    """Whether a fragility fracture can have happened after a day."""
    found = context.feature(FRACTURES)
    return any(one.date is not None and one.date.latest > day for one in found.evidence)
