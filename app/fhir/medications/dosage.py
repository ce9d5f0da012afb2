"""Dosage: how much of a drug a day, how often, and for how long it was ordered.

Only what can be told for sure is told; everything else says why it is not known (`Dose.unknown_because`).
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

from msgspec import Struct

from app.chart import DateRange, Dose
from app.fhir.medications.product import Product, is_count, milligrams
from app.fhir.resource import Reading
from app.terminology.code_sets import terminology
from app.terminology.codeable_concept import codings, objects
from app.terminology.drug_classes import iu_per_mg
from app.terminology.units import to_decimal

NO_DOSAGE = "no dosage"
TEXT_ONLY = "free text only"
AS_NEEDED = "as needed"
NO_PERIOD = "no period"
NO_AMOUNT = "no amount"
TAPERING = "tapering"
RANGE = "a range"
UNIT = "unit not known"


class Dosage(Struct, frozen=True, gc=False):
    """The dose, and the time that the dosage itself sets for the course."""

    dose: Dose
    starts: DateRange | None = None
    ends: DateRange | None = None
    planned_days: Decimal | None = None


class _Part(Struct, frozen=True, gc=False):
    dose: Dose
    starts: DateRange | None
    ends: DateRange | None
    days: Decimal | None
    sequence: object


def read_dosage(value: object, product: Product, drugs: frozenset[str], reading: Reading) -> Dosage:
    """The dosage of a statement (`dosage`), order (`dosageInstruction`) or administration (one object)."""
    parts = [_part(entry, product, drugs, reading) for entry in objects(value)]
    if not parts:
        return Dosage(Dose(unknown_because=NO_DOSAGE))
    starts = min((part.starts for part in parts if part.starts), default=None)
    all_end = all(part.ends for part in parts)
    ends = max((part.ends for part in parts if part.ends), default=None) if all_end else None
    if len(parts) == 1:
        return Dosage(parts[0].dose, starts, ends, parts[0].days)
    in_turn = len({str(part.sequence) for part in parts if part.sequence is not None}) > 1 or _successive(parts)
    if not in_turn:
        days = {part.days for part in parts}
        return Dosage(_together(parts), starts, ends, days.pop() if len(days) == 1 else None)
    lengths = [part.days for part in parts]
    total = sum((days for days in lengths if days is not None), Decimal(0)) if None not in lengths else None
    return Dosage(_average(parts, total), starts, ends, total)


def _successive(parts: list[_Part]) -> bool:
    """Whether the parts have times of their own, one after the other."""
    spans = [(part.starts, part.ends) for part in parts if part.starts is not None and part.ends is not None]
    starts = sorted(start for start, _ in spans)
    return len(starts) == len(parts) and all(earlier < later for earlier, later in pairwise(starts))


def _together(parts: list[_Part]) -> Dose:
    """Doses taken side by side (morning and evening): their sum."""
    doses = [part.dose for part in parts]
    unknown = next((dose.unknown_because for dose in doses if dose.daily_mg is None), None)
    singles = {dose.single_mg for dose in doses}
    total = None if unknown else sum((dose.daily_mg for dose in doses if dose.daily_mg is not None), Decimal(0))
    single = singles.pop() if len(singles) == 1 else None
    return Dose(
        daily_mg=total,
        single_mg=single,
        interval_days=single / total if single is not None and total else None,
        elemental=all(dose.elemental for dose in doses),
        as_needed=any(dose.as_needed for dose in doses),
        unknown_because=unknown,
    )


def _average(parts: list[_Part], total_days: Decimal | None) -> Dose:
    """Doses taken one after the other: the average per day, where each part's length and dose are known."""
    known = [(part.dose.daily_mg, part.days) for part in parts]
    elemental = all(part.dose.elemental for part in parts)
    if not total_days or any(daily is None or days is None for daily, days in known):
        return Dose(elemental=elemental, unknown_because=TAPERING)
    amount = sum((daily * days for daily, days in known if daily is not None and days is not None), Decimal(0))
    return Dose(daily_mg=amount / total_days, elemental=elemental)


def _part(entry: dict[str, Any], product: Product, drugs: frozenset[str], reading: Reading) -> _Part:
    timing = entry.get("timing")
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    repeat = repeat if isinstance(repeat, dict) else {}
    bounds = repeat.get("boundsPeriod")
    starts = reading.date(bounds.get("start")) if isinstance(bounds, dict) else None
    ends = reading.date(bounds.get("end")) if isinstance(bounds, dict) else None
    days = _duration(repeat.get("boundsDuration"))
    if days is None and starts and ends and starts.exact and ends.exact:
        days = Decimal((ends.latest - starts.earliest).days + 1)
    return _Part(_dose(entry, timing, repeat, product, drugs), starts, ends, days, entry.get("sequence"))


def _duration(value: object) -> Decimal | None:
    if not isinstance(value, dict):
        return None
    number = to_decimal(value.get("value"))
    factor = _days_of(value.get("code") or value.get("unit"))
    return None if number is None or factor is None else number * factor


def _days_of(unit: object) -> Decimal | None:
    return _days(unit) if isinstance(unit, str) else None


@lru_cache(maxsize=1024)
def _days(unit: str) -> Decimal | None:
    """The days in a unit of time. Remembered: units repeat, and are no patient data."""
    found = terminology().raw["text-patterns"]["time_units"].get(unit.strip().lower())
    return None if found is None else Decimal(found)


def _dose(
    entry: dict[str, Any], timing: object, repeat: dict[str, Any], product: Product, drugs: frozenset[str]
) -> Dose:
    given_text = entry.get("text")
    text = given_text if isinstance(given_text, str) else ""
    quantity, problem = _quantity(entry)
    as_needed = entry.get("asNeededBoolean") is True or isinstance(entry.get("asNeededCodeableConcept"), dict)
    as_needed = as_needed or entry.get("asNeeded") is True  # R5
    elemental = "elemental" in f"{quantity.get('unit', '')} {text}".lower()
    amount = _amount(quantity, product, drugs)
    if quantity and amount is None and problem is None:
        problem = UNIT
    interval = _interval(timing, repeat)
    if not quantity and interval is None and problem is None:
        return _from_text(text, as_needed, elemental)
    if as_needed:
        problem = AS_NEEDED
    elif problem is None and amount is None:
        problem = NO_AMOUNT
    elif problem is None and interval is None:
        problem = NO_PERIOD
    daily = amount / interval if amount is not None and interval and problem is None else None
    return Dose(daily, amount, interval, elemental, as_needed, problem)


def _quantity(entry: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The amount of one dose as a Quantity, or {} with the reason."""
    for rate in objects(entry.get("doseAndRate")):
        if isinstance(rate.get("doseQuantity"), dict):
            return rate["doseQuantity"], None
        if isinstance(rate.get("doseRange"), dict):
            return {}, RANGE
    for key in ("doseQuantity", "dose"):  # STU3, MedicationAdministration
        if isinstance(entry.get(key), dict):
            return entry[key], None
    return {}, None


def _amount(quantity: dict[str, Any], product: Product, drugs: frozenset[str]) -> Decimal | None:
    """The amount in mg."""
    value = to_decimal(quantity.get("value"))
    if value is None:
        return None
    for unit in (quantity.get("code"), quantity.get("unit")):
        name = str(unit or "").strip().lower()
        if not name:
            continue
        mass = milligrams(value, name)
        if mass is not None:
            return mass
        if name == "ml" and product.mg_per_ml is not None:
            return value * product.mg_per_ml
        if name in _iu():
            per_mg = iu_per_mg(drugs)
            return None if per_mg is None else value / per_mg
    if any(is_count(quantity.get(key)) for key in ("code", "unit")) and product.strength_mg is not None:
        return value * product.strength_mg
    return None


@cache
def _iu() -> frozenset[str]:
    return frozenset(unit.lower() for unit in terminology().raw["units"]["dose_iu"])


def _interval(timing: object, repeat: dict[str, Any]) -> Decimal | None:
    """Days between two doses, on average."""
    period, unit = to_decimal(repeat.get("period")), _days_of(repeat.get("periodUnit"))
    if repeat.get("frequencyMax") is not None or repeat.get("periodMax") is not None:
        return None
    times = to_decimal(repeat.get("frequency"))
    for key in ("dayOfWeek", "timeOfDay", "when"):
        if times is None and isinstance(repeat.get(key), list) and repeat[key]:
            times = Decimal(len(repeat[key]))
            if period is None:
                period, unit = Decimal(1), Decimal(7) if key == "dayOfWeek" else Decimal(1)
    if period and unit:
        times = times if times is not None else Decimal(1)
        return period * unit / times if times > 0 else None
    for coding in codings(timing.get("code") if isinstance(timing, dict) else None):
        entry = terminology().raw["text-patterns"]["timing_codes"].get(str(coding.get("code") or "").strip().upper())
        if entry is not None:
            return Decimal(entry["days"]) / Decimal(entry["times"])
    return None


@cache
def _text_rules() -> tuple[re.Pattern[str], tuple[tuple[re.Pattern[str], Decimal, Decimal], ...]]:
    rules = terminology().raw["text-patterns"]["dosage"]
    return re.compile(rules["amount"], re.IGNORECASE), tuple(
        (re.compile(f"(?:{rule['text']}){rules['ends']}", re.IGNORECASE), Decimal(rule["times"]), Decimal(rule["days"]))
        for rule in rules["frequencies"]
    )


def _from_text(text: str, as_needed: bool, elemental: bool) -> Dose:
    """A dosage of which only the text is given: read where it is one amount and one frequency and nothing else."""
    amount_pattern, frequencies = _text_rules()
    found = amount_pattern.match(text)
    if found is None:
        return Dose(elemental=elemental, as_needed=as_needed, unknown_because=TEXT_ONLY if text else NO_AMOUNT)
    amount = milligrams(to_decimal(found.group(1)), found.group(2))
    rest = text[found.end() :]
    for pattern, times, days in frequencies:
        if amount is not None and pattern.match(rest):
            interval = days / times
            daily = None if as_needed else amount / interval
            return Dose(daily, amount, interval, elemental, as_needed, AS_NEEDED if as_needed else None)
    return Dose(elemental=elemental, as_needed=as_needed, unknown_because=TEXT_ONLY)
