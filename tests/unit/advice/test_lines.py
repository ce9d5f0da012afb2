"""Lines of a source as a card names them."""

from __future__ import annotations

import pytest

from app.cards.wording import runs


@pytest.mark.parametrize(
    ("lines", "named"),
    [([89], "89"), ([89, 93, 94], "89, 93-94"), ([103, 104, 45], "45, 103-104"), ([7, 7, 8, 9], "7-9"), ([], "")],
)
def test_lines_that_follow_each_other_are_a_range_and_others_are_listed(lines: list[int], named: str) -> None:
    assert runs(lines) == named
