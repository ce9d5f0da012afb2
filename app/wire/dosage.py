"""FHIR R4 Dosage and Timing (http://hl7.org/fhir/R4/dosage.html).

The types hold every member from which a dose over time follows. Numbers are `Decimal`, exactly as written. Members of
other FHIR versions that mean the same are here too: a dose or rate beside `doseAndRate` (STU3, and the dosage of a
MedicationAdministration), `asNeeded` and `asNeededFor` (R5).
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from app.wire.elements import CodeableConcept, Period, Sentences, Token, WireType


class Quantity(WireType, frozen=True, gc=False):
    """An amount; `code` is the unit in the code system `system`, `unit` is the unit in words."""

    value: Decimal | None = None
    comparator: Token | None = None
    unit: Token | None = None
    system: Token | None = None
    code: Token | None = None


class Range(WireType, frozen=True, gc=False):
    """An amount between two ends, either of which can be open."""

    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(WireType, frozen=True, gc=False):
    """An amount per another amount."""

    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Repeat(WireType, frozen=True, gc=False):
    """Timing.repeat: how often, on which days, at what times, and for how long."""

    bounds_duration: Quantity | None = None
    bounds_range: Range | None = None
    bounds_period: Period | None = None
    count: Decimal | None = None
    count_max: Decimal | None = None
    duration: Decimal | None = None
    duration_max: Decimal | None = None
    duration_unit: str | None = None
    frequency: Decimal | None = None
    frequency_max: Decimal | None = None
    period: Decimal | None = None
    period_max: Decimal | None = None
    period_unit: str | None = None
    day_of_week: tuple[str, ...] = ()
    time_of_day: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    offset: Decimal | None = None


class Timing(WireType, frozen=True, gc=False):
    """When something happens: at listed moments, by a rule, or by a code such as BID."""

    event: tuple[str, ...] = ()
    repeat: Repeat | None = None
    code: CodeableConcept | None = None


class DoseAndRate(WireType, frozen=True, gc=False):
    """One amount of a dose, or a rate."""

    type: CodeableConcept | None = None
    dose_quantity: Quantity | None = None
    dose_range: Range | None = None
    rate_ratio: Ratio | None = None
    rate_range: Range | None = None
    rate_quantity: Quantity | None = None


class Dosage(WireType, frozen=True, gc=False):
    """One instruction. `unreadable`: members that are not of their type, which make the dose unknown."""

    sequence: Decimal | None = None
    text: Sentences | None = None
    timing: Timing | None = None
    as_needed_boolean: bool | None = None
    as_needed_codeable_concept: CodeableConcept | None = None
    as_needed: bool | None = None
    as_needed_for: tuple[CodeableConcept, ...] = ()
    route: CodeableConcept | None = None
    dose_and_rate: tuple[DoseAndRate, ...] = ()
    dose_quantity: Quantity | None = None
    dose_range: Range | None = None
    dose: Quantity | None = None
    rate_ratio: Ratio | None = None
    rate_range: Range | None = None
    rate_quantity: Quantity | None = None
    max_dose_per_period: Ratio | tuple[Ratio, ...] | None = None
    max_dose_per_administration: Quantity | None = None
    max_dose_per_lifetime: Quantity | None = None
    unreadable: tuple[str, ...] = msgspec.field(default=(), name="_unreadable")
