"""Height, weight and what their change tells."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from itertools import takewhile

from app.chart import DateRange, ObservationFact
from app.dates import add_months, newest_first, years_between
from app.features.catalogue import feature
from app.features.fact_index import largest
from app.features.model import Evidence, Feature, Features, Kind, known, observed, unknown
from app.features.notes import NoteCode, note
from app.features.person.demographics import FULL_AGE
from app.features.readings import newest_value, number, number_of

READS = ("observations",)
WEIGHT_LOSS_MONTHS = (6, 12)
"""The earlier weight is the heaviest of this span before the newest one: the usual window of "recent" weight loss."""


@feature("height_cm", Kind.NUMBER, "cm", meaning="Newest height.", reads=READS)
def height_cm(context: Features) -> Feature:
    """The newest height; it has no age limit (decision 35)."""
    return number(context, ("body_height",), "height", unit="cm")


@feature("weight_kg", Kind.NUMBER, "kg", meaning="Newest weight.", reads=READS)
def weight_kg(context: Features) -> Feature:
    """The newest weight within its age limit (decision 35)."""
    return number(context, ("body_weight",), "weight", age="weight", unit="kg")


@feature("bmi", Kind.NUMBER, "kg/m2", meaning="Body mass index.", reads=READS)
def bmi(context: Features) -> Feature:
    """Reported within the age limit of weight, else from weight and height; the newer of the two decides."""
    reported = newest_value(context, ("bmi",), "bmi", age="weight", unit="kg/m2")
    weight, height = context.feature("weight_kg"), context.feature("height_cm")
    if reported.fact is not None:
        own = reported.fact.effective
        weighed = weight.evidence[0].date if weight.known and height.known else None
        if weighed is None or own is None or newest_first(own) <= newest_first(weighed):
            return number_of(reported.fact, "bmi")
    if not isinstance(weight.value, Decimal) or not isinstance(height.value, Decimal):
        missing = dict.fromkeys(("bmi", *weight.missing, *height.missing))
        why = reported.problem.why_unknown or "not recorded"
        evidence = (*reported.problem.evidence, *weight.evidence)
        return unknown(why, *missing, evidence=evidence)
    metres = height.value / 100
    index = weight.value / (metres * metres)
    source = weight.evidence[0]
    notes = (note(NoteCode.FROM_WEIGHT_AND_HEIGHT, weight.value, height.value),)
    return known(index, [Evidence("bmi", index.quantize(Decimal("0.1")), "kg/m2", source.date, source.resource, notes)])


def _is_adult_height(born: DateRange | None, fact: ObservationFact) -> bool:
    return (
        fact.value is not None
        and fact.unit in (None, "cm")
        and fact.effective is not None
        and fact.comparator is None
        and (born is None or years_between(born.latest, fact.effective.earliest) >= FULL_AGE)
    )


@feature("height_loss_cm", Kind.NUMBER, "cm", meaning="Loss of height since the tallest adult height.", reads=READS)
def height_loss_cm(context: Features) -> Feature:
    """The recorded loss, or tallest adult height minus newest height, whichever is larger; small losses as well.

    One height alone is not enough.
    """
    losses: list[tuple[Decimal, tuple[Evidence, ...]]] = []
    recorded = number(context, ("height_loss",), "height_loss", unit="cm")
    if isinstance(recorded.value, Decimal):
        losses.append((recorded.value, recorded.evidence))
    heights, counts = context.observations("body_height"), partial(_is_adult_height, context.chart.patient.birth_date)
    newest = next(filter(counts, heights), None)
    if newest is not None and any(counts(fact) and fact.effective != newest.effective for fact in reversed(heights)):
        tallest = largest(heights, counts)
        if newest.value is not None and tallest is not None and tallest.value is not None:
            shown = (observed("height", newest), observed("height", tallest, note(NoteCode.TALLEST_ON_RECORD)))
            losses.append((tallest.value - newest.value, shown))
    if not losses:
        return unknown("not recorded", "height_loss", evidence=recorded.evidence)
    value, evidence = max(losses, key=lambda loss: loss[0])
    return known(value, evidence)


@feature("weight_loss_percent", Kind.NUMBER, "%", meaning="Loss of weight over the last 6 to 12 months.", reads=READS)
def weight_loss_percent(context: Features) -> Feature:
    """Newest weight against the heaviest of 6 to 12 months before it, in percent; a gain is negative."""
    newest = newest_value(context, ("body_weight",), "weight", age="weight", unit="kg").fact
    if newest is None or newest.value is None or newest.effective is None:
        return unknown("no recent weight", "weight")
    shown = [observed("weight", newest)]
    in_time = takewhile(partial(_not_too_early, newest.effective.latest), context.observations("body_weight"))
    earlier = [
        fact
        for fact in in_time
        if fact.value is not None and fact.unit in (None, "kg") and _in_window(fact, newest.effective.latest)
    ]
    if not earlier:
        return unknown("no earlier weight", "weight", evidence=shown)
    before = max(earlier, key=lambda fact: (fact.value or Decimal(0), fact.ref))
    if before.value is None or before.value <= 0:
        return unknown("no earlier weight", "weight", evidence=shown)
    percent = (before.value - newest.value) / before.value * 100
    return known(percent, [*shown, observed("weight", before, note(NoteCode.EARLIER_WEIGHT))])


def _not_too_early(newest: date, fact: ObservationFact) -> bool:
    """Whether a weight, or an older one than it, can be of the time in which a loss counts."""
    return fact.effective is not None and add_months(fact.effective.earliest, max(WEIGHT_LOSS_MONTHS)) >= newest


def _in_window(fact: ObservationFact, newest: date) -> bool:
    if fact.effective is None or not fact.effective.exact or fact.effective.latest >= newest:
        return False
    first, last = (add_months(fact.effective.latest, months) for months in WEIGHT_LOSS_MONTHS)
    return first <= newest <= last
