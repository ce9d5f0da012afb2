"""How much is given at a time: the amount of a Dosage in mg of the drug, exactly or between two ends."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache

from msgspec import Struct

from app.chart import DoseUnknown
from app.fhir.medications.extent import ANYTHING, Extent, exactly
from app.fhir.medications.frequency import RANGE, days_in, number
from app.fhir.medications.product import is_count, milligrams
from app.terminology.code_sets import terminology
from app.terminology.drug_classes import iu_per_mg
from app.terminology.units import to_decimal
from app.wire.dosage import Dosage, DoseAndRate, Quantity, Range, Ratio, Repeat

NO_AMOUNT = DoseUnknown.NO_AMOUNT
UNIT = DoseUnknown.UNIT_NOT_KNOWN
SEVERAL = DoseUnknown.SEVERAL_DOSES
RATE = DoseUnknown.RATE_WITHOUT_DURATION


class Amount(Struct, frozen=True, gc=False):
    """The mg of one administration, or of a day (`a_day`: a rate). `problem`: why it is not known exactly."""

    extent: Extent
    problem: DoseUnknown | None = None
    a_day: bool = False


class Drug(Struct, frozen=True, gc=False):
    """What an amount can be converted by: mg per piece, mg per mL, and the drugs for international units."""

    strength_mg: Decimal | None
    mg_per_ml: Decimal | None
    drugs: frozenset[str]


def amount_of(dosage: Dosage, drug: Drug) -> Amount | None:
    """The amount of a Dosage; None where it names none.

    Several entries of `doseAndRate` give the same dose in different ways (ordered per kg, calculated in mg): those that
    can be read have to agree.
    """
    repeat = dosage.timing.repeat if dosage.timing is not None else None
    beside = DoseAndRate(
        None, dosage.dose_quantity or dosage.dose, dosage.dose_range, dosage.rate_ratio, dosage.rate_range,
        dosage.rate_quantity,
    )  # fmt: skip
    found = [_entry(entry, repeat, drug) for entry in (*dosage.dose_and_rate, beside)]
    stated = [amount for amount in found if amount is not None]
    if not stated:
        return None
    usable = [amount for amount in stated if amount.problem in {None, RANGE}]
    if not usable:
        return stated[0]
    first = usable[0]
    if all(amount.extent == first.extent for amount in usable):
        return first
    widest = first.extent
    for amount in usable[1:]:
        widest = widest.widened(amount.extent)
    return Amount(widest, SEVERAL, first.a_day)


def _entry(entry: DoseAndRate, repeat: Repeat | None, drug: Drug) -> Amount | None:
    if entry.dose_quantity is not None:
        return _quantity(entry.dose_quantity, drug)
    if entry.dose_range is not None:
        return _range(entry.dose_range, drug)
    return _rate(entry, repeat, drug)


def _quantity(quantity: Quantity, drug: Drug) -> Amount | None:
    if quantity.value is None:
        named = quantity.unit or quantity.code
        return Amount(ANYTHING, NO_AMOUNT) if named else None
    found = in_mg(quantity, drug)
    if found is None:
        return Amount(ANYTHING, UNIT)
    match quantity.comparator:
        case None | "":
            return Amount(exactly(found))
        case "<" | "<=":
            return Amount(Extent(Fraction(0), found), RANGE)
        case _:
            return Amount(Extent(found, None), RANGE)


def _range(value: Range, drug: Drug) -> Amount:
    """A range, whose ends can name the unit for each other."""
    low, high = value.low or Quantity(), value.high or Quantity()
    if not (low.code or low.unit):
        low = Quantity(low.value, None, high.unit, high.system, high.code)
    if not (high.code or high.unit):
        high = Quantity(high.value, None, low.unit, low.system, low.code)
    if not (low.code or low.unit):
        return Amount(ANYTHING, RANGE)
    least = in_mg(low, drug) if low.value is not None else Fraction(0)
    most = in_mg(high, drug) if high.value is not None else None
    if least is None or (high.value is not None and most is None):
        return Amount(ANYTHING, UNIT)
    if most is not None and most < least:
        return Amount(Extent(most, least), RANGE)
    return Amount(exactly(least)) if least == most else Amount(Extent(least, most), RANGE)


def _rate(entry: DoseAndRate, repeat: Repeat | None, drug: Drug) -> Amount | None:
    """An amount per time: times the duration of an administration, or as an amount a day where it runs on."""
    per_day = _rate_a_day(entry, drug)
    if per_day is None:
        return None
    if per_day.problem not in {None, RANGE}:
        return per_day
    lasts = number(repeat.duration) if repeat is not None else None
    unit = days_in(repeat.duration_unit or "") if repeat is not None else None
    if lasts is not None and unit is not None:
        longest = number(repeat.duration_max) if repeat is not None else None
        time = Extent(lasts * unit, max(longest, lasts) * unit if longest is not None else lasts * unit)
        extent = per_day.extent * time
        return Amount(extent, None if extent.exact else RANGE)
    often = repeat is not None and (repeat.frequency is not None or repeat.period is not None)
    return Amount(ANYTHING, RATE) if often else Amount(per_day.extent, per_day.problem, a_day=True)


def _rate_a_day(entry: DoseAndRate, drug: Drug) -> Amount | None:
    if entry.rate_ratio is not None:
        return _ratio_a_day(entry.rate_ratio, drug)
    if entry.rate_quantity is not None:
        found = _unit_rate(entry.rate_quantity, drug)
        return Amount(ANYTHING, UNIT) if found is None else Amount(exactly(found))
    if entry.rate_range is not None:
        low = _unit_rate(entry.rate_range.low, drug) if entry.rate_range.low else Fraction(0)
        high = _unit_rate(entry.rate_range.high, drug) if entry.rate_range.high else None
        if low is None or (entry.rate_range.high is not None and high is None):
            return Amount(ANYTHING, UNIT)
        return Amount(Extent(low, high), RANGE)
    return None


def _ratio_a_day(ratio: Ratio, drug: Drug) -> Amount:
    per_day = ratio_a_day(ratio, drug)
    return Amount(ANYTHING, UNIT) if per_day is None else Amount(exactly(per_day))


def ratio_a_day(ratio: Ratio, drug: Drug) -> Fraction | None:
    """An amount per time as mg a day; None where it cannot be read."""
    if ratio.numerator is None or ratio.denominator is None:
        return None
    above, below = in_mg(ratio.numerator, drug), ratio.denominator
    count = number(below.value) if below.value is not None else Fraction(1)
    units = {days for unit in (below.code, below.unit) if unit and (days := days_in(unit)) is not None}
    if above is None or not count or len(units) != 1:
        return None
    return above / (count * units.pop())


def _unit_rate(quantity: Quantity | None, drug: Drug) -> Fraction | None:
    """A rate whose unit is one of an amount per one of time: mg/h, mL/d."""
    if quantity is None:
        return None
    for unit in (quantity.code, quantity.unit):
        amount, slash, time = (unit or "").partition("/")
        days = days_in(time) if slash else None
        mass = in_mg(Quantity(quantity.value, None, amount, None, None), drug) if days is not None else None
        if mass is not None and days is not None:
            return mass / days
    return None


def in_mg(quantity: Quantity, drug: Drug) -> Fraction | None:
    """A quantity in mg: a mass, a volume of known concentration, international units, or pieces of known strength.

    None where its unit is not known, or `code` and `unit` name different masses.
    """
    value = number(quantity.value)
    if value is None:
        return None
    one = to_decimal(1)
    masses = {factor for unit in (quantity.code, quantity.unit) if (factor := milligrams(one, unit)) is not None}
    if masses:
        return value * Fraction(masses.pop()) if len(masses) == 1 else None
    names = [unit.strip().lower() for unit in (quantity.code, quantity.unit) if unit and unit.strip()]
    if "ml" in names or "milliliter" in names:
        return None if drug.mg_per_ml is None else value * Fraction(drug.mg_per_ml)
    if any(name in _international_units() for name in names):
        per_mg = iu_per_mg(drug.drugs)
        return None if per_mg is None else value / Fraction(per_mg)
    if any(is_count(name) for name in names) and drug.strength_mg is not None:
        return value * Fraction(drug.strength_mg)
    return None


@cache
def _international_units() -> frozenset[str]:
    return frozenset(unit.lower() for unit in terminology().raw["units"]["dose_iu"])


def is_elemental(dosage: Dosage) -> bool:
    """Whether the amount is one of the element, not of its salt."""
    quantities = [entry.dose_quantity for entry in dosage.dose_and_rate] + [dosage.dose_quantity, dosage.dose]
    words = [quantity.unit for quantity in quantities if quantity is not None]
    return any("elemental" in word.lower() for word in (*words, dosage.text) if word)
