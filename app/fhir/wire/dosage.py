"""FHIR R4 Dosage and Timing as typed structs, and their conversion from JSON objects.

The structs hold every member from which a dose over time follows. Numbers are `Decimal`, exactly as written. Members of
other FHIR versions that mean the same are here too: a dose or rate beside `doseAndRate` (STU3, and the dosage of a
MedicationAdministration), `asNeeded` and `asNeededFor` (R5).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import Struct

from app.terminology.codeable_concept import objects
from app.terminology.units import to_decimal


class Coding(Struct, rename="camel", frozen=True, gc=False):
    """A code in a code system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(Struct, rename="camel", frozen=True, gc=False):
    """A CodeableConcept."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Quantity(Struct, rename="camel", frozen=True, gc=False):
    """An amount; `code` is the unit in the code system `system`, `unit` is the unit in words."""

    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Range(Struct, rename="camel", frozen=True, gc=False):
    """An amount between two ends, either of which can be open."""

    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(Struct, rename="camel", frozen=True, gc=False):
    """An amount per another amount."""

    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Period(Struct, rename="camel", frozen=True, gc=False):
    """A time between two FHIR dates, either of which can be open."""

    start: str | None = None
    end: str | None = None


class Repeat(Struct, rename="camel", frozen=True, gc=False):
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


class Timing(Struct, rename="camel", frozen=True, gc=False):
    """When something happens: at listed moments, by a rule, or by a code such as BID."""

    event: tuple[str, ...] = ()
    repeat: Repeat | None = None
    code: Concept | None = None


class DoseAndRate(Struct, rename="camel", frozen=True, gc=False):
    """One amount of a dose, or a rate."""

    type: Concept | None = None
    dose_quantity: Quantity | None = None
    dose_range: Range | None = None
    rate_ratio: Ratio | None = None
    rate_range: Range | None = None
    rate_quantity: Quantity | None = None


class Dosage(Struct, rename="camel", frozen=True, gc=False):
    """One instruction. `unreadable`: members that are not of their type, which make the dose unknown."""

    sequence: Decimal | None = None
    text: str | None = None
    timing: Timing | None = None
    as_needed_boolean: bool | None = None
    as_needed_codeable_concept: Concept | None = None
    as_needed: bool | None = None
    as_needed_for: tuple[Concept, ...] = ()
    route: Concept | None = None
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


T = TypeVar("T", bound=Struct)


def dosages_of(value: object) -> tuple[Dosage, ...]:
    """The instructions of a list of Dosage objects, or of the single object in its place."""
    return tuple([dosage_of(entry) for entry in objects(value)])


def dosage_of(entry: dict[str, Any]) -> Dosage:
    """One Dosage. A member of the wrong type is left out and named in `Dosage.unreadable`."""
    try:
        return msgspec.convert(entry, Dosage)
    except msgspec.ValidationError:
        wrong: list[str] = []
        found = _repaired(entry, Dosage, "", wrong)
        return msgspec.structs.replace(found, unreadable=tuple(wrong))


def _repaired(entry: object, kind: type[T], path: str, wrong: list[str]) -> T:
    """A struct of the members that have their type, after what each member can stand for has been tried."""
    if not isinstance(entry, dict):
        wrong.append(path.removesuffix(".") or "dosage")
        return kind()
    kept: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.encode_name not in entry or entry[field.encode_name] is None:
            continue
        value, name = entry[field.encode_name], f"{path}{field.encode_name}"
        try:
            kept[field.name] = msgspec.convert(_tolerated(value, field.type), field.type)
        except msgspec.ValidationError:
            kept[field.name] = _inside(value, field.type, name, wrong)
    return kind(**{name: value for name, value in kept.items() if value is not _NOTHING})


_NOTHING = object()


def _inside(value: object, annotation: object, name: str, wrong: list[str]) -> Any:
    """A nested struct, or tuple of structs, with its own members repaired; _NOTHING for a plain value."""
    for option in _options(annotation):
        if isinstance(option, type) and issubclass(option, Struct) and isinstance(value, dict):
            return _repaired(value, option, f"{name}.", wrong)
        item = _item_of(option)
        if item is not None and isinstance(value, (list, dict)):
            return tuple(
                [_repaired(one, item, f"{name}.", wrong) for one in (value if isinstance(value, list) else [value])]
            )
    wrong.append(name)
    return _NOTHING


def _options(annotation: object) -> tuple[object, ...]:
    """The types of a union, or the one type."""
    return (annotation,) if _is_tuple(annotation) else get_args(annotation) or (annotation,)


def _is_tuple(annotation: object) -> bool:
    return get_origin(annotation) is tuple


def _item_of(annotation: object) -> type[Struct] | None:
    """The struct that a tuple holds; None for other types."""
    item = get_args(annotation)[0] if _is_tuple(annotation) else None
    return item if isinstance(item, type) and issubclass(item, Struct) else None


def _tolerated(value: object, annotation: object) -> object:
    """A single value where a list belongs, and a number written with a comma."""
    if isinstance(value, str) and Decimal in _options(annotation):
        return to_decimal(value) or value
    if isinstance(value, (str, dict)) and _is_tuple(annotation):
        return [value]
    return value
