"""Care at the end of life: palliative or hospice care on record."""

from __future__ import annotations

from app.chart import ConditionFact, Presence, Source
from app.dates import within_months
from app.features.catalogue import feature
from app.features.history.diagnoses import condition_evidence, confirmed, not_understood, told_by_observation
from app.features.model import Evidence, Feature, Features, Kind, known, none_on_record, observed, unknown
from app.features.notes import NoteCode, note
from app.features.readings import says

CONCEPT = "palliative_care"
NAME = "end_of_life_care"
RECENT_MONTHS = 12
"""How long a visit, a treatment or a problem without status says that the care goes on: a rule of this service."""


@feature(
    NAME,
    Kind.TRUTH,
    meaning="Palliative or hospice care on record.",
    reads=("conditions", "procedures", "observations"),
)
def end_of_life_care(context: Features) -> Feature:
    """A present problem, or a treatment or statement of the last 12 months (docs/contract.md, section 3).

    A problem without status counts for 12 months after its date. What ended, is planned, suspected or denied does not
    count. Unit: none. Source: a rule of this service; the codes are those of `palliative_care`.
    """
    newest = next(iter(context.observations(CONCEPT)), None)
    denied = newest is not None and says(newest, CONCEPT) is False
    facts = [fact for fact in context.conditions(CONCEPT) if not (denied and told_by_observation(fact))]
    evidence = [condition_evidence(NAME, fact) for fact in facts if _goes_on(context, fact)]
    evidence += [
        Evidence(NAME, True, None, procedure.when, procedure.ref, (note(NoteCode.PROCEDURE),))
        for procedure in context.procedures(CONCEPT)
        if not procedure.planned and within_months(procedure.when, RECENT_MONTHS, context.today) is True
    ]
    if evidence:
        return known(True, evidence)
    if newest is not None and denied:
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


def _goes_on(context: Features, fact: ConditionFact) -> bool:
    """Whether a problem is present: by its status, or by a date that is recent."""
    if not confirmed(fact, present_only=True):
        return False
    if fact.presence is Presence.PRESENT:
        return True
    when = fact.onset or fact.recorded
    return when is None or within_months(when, RECENT_MONTHS, context.today) is True
