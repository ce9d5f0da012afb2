"""Results that are left unread until somebody asks for them.

Of the results of a chart the newest of each kind decide, and a chart can hold thousands. What kind a result is of and
when it was measured is looked at in each of them; the number, its normal range and its flag only in those that are
asked for. A result is left unread only where it is certain that it can be read: everything else is read at once, so
that what cannot be used is named whether or not somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from app.chart import ObservationFact, UnreadObservation
from app.decoding.written import Result
from app.fhir.dates import moment_of
from app.fhir.observations.values import Limits, Question, read_values, when
from app.fhir.resource import Reading, ref_of
from app.terminology.units import certainly_possible

_READ_AT_ONCE = frozenset(
    {
        "bodySite",
        "component",
        "method",
        "valueBoolean",
        "valueCodeableConcept",
        "valueDateTime",
        "valueString",
    }
)
"""Members that make more of a result than a number on a day."""


def left_unread(
    resource: dict[str, Any], question: Question, reading: Reading, limits: Limits, *, preliminary: bool
) -> UnreadObservation | None:
    """The result, to be read when it is asked for; None where it has to be read now."""
    if not resource.keys().isdisjoint(_READ_AT_ONCE):
        return None
    quantity = resource.get("valueQuantity")
    if not isinstance(quantity, dict):
        return None
    value = quantity.get("value")
    if type(value) is not float and type(value) is not int:  # a bool is an int
        return None
    number = value, quantity.get("code"), quantity.get("unit")
    record = resource, question, reading, limits, preliminary
    return _unread(question, number, resource.get("effectiveDateTime"), reading, _read, record)


def result_left_unread(
    result: Result, question: Question, reading: Reading, limits: Limits
) -> UnreadObservation | None:
    """A result as it was written, to be read when it is asked for; None where it has to be read now."""
    quantity = result.value_quantity
    if quantity is UNSET or quantity.value is UNSET:
        return None
    number = float(bytes(quantity.value)), quantity.code, quantity.unit
    record = result, question, reading, limits
    return _unread(question, number, result.effective_date_time, reading, _read_result, record)


def _unread(
    question: Question,
    number: tuple[float, object, object],
    effective: object,
    reading: Reading,
    read: Callable[..., ObservationFact],
    record: tuple[object, ...],
) -> UnreadObservation | None:
    """What `read` makes a fact of, where it is certain that it can. `number`: with code and text of its unit."""
    value, code, unit = number
    if question.rule is None or question.density is not None:
        return None
    try:
        low, high, factor = certainly_possible(question.rule, code, unit)
    except TypeError:  # a list or object where a text belongs
        return None
    moment = moment_of(effective)
    if not low < value < high or moment is None or not reading.has_been(moment):
        return None
    return UnreadObservation(question.found.concepts, moment, value * factor, read, record)


def _read_result(result: Result, question: Question, reading: Reading, limits: Limits) -> ObservationFact:
    return _read(result.number(), question, reading, limits, preliminary=False)


def _read(
    resource: dict[str, Any], question: Question, reading: Reading, limits: Limits, preliminary: bool
) -> ObservationFact:
    effective, order = when(resource, reading)
    fact = read_values(resource, resource, question, ref_of(resource), effective, order, preliminary, reading, limits)
    if fact is None:
        raise AssertionError("a result was left unread that cannot be used")
    return fact
