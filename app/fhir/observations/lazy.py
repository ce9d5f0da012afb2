"""Lazy results: read when a feature asks for them.

Of the results of a chart the newest of each kind decide, and a chart can hold thousands. The kind and the moment of
each result are looked at; its number, normal range and flag only on use. A result is lazy only where
it is certain that it can be read. Everything else is read at once, so that what cannot be used is named whether or not
anything asks for it.
"""

from __future__ import annotations

from app.chart import ObservationFact, UnreadObservation
from app.fhir.dates import moment_of
from app.fhir.observations.values import Limits, Question, read_values, when
from app.fhir.resource import Reading, ref_of
from app.terminology.units import certainly_possible
from app.wire.observations import Observation


def lazy_result(
    resource: Observation, question: Question, reading: Reading, limits: Limits, *, preliminary: bool
) -> UnreadObservation | None:
    """The result, to be read on use; None where it has to be read now."""
    quantity = resource.value_quantity
    rule = question.rule
    if quantity is None or rule is None or question.density is not None:
        return None
    value = quantity.value
    if value is None or isinstance(value, str) or _is_more(resource):
        return None
    low, high, factor = certainly_possible(rule, quantity.code, quantity.unit)
    moment = moment_of(resource.effective_date_time)
    if not low < value < high or moment is None or not reading.has_been(moment):
        return None
    record = resource, question, reading, limits, preliminary
    return UnreadObservation(question.found.concepts, moment, value * factor, _read, record)


def _is_more(resource: Observation) -> bool:
    """Whether an Observation holds more than a number on a day."""
    return bool(
        resource.component
        or resource.body_site is not None
        or resource.data_absent_reason is not None
        or resource.method is not None
        or resource.value_boolean is not None
        or resource.value_codeable_concept is not None
        or resource.value_date_time is not None
        or resource.value_string is not None
    )


def _read(
    resource: Observation, question: Question, reading: Reading, limits: Limits, preliminary: bool
) -> ObservationFact:
    effective, order = when(resource, reading)
    fact = read_values(resource, resource, question, ref_of(resource), effective, order, preliminary, reading, limits)
    if fact is None:
        raise AssertionError("a lazy result that cannot be used")
    return fact
