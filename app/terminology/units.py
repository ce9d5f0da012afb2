"""Numbers with units: a Quantity in the canonical unit of its concept, or the reason why it cannot be used.

Canonical units, accepted units, factors and the limits of the possible are data (guidelines/concepts/units.yaml).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache

from msgspec import Struct

from app.chart import UnusableReason
from app.terminology.code_sets import terminology, wrong
from app.wire.elements import Quantity

_NUMBER = re.compile(r"\s*(?:(<=|>=|<|>|≤|≥)\s*)?([-+−–]?\d+(?:[.,]\d+)?)\s*$")
_COMPARATORS = {"≤": "<=", "≥": ">="}
MAX_SHOWN = 60
LARGEST_EXPONENT = 12
"""Powers of ten, up and down, that a number of a record can have: beyond any unit's prefixes."""


@dataclass(frozen=True, slots=True, eq=False)
class QuantityRule:
    """How numbers of one kind are read. `factors`: accepted unit -> factor to `unit`. There is one object of each."""

    name: str
    unit: str
    factors: dict[str, Decimal]
    unit_if_none: str | None
    lowest: Decimal
    highest: Decimal


class Measured(Struct, frozen=True, gc=False):
    """A number in its canonical unit."""

    value: Decimal
    unit: str
    comparator: str | None = None


class Unusable(Struct, frozen=True, gc=False):
    """A number that cannot be used, and why."""

    reason: UnusableReason
    shown: str


@cache
def quantity_rules() -> dict[str, QuantityRule]:
    """The rule of each concept that is a number."""
    rules: dict[str, QuantityRule] = {}
    for name, entry in terminology().raw["units"]["quantities"].items():
        factors = {unit: Decimal(factor) for unit, factor in entry["from"].items()}
        if entry["unit"] not in factors:
            raise wrong("units", ("quantities", name), f"{name}: no factor for its own unit")
        low, high = (Decimal(limit) for limit in entry["possible"])
        rule = QuantityRule(name, entry["unit"], factors, entry.get("none"), low, high)
        for concept in entry["concepts"]:
            rules[concept] = rule
    return rules


@cache
def _spellings() -> dict[str, str]:
    aliases = terminology().raw["units"]["aliases"]
    found = {_squeeze(unit): unit for unit in aliases}
    for unit, spellings in aliases.items():
        found |= {_squeeze(spelling): unit for spelling in spellings}
    return found


def _squeeze(text: str) -> str:
    return text.replace(" ", "").replace("\u00a0", "").lower()


def ucum_of(text: str | None) -> str | None:
    """The UCUM unit that a code or a spelling means; None where it is not known."""
    return _spellings().get(_squeeze(text)) if text is not None else None


def to_decimal(value: object) -> Decimal | None:
    """A JSON number exactly as it was written; None for anything else, and for what no record can mean."""
    if isinstance(value, float) and _LEAST <= abs(value) < _BEYOND:  # most results
        return Decimal(repr(value))
    number = _decimal(value)
    return number if number is not None and _conceivable(number) else None


_LEAST, _BEYOND = 10.0**-LARGEST_EXPONENT, 10.0 ** (LARGEST_EXPONENT + 1)


def _conceivable(number: Decimal) -> bool:
    """Finite, and of a size that something measured can have: 1e308 is a fault, and would break what is computed."""
    return number.is_finite() and (not number or abs(number.adjusted()) <= LARGEST_EXPONENT)


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str):
        found = _NUMBER.match(value)
        return _parsed(found.group(2)) if found and not found.group(1) else None
    return None


def _parsed(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace("−", "-").replace("–", "-").replace(",", "."))
    except InvalidOperation:
        return None


def read_number_text(text: str) -> tuple[Decimal, str | None] | None:
    """A number written as text, with its comparator: "-2,5", ">90". None where it is anything else."""
    found = _NUMBER.match(text)
    if found is None:
        return None
    value = _parsed(found.group(2))
    sign = found.group(1)
    return None if value is None else (value, _COMPARATORS.get(sign, sign) if sign else None)


# A unit begins with no digit, or after white space: "5 10^9/L".
_IN_WORDS = re.compile(r"\s*+((?:<=|>=|<|>|≤|≥)?\s*+[-+−–]?\d+(?:[.,]\d+)?)\s*+((?:\D|(?<=\s)\d)\S*(?: \S+)?)?\s*$")


def quantity_in_words(text: str) -> Quantity | None:
    """A number with its unit, or alone, that was written as text: "-2.7 SD", "2,35 mmol/l". None for anything else."""
    found = _IN_WORDS.match(text)
    if found is None:
        return None
    unit = found.group(2)
    if unit is not None and ucum_of(unit) is None:
        return None
    return Quantity(value=found.group(1), unit=unit)


@lru_cache(maxsize=1024)
def rule_for(concepts: frozenset[str]) -> QuantityRule | None:
    """The rule by which a number of these concepts is read."""
    rules = quantity_rules()
    return next((rules[concept] for concept in sorted(concepts) if concept in rules), None)


@lru_cache(maxsize=1024)
def with_unit(rule: QuantityRule, unit: str) -> QuantityRule:
    """The rule for numbers that are in this unit where none is sent with them."""
    return replace(rule, unit_if_none=ucum_of(unit))


def measure(rule: QuantityRule, quantity: Quantity) -> Measured | Unusable | None:
    """A Quantity in the canonical unit. None where it holds no number.

    Either `code` or `unit` may name the unit; where both are known, both must be of one scale. UCUM "1" beside a
    telling unit text leaves the decision to the text.
    """
    value = to_decimal(quantity.value)
    comparator = quantity.comparator
    if value is None and isinstance(quantity.value, str):
        written = read_number_text(quantity.value)
        if written is not None:
            value, comparator = written
    if value is None:
        return None
    factor = factor_of(rule, quantity.code, quantity.unit)
    if factor is None:
        named = _text(quantity.unit) or _text(quantity.code)
        reason = UnusableReason.UNIT_OF_VALUE_NOT_KNOWN if named else UnusableReason.NO_UNIT
        return Unusable(reason, _shown(value, named))
    result = value * factor
    if not rule.lowest <= result <= rule.highest:
        return Unusable(UnusableReason.IMPOSSIBLE, _shown(value, _text(quantity.unit) or _text(quantity.code)))
    return Measured(result, rule.unit, comparator if comparator in {"<", "<=", ">=", ">"} else None)


def _shown(value: Decimal, unit: str | None) -> str:
    return f"{value} {unit or ''}".strip()[:MAX_SHOWN]


@lru_cache(maxsize=4096)
def certainly_possible(rule: QuantityRule, code: str | None, unit: str | None) -> tuple[float, float, float]:
    """An open interval of numbers that `measure` accepts in this unit, and about what the unit is in canonical ones.

    The interval is a hair narrower than what is accepted; it is empty for a unit that is not.
    """
    factor = factor_of(rule, code, unit)
    if factor is None or factor <= 0:
        return 0.0, 0.0, 0.0
    low, high = float(rule.lowest / factor), float(rule.highest / factor)
    hair = max(abs(low), abs(high)) * HAIR
    return low + hair, high - hair, float(factor)


HAIR = 1e-9
"""Of the largest number: far more than floats are wrong by, far less than a laboratory writes."""


@lru_cache(maxsize=4096)
def factor_of(rule: QuantityRule, code: str | None, text: str | None) -> Decimal | None:
    """The factor from the unit that code and text name to the canonical one; None where the unit cannot be used.

    Cached: units repeat, and are no patient data.
    """
    unit = _accepted_unit(rule, _text(code), _text(text))
    return None if unit is None else rule.factors[unit]


def _accepted_unit(rule: QuantityRule, code: str | None, text: str | None) -> str | None:
    """The accepted unit that code and text name together."""
    if not code and not text:
        return rule.unit_if_none
    candidates = [ucum_of(code), ucum_of(text)]
    accepted = [unit for unit in candidates if unit is not None and unit in rule.factors]
    others = [unit for unit in candidates if unit is not None and unit not in rule.factors and unit != "1"]
    # Where code and text name different quantities, or scales, it is unknown which of them the number is in.
    if not accepted or others or len({rule.factors[unit] for unit in accepted}) > 1:
        return None
    return accepted[0]


def _text(value: str | None) -> str | None:
    return value.strip() or None if value else None
