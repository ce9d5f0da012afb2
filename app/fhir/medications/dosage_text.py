"""Free-text dosages: an amount and how often, read by a closed grammar.

A text is read only where each of its words is listed in guidelines/concepts/dosage.yaml and the words make one
instruction; anything else ("then reduce", a drug name, a second dose) leaves it unread. The time is linear in the
length of the text, and only the first characters are looked at: a longer text is no plain dosage.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from app.fhir.medications.extent import Extent, exactly
from app.fhir.medications.product import is_count, milligrams
from app.terminology.code_sets import terminology
from app.terminology.units import to_decimal

MAX_LENGTH = 200
"""Characters of a text that is read at all; the longest dosage of the tables of cases has 80."""

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[\u3040-\u30ff\u3400-\u9fff々]|[^\W\d_\u3040-\u30ff\u3400-\u9fff々]+|[^\s\w]|_")
_DOT_AFTER_LETTER = re.compile(r"(?<=[^\W\d_])\.")
_FRACTIONS = {"½": "5", "¼": "25", "¾": "75"}
_FRACTION_AFTER_DIGIT = re.compile(r"(\d) ?([½¼¾])")
_NUMBER = "{n}"
_PLACEHOLDER = "numberhere"
_END = ""
_SCHEMA = (3, 4)  # morning - noon - evening (- night)


class TextDosage(Struct, frozen=True, gc=False):
    """The meaning of a text. `amount`: mg, `pieces` counts pieces of the product; one of them, or neither, is known."""

    amount: Extent | None = None
    pieces: Extent | None = None
    a_day: Fraction | None = None  # administrations a day; None: not said
    whole_day: bool = False  # the amount is already that of a day (doses of different size, or a scheme such as 1-0-1)
    as_needed: bool = False
    once: bool = False
    days: Fraction | None = None


class _Frequency(Struct, frozen=True, gc=False):
    a_day: Fraction


class _Moment(Struct, frozen=True, gc=False):
    pass


class _Amount(Struct, frozen=True, gc=False):
    amount: Extent
    pieces: bool


class _Scheme(Struct, frozen=True, gc=False):
    pieces: Fraction


class _Days(Struct, frozen=True, gc=False):
    days: Fraction


class _Flag(Struct, frozen=True, gc=False):
    name: str


_Item = _Frequency | _Moment | _Amount | _Scheme | _Days | _Flag


def read_text(text: str) -> TextDosage | None:
    """The dosage in a text; None where it is not plainly one."""
    if not text or len(text) > MAX_LENGTH:
        return None
    items = _items(_tokens(text))
    return None if items is None else _understood(items)


def _tokens(text: str) -> list[str]:
    flat = _FRACTION_AFTER_DIGIT.sub(lambda found: f"{found[1]}.{_FRACTIONS[found[2]]}", text.lower())
    for sign, decimals in _FRACTIONS.items():
        flat = flat.replace(sign, f"0.{decimals}")
    flat = unicodedata.normalize("NFKC", flat).replace("×", "x")
    return _TOKEN.findall(_DOT_AFTER_LETTER.sub("", flat))


def _words_of(phrase: str) -> list[str]:
    """The tokens of a listed phrase, with the placeholder for numbers kept whole."""
    return [_NUMBER if word == _PLACEHOLDER else word for word in _tokens(phrase.replace(_NUMBER, f" {_PLACEHOLDER} "))]


_Meaning = tuple[str, Any]


@cache
def _phrases() -> dict[str, Any]:
    """All phrases as a tree by their words; the meaning of a phrase is under the empty word."""
    table = terminology().raw["dosage"]["text"]
    tree: dict[str, Any] = {}
    for entry in table["frequencies"]:
        _add(tree, entry["words"], ("frequency", entry))
    for entry in table["durations"]:
        _add(tree, entry["words"], ("days", Fraction(entry["days"])))
    _add(tree, table["moments"], ("moment", None))
    for flag in ("as_needed", "once"):
        _add(tree, table[flag], (flag, None))
    for kind in ("ignored", "joins"):
        _add(tree, table[kind], ("nothing", None))
    return tree


def _add(tree: dict[str, Any], phrases: Iterable[str], meaning: _Meaning) -> None:
    for phrase in phrases:
        node = tree
        for word in _words_of(phrase):
            node = node.setdefault(word, {})
        node.setdefault(_END, meaning)


def _longest(tokens: list[str], start: int) -> tuple[int, _Meaning, list[str]] | None:
    """The longest phrase at a position: where it ends, its meaning, its numbers."""
    best = None
    open_nodes: list[tuple[dict[str, Any], int, list[str]]] = [(_phrases(), start, [])]
    while open_nodes:
        node, at, numbers = open_nodes.pop()
        meaning = node.get(_END)
        if meaning is not None and at > start and (best is None or at > best[0]):
            best = at, meaning, numbers
        if at == len(tokens):
            continue
        token = tokens[at]
        if token in node:
            open_nodes.append((node[token], at + 1, numbers))
        if token[0].isdigit() and _NUMBER in node:
            open_nodes.append((node[_NUMBER], at + 1, [*numbers, token]))
    return best


def _items(tokens: list[str]) -> list[_Item] | None:
    """What the text consists of; None where a word is not known."""
    items: list[_Item] = []
    at = 0
    while at < len(tokens):
        found = _longest(tokens, at)
        amount = _amount(tokens, at)
        if amount is not None and (found is None or amount[0] >= found[0]):
            at, item = amount
            items.append(item)
            continue
        if found is None:
            return None
        at, (kind, detail), numbers = found
        meant = _meant(kind, detail, numbers)
        if meant is None:
            return None
        if meant is not _NOTHING:
            items.append(meant)
    return items


_NOTHING = _Flag("nothing")


def _meant(kind: str, detail: Any, numbers: list[str]) -> _Item | None:
    count = _number(numbers[0]) if numbers else None
    match kind:
        case "nothing":
            return _NOTHING
        case "moment":
            return _Moment()
        case "as_needed" | "once":
            return _Flag(kind)
        case "days":
            return _Days(detail * count) if count else None
    times, every = detail["times"], detail.get("every")
    many = count if times == "n" else Fraction(times)
    period = Fraction(detail["days"]) * (count or 0 if every else 1)
    return _Frequency(many / period) if many and period else None


def _number(token: str) -> Fraction | None:
    word = terminology().raw["dosage"]["text"]["numbers"].get(token)
    value = to_decimal(token if word is None else str(word))
    return None if value is None else Fraction(value)


def _fraction(tokens: list[str], at: int) -> tuple[int, Fraction] | None:
    """A number at a position, written as such, as a word, or as a fraction (1/2)."""
    value = _number(tokens[at]) if at < len(tokens) else None
    if value is None:
        return None
    if tokens[at + 1 : at + 2] == ["/"] and at + 2 < len(tokens) and tokens[at + 2] in {"2", "3", "4"}:
        below = Fraction(int(tokens[at + 2]))
        if value.denominator == 1 and 0 < value < below:
            return at + 3, value / below
    return at + 1, value


def _amount(tokens: list[str], start: int) -> tuple[int, _Amount | _Scheme] | None:
    """An amount with its unit at a position: 5 mg, 1-2 tablets, or a scheme such as 1-0-1."""
    first = _fraction(tokens, start)
    if first is None:
        return None
    at, value = first
    numbers, between = [value], terminology().raw["dosage"]["text"]["between"]
    while at < len(tokens) and tokens[at] in between:
        following = _fraction(tokens, at + 1)
        if following is None:
            break
        at, value = following
        numbers.append(value)
    pieces = at < len(tokens) and _is_piece(tokens[at])
    if len(numbers) in _SCHEMA:
        return at + pieces, _Scheme(sum(numbers, Fraction(0)))
    if len(numbers) > 2 or (len(numbers) == 2 and numbers[0] > numbers[1]):
        return None
    extent = Extent(numbers[0], numbers[-1])
    if pieces:
        return at + 1, _Amount(extent, pieces=True)
    factor = milligrams(to_decimal(1), tokens[at]) if at < len(tokens) else None
    if factor is not None:
        return at + 1, _Amount(extent * exactly(factor), pieces=False)
    times_x = tokens[at : at + 1] == ["x"] and at + 1 < len(tokens) and tokens[at + 1][0].isdigit()
    return (at, _Amount(extent, pieces=True)) if times_x and len(numbers) == 1 else None


@cache
def _pieces() -> frozenset[str]:
    return frozenset(word for phrase in terminology().raw["dosage"]["text"]["pieces"] for word in _tokens(phrase))


def _is_piece(token: str) -> bool:
    return token in _pieces() or (not token[0].isdigit() and is_count(token))


def _understood(items: list[_Item]) -> TextDosage | None:
    """The dosage that the parts of a text make together; None where they make none, or more than one."""
    frequencies = [item for item in items if isinstance(item, _Frequency)]
    days = [item.days for item in items if isinstance(item, _Days)]
    flags = {item.name for item in items if isinstance(item, _Flag)}
    schemes = [item for item in items if isinstance(item, _Scheme)]
    amounts = _without_one_piece([item for item in items if isinstance(item, _Amount)])
    if len(frequencies) > 1 or len(days) > 1 or len(schemes) > 1 or (schemes and amounts):
        return None
    rest = TextDosage(as_needed="as_needed" in flags, once="once" in flags, days=days[0] if days else None)
    if schemes:
        if frequencies and frequencies[0].a_day != 1:
            return None
        return replace(rest, pieces=exactly(schemes[0].pieces), a_day=Fraction(1), whole_day=True)
    moments = sum(isinstance(item, _Moment) for item in items)
    if len(amounts) > 1 and moments:
        order = [item for item in items if isinstance(item, (_Amount, _Moment))]
        return _amounts_by_moment(order, frequencies, rest)
    a_day = _times(frequencies, moments)
    if a_day is _CONTRADICTION:
        return None
    mass = [item.amount for item in amounts if not item.pieces]
    pieces = [item.amount for item in amounts if item.pieces]
    if len(mass) > 1 or len(pieces) > 1:
        return None
    if mass and pieces:
        return None  # "2 tablets (5 mg)": 5 mg each, or together?
    return replace(rest, amount=mass[0] if mass else None, pieces=pieces[0] if pieces else None, a_day=a_day)


def _without_one_piece(amounts: list[_Amount]) -> list[_Amount]:
    """The amounts, without one piece beside its mass: 1 tablet (5 mg) is 5 mg."""
    if len(amounts) == 2 and amounts[0].pieces != amounts[1].pieces:
        piece, mass = sorted(amounts, key=lambda item: not item.pieces)
        if piece.amount == exactly(1):
            return [mass]
    return amounts


_CONTRADICTION = Fraction(-1)


def _times(frequencies: list[_Frequency], moments: int) -> Fraction | None:
    """Administrations a day, from a frequency and the times of day that are named; None where neither is."""
    if not frequencies:
        return Fraction(moments) if moments else None
    a_day = frequencies[0].a_day
    if moments > 1 and moments != a_day:
        return _CONTRADICTION
    return a_day if moments != 1 or a_day <= 1 else _CONTRADICTION


def _amounts_by_moment(
    order: list[_Amount | _Moment], frequencies: list[_Frequency], rest: TextDosage
) -> TextDosage | None:
    """Doses of different size at their times of day: each amount is followed, or each is preceded, by one moment."""
    if len(order) % 2 or (frequencies and frequencies[0].a_day != 1):
        return None
    pairs = list(zip(order[::2], order[1::2], strict=True))
    amounts = [one if isinstance(one, _Amount) else other for one, other in pairs]
    kinds = {(type(one), type(other)) for one, other in pairs}
    if len(kinds) != 1 or any(not isinstance(item, _Amount) for item in amounts) or kinds == {(_Amount, _Amount)}:
        return None
    found = [item for item in amounts if isinstance(item, _Amount)]
    if len({item.pieces for item in found}) != 1:
        return None
    total = found[0].amount
    for item in found[1:]:
        total += item.amount
    found_in = {"pieces": total} if found[0].pieces else {"amount": total}
    return replace(rest, a_day=Fraction(1), whole_day=True, **found_in)
