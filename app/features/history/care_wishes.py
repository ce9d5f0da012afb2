"""What a patient's care is meant to do: palliative or hospice care, and treatment that the patient has declined.

Both silence advice to start and to measure (docs/contract.md, section 3): rules of this service, not of a source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from app.chart import ConditionFact, Presence
from app.dates import within_months
from app.features.catalogue import feature
from app.features.history.diagnoses import (
    condition_evidence,
    confirmed,
    nothing_on_record,
    open_statement,
    told_by_observation,
)
from app.features.model import Evidence, Feature, Features, Kind, known, observed
from app.features.notes import NoteCode, note
from app.features.readings import says

PALLIATIVE, END_OF_LIFE = "palliative_care", "end_of_life_care"
RECENT_MONTHS = 12
"""How long a visit, a treatment or a problem without status says that the care goes on: a rule of this service."""
REFUSAL, DECLINED = "treatment_refusal", "treatment_declined"
VALID_MONTHS = 12
"""How long a refusal counts: a rule of this service. After that the question can be put again."""
FRACTURES = "fragility_fracture.any"


@feature(
    END_OF_LIFE,
    Kind.TRUTH,
    meaning="Palliative or hospice care on record.",
    reads=("conditions", "procedures", "observations"),
)
def end_of_life_care(context: Features) -> Feature:
    """A present problem, or a treatment or statement of the last 12 months (docs/contract.md, section 3).

    A problem without status counts for 12 months after its date. What ended, is planned, suspected or denied does not
    count. Unit: none. Source: a rule of this service; the codes are those of `palliative_care`.
    """
    treatments = [
        Evidence(END_OF_LIFE, True, None, procedure.when, procedure.ref, (note(NoteCode.PROCEDURE),))
        for procedure in context.procedures(PALLIATIVE)
        if not procedure.planned and within_months(procedure.when, RECENT_MONTHS, context.today) is True
    ]
    return _stated(context, END_OF_LIFE, PALLIATIVE, lambda fact: _goes_on(context, fact), treatments)


@feature(
    DECLINED,
    Kind.TRUTH,
    meaning="The patient has declined treatment, not one drug or one examination.",
    reads=("conditions", "observations"),
)
def treatment_declined(context: Features) -> Feature:
    """A refusal of treatment of the last 12 months, and no fragility fracture since (docs/contract.md, section 3).

    A refusal without a date, one that ended, is suspected or was taken back does not count, nor does one of a named
    drug or examination. Unit: none. Source: a rule of this service; the codes are those of `treatment_refusal`.
    """
    return _stated(context, DECLINED, REFUSAL, lambda fact: _is_valid(context, fact))


def _stated(
    context: Features,
    name: str,
    concept: str,
    counts: Callable[[ConditionFact], bool],
    others: Sequence[Evidence] = (),
) -> Feature:
    """Whether a record of a concept counts, or `others` do; the newest Observation about it can take it back."""
    newest = next(iter(context.observations(concept)), None)
    taken_back = newest is not None and says(newest, concept) is False
    facts = [fact for fact in context.conditions(concept) if not (taken_back and told_by_observation(fact))]
    evidence = [*(condition_evidence(name, fact) for fact in facts if counts(fact)), *others]
    if evidence:
        return known(True, evidence)
    if newest is not None and taken_back:
        return known(False, [observed(name, newest)])
    return open_statement(name, facts, name) or nothing_on_record(context, name)


def _goes_on(context: Features, fact: ConditionFact) -> bool:
    """Whether a problem is present: by its status, or by a date that is recent."""
    if not confirmed(fact, present_only=True):
        return False
    if fact.presence is Presence.PRESENT:
        return True
    when = fact.onset or fact.recorded
    return when is None or within_months(when, RECENT_MONTHS, context.today) is True


def _is_valid(context: Features, fact: ConditionFact) -> bool:
    """Whether a refusal is confirmed, recent, and not older than the newest fragility fracture."""
    when = fact.recorded or fact.onset
    if not confirmed(fact, present_only=True) or within_months(when, VALID_MONTHS, context.today) is not True:
        return False
    return when is not None and not _fracture_after(context, when.latest)


def _fracture_after(context: Features, day: date) -> bool:
    """Whether a fragility fracture can have happened after a day."""
    found = context.feature(FRACTURES)
    return any(one.date is not None and one.date.latest > day for one in found.evidence)
