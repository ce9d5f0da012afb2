"""Hyper- and hypocalcaemia: the newest judged calcium, beside the diagnosis."""

from __future__ import annotations

from app.chart import DateRange, Interpretation
from app.features.catalogue import feature
from app.features.history.diagnoses import confirmed
from app.features.laboratory.values import is_judged, judged, present, reading
from app.features.model import Feature, Features, Kind, known, observed
from app.features.notes import NoteCode, note

READS = ("observations",)


def _calcium_disorder(context: Features, side: Interpretation, diagnosis: str) -> Feature:
    """A judged value decides unless the diagnosis is dated later; without one a present diagnosis counts."""
    value = is_judged(context, "calcium", side)
    coded = context.feature(f"condition.{diagnosis}")
    if coded.value is not True or value.value is True:
        return value
    if value.value is None:
        return coded
    sampled = value.evidence[0].date
    later = [
        fact
        for fact in context.conditions(diagnosis)
        if confirmed(fact, present_only=True) and _is_later(fact.onset or fact.recorded, sampled)
    ]
    return coded if later else value


def _is_later(stated: DateRange | None, sampled: DateRange | None) -> bool:
    return stated is not None and sampled is not None and stated.earliest > sampled.latest


@feature("hypercalcaemia", Kind.TRUTH, meaning="Calcium is high.", reads=("observations", "conditions"))
def hypercalcaemia(context: Features) -> Feature:
    """The newest calcium is high (decision 20), or hypercalcaemia is diagnosed and no newer value contradicts it.

    A diagnosis alone never makes it false: calcium that cannot be judged is unknown.
    """
    return _calcium_disorder(context, Interpretation.HIGH, "hypercalcaemia")


@feature("hypocalcaemia", Kind.TRUTH, meaning="Calcium is low.", reads=("observations", "conditions"))
def hypocalcaemia(context: Features) -> Feature:
    """The newest calcium is low (decision 20), or hypocalcaemia is diagnosed and no newer value contradicts it."""
    return _calcium_disorder(context, Interpretation.LOW, "hypocalcaemia")


@feature("calcium_known", Kind.TRUTH, meaning="A calcium value within its age limit can be judged.", reads=READS)
def calcium_known(context: Features) -> Feature:
    """Asks for presence: a value without flag and range does not count as known."""
    found = reading(context, "calcium")
    if found.fact is not None and judged(found.fact) is None:
        return known(False, [observed("calcium", found.fact, note(NoteCode.NO_FLAG))])
    return present(context, found, "calcium")
