"""The limits of criteria and the amounts of orders, as the numbers of their texts.

A text never repeats a limit as a number: it has a placeholder, filled from the criterion. `{limit}` where the criteria
have one limit, else `{FEATURE}`, or `{FEATURE.COMPARISON}` where a feature has several; `{dose}`, `{dose_high}` and
`{period}` in the text of an order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from app.engine.criteria import Limit, Node
from app.engine.schema import DoseOrder

ONE: Final = "limit"
_NUMBER = re.compile(r"(?<![\d.,A-Za-z/])[-−]?(?!0\d)\d++(?:[.,]\d++)*+")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def limits_of(nodes: Iterable[Node], *, of_hospital: bool = False) -> dict[str, Decimal]:
    """The placeholders of the limits of some criteria, with their numbers.

    Where a hospital has changed a limit, that of the source is meant, unless `of_hospital`.
    """
    limits = dict.fromkeys(
        (leaf.name, leaf.operator, _limit(leaf, of_hospital))
        for node in nodes
        for leaf in node.leaves()
        if isinstance(leaf, Limit)
    )
    named: dict[str, Decimal] = {}
    if len({limit for _, _, limit in limits}) == 1:
        named[ONE] = next(iter(limits))[2]
    for name, operator, limit in limits:
        if len({other for feature, _, other in limits if feature == name}) == 1:
            named[name] = limit
        elif len({other for feature, by, other in limits if (feature, by) == (name, operator)}) == 1:
            named[f"{name}.{operator}"] = limit
    return named


def _limit(leaf: Limit, of_hospital: bool) -> Decimal:
    return leaf.local.source_limit if leaf.local is not None and not of_hospital else leaf.limit


def amounts_of(order: DoseOrder) -> dict[str, Decimal]:
    """The placeholders of the text of an order: `{dose}`, `{dose_high}`, `{period}`."""
    amounts = {"dose": order.dose, "dose_high": order.dose_high, "period": order.period}
    return {name: amount for name, amount in amounts.items() if amount is not None}


def with_numbers(text: str, numbers: Mapping[str, Decimal], decimal_mark: str) -> str:
    """The text with its placeholders filled. Raises KeyError for one without a number."""
    return _PLACEHOLDER.sub(lambda found: shown(numbers[found[1]], decimal_mark), text)


def shown(number: Decimal, decimal_mark: str) -> str:
    """A number as a text has it."""
    return format(number, "f").replace(".", decimal_mark)


def numbers_in(text: str) -> list[Decimal]:
    """The numbers that a text has in digits; a comma is a decimal mark."""
    plain = (found.replace("−", "-").replace(",", ".") for found in _NUMBER.findall(_PLACEHOLDER.sub(" ", text)))
    return [Decimal(number) for number in plain if number.count(".") <= 1]
