"""Kleene's three-valued logic, every case."""

from __future__ import annotations

from itertools import product

import pytest

from app.engine.criteria import Truth, conjunction, disjunction, negate

VALUES: tuple[Truth, ...] = (True, False, None)
PAIRS = list(product(VALUES, VALUES))


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_and_is_false_with_one_false_and_unknown_before_true(first: Truth, second: Truth) -> None:
    expected = False if False in (first, second) else None if None in (first, second) else True
    assert conjunction([first, second]) is expected


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_or_is_true_with_one_true_and_unknown_before_false(first: Truth, second: Truth) -> None:
    expected = True if True in (first, second) else None if None in (first, second) else False
    assert disjunction([first, second]) is expected


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_de_morgan_holds(first: Truth, second: Truth) -> None:
    assert negate(conjunction([first, second])) is disjunction([negate(first), negate(second)])


def test_nothing_at_all_is_true_for_and_false_for_or() -> None:
    assert conjunction([]) is True
    assert disjunction([]) is False
