"""Bone turnover markers: when they were last measured."""

from __future__ import annotations

from app.dates import months_since, within_months
from app.features.catalogue import WholeNumber, family, feature
from app.features.laboratory.values import ANALYTES
from app.features.model import Feature, Features, Kind, interval, known, never, none_on_record, observed, unknown
from app.features.readings import results_provided

READS = ("observations",)
MARKERS = (*ANALYTES["ctx"].concepts, *ANALYTES["p1np"].concepts)


@feature("months_since_btm", Kind.NUMBER, "months", meaning="Months since the last bone turnover marker.", reads=READS)
def months_since_btm(context: Features) -> Feature:
    """Months since the newest CTX or P1NP; never measured: beyond every limit."""
    facts = [fact for fact in context.observations(*MARKERS) if fact.value is not None]
    if not facts:
        provided = results_provided(context)
        return never() if provided else unknown("observations not provided", "bone_turnover_marker")
    shown = [observed("bone_turnover_marker", facts[0])]
    if facts[0].effective is None:
        return unknown("date not recorded", "bone_turnover_marker", evidence=shown)
    low, high = months_since(facts[0].effective, context.today)
    return interval(low, high, shown, missing=("bone_turnover_marker",))


@family(
    "btm_recent",
    WholeNumber("months"),
    kind=Kind.TRUTH,
    meaning="A bone turnover marker in the last {} months.",
    reads=READS,
)
def btm_recent(context: Features, months: str) -> Feature:
    """A CTX or P1NP value at most so many months old; asks for presence."""
    facts = [fact for fact in context.observations(*MARKERS) if fact.value is not None]
    ages = [(within_months(fact.effective, int(months), context.today), fact) for fact in facts]
    for wanted in (True, None):
        chosen = [fact for age, fact in ages if age is wanted]
        if chosen:
            shown = [observed("bone_turnover_marker", chosen[0])]
            return (
                known(True, shown) if wanted else unknown("date does not tell", "bone_turnover_marker", evidence=shown)
            )
    if results_provided(context):
        return none_on_record()
    return unknown("observations not provided", "bone_turnover_marker")
