"""Which dosages are vocabulary and nobody's data: codes, numbers, and words that the tables list."""

from __future__ import annotations

from collections.abc import Iterator

from app.fhir.medications.dosage_text import read_text
from app.fhir.remembered import is_term
from app.wire.dosage import Dosage, DoseAndRate, Quantity, Range, Ratio
from app.wire.elements import CodeableConcept

_LONGEST_CODE = 8
"""Characters of a code in Timing.repeat: "ACM", "mon", "08:00:00"."""
_LONGEST_UNIT = 32
"""Characters of a unit of a dose; what is longer can be a sentence."""


def is_vocabulary(dosage: Dosage) -> bool:
    """Whether an instruction holds nothing but codes, numbers, short units, and a text that the grammar reads whole.

    Words of a chart can be about a person, and are not kept between calls.
    """
    if dosage.text and read_text(dosage.text) is None:
        return False
    timing = dosage.timing
    if (
        dosage.unreadable
        or (timing is not None and timing.event)
        or not all(concept is None or is_term(concept) for concept in _concepts(dosage))
    ):
        return False
    repeat = timing.repeat if timing is not None else None
    codes = (
        ()
        if repeat is None
        else (*repeat.when, *repeat.time_of_day, *repeat.day_of_week, repeat.duration_unit, repeat.period_unit)
    )
    if any(code is not None and len(code) > _LONGEST_CODE for code in codes):
        return False
    return all(_is_short(quantity) for quantity in _quantities(dosage))


def _is_short(quantity: Quantity) -> bool:
    words = (quantity.unit, quantity.code, quantity.comparator)
    return all(word is None or len(word) <= _LONGEST_UNIT for word in words) and (
        quantity.system is None or "://" in quantity.system or quantity.system.startswith("urn:")
    )


def _concepts(dosage: Dosage) -> Iterator[CodeableConcept | None]:
    """Every coded member of an instruction."""
    yield dosage.route
    yield dosage.as_needed_codeable_concept
    yield from dosage.as_needed_for
    yield dosage.timing.code if dosage.timing is not None else None
    yield from (entry.type for entry in dosage.dose_and_rate)


def _quantities(dosage: Dosage) -> Iterator[Quantity]:
    """Every quantity of an instruction."""
    repeat = dosage.timing.repeat if dosage.timing is not None else None
    parts: list[Quantity | Range | Ratio | None] = [
        dosage.dose,
        dosage.max_dose_per_administration,
        dosage.max_dose_per_lifetime,
        repeat.bounds_duration if repeat is not None else None,
        repeat.bounds_range if repeat is not None else None,
    ]
    limits = dosage.max_dose_per_period
    parts += limits if isinstance(limits, tuple) else [limits]
    entries: tuple[Dosage | DoseAndRate, ...] = (dosage, *dosage.dose_and_rate)
    for entry in entries:
        parts += [entry.dose_quantity, entry.dose_range, entry.rate_ratio, entry.rate_range, entry.rate_quantity]
    for part in parts:
        match part:
            case Quantity():
                yield part
            case Range():
                yield from (end for end in (part.low, part.high) if end is not None)
            case Ratio():
                yield from (end for end in (part.numerator, part.denominator) if end is not None)
            case None:
                pass
