"""Exact numbers that can be known between two ends only: amounts, frequencies and durations of a dosage."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

from msgspec import Struct

_DIGITS = 28


class Extent(Struct, frozen=True, gc=False):
    """A number of at least `low` and at most `high`; `high` None: no upper end is known."""

    low: Fraction
    high: Fraction | None

    @property
    def exact(self) -> bool:
        """Whether both ends are the same number."""
        return self.low == self.high

    def __add__(self, other: Extent) -> Extent:
        """The sum."""
        high = None if self.high is None or other.high is None else self.high + other.high
        return Extent(self.low + other.low, high)

    def __mul__(self, other: Extent) -> Extent:
        """The product of two numbers of which neither is negative."""
        high = None if self.high is None or other.high is None else self.high * other.high
        return Extent(self.low * other.low, high)

    def widened(self, other: Extent) -> Extent:
        """The smallest extent that holds both."""
        high = None if self.high is None or other.high is None else max(self.high, other.high)
        return Extent(min(self.low, other.low), high)

    def capped(self, most: Fraction | None) -> Extent:
        """The extent below an upper end of its own."""
        if most is None or most < self.low:
            return self
        return Extent(self.low, most if self.high is None else min(self.high, most))


NOTHING = Extent(Fraction(0), Fraction(0))
ANYTHING = Extent(Fraction(0), None)


def exactly(number: Fraction | Decimal | int) -> Extent:
    """An extent of one number."""
    value = Fraction(number)
    return Extent(value, value)


def decimal_of(number: Fraction) -> Decimal:
    """The number as a Decimal: exact where its decimals end, else to 28 digits."""
    with localcontext() as context:
        context.prec = _DIGITS
        value = Decimal(number.numerator) / Decimal(number.denominator)
    if value == value.to_integral_value():
        return Decimal(int(value))
    return value.normalize()
