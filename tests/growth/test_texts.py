"""The readers of text at n, 2n and 4n, counted in executed lines, over texts that are made to hold them up.

A seeded sample here; all of them with `ADVERSARIAL_TEXTS=60000` (`make nightly`). Lines do not show what a regular
expression does within a line: the form of each expression is checked in tests/growth/test_expressions.py.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from app.fhir.medications import dosage_text
from app.fhir.observations.report_text import _closed
from app.record_text import shown
from app.terminology import names
from app.terminology.body_sites import fracture_site_in, vertebral_level_in
from app.terminology.units import quantity_in_words, read_number_text
from app.terminology.word_lists import TextKind
from tests.growth.counting import growth, lines_of

TEXTS = int(os.environ.get("ADVERSARIAL_TEXTS", "600"))
LIMIT = 2.6
SIZES = (50, 75, 95)
"""Characters of the shortest text; the longest is four times as long, within what each reader reads."""
READERS: dict[str, Callable[[str], object]] = {
    "words of conditions": lambda text: names.read_text(text, TextKind.CONDITION),
    "words of drugs": lambda text: names.read_text(text, TextKind.MEDICATION),
    "words of observations": lambda text: names.read_text(text, TextKind.OBSERVATION),
    "dosage": dosage_text.read_text,
    "quantity": quantity_in_words,
    "number": read_number_text,
    "tags of reports": _closed,
    "site": fracture_site_in,
    "level": vertebral_level_in,
    "shown": shown,
}
PARTS = (
    *(
        "a ",
        "1",
        " ",
        "-",
        "<",
        "(",
        ")",
        "[",
        "{",
        ".",
        ",",
        ";",
        "\n",
        "\t",
        "/",
        "@",
        ":",
        "://",
        "½",
        "−",
        "一",
        "\u200b",
    ),
    *("T-score ", "hip ", "fracture ", "no ", "L1 ", "L1-", "1,", "1.1", "10 mg ", "mg/ml ", "x ", "1x1 ", "1-0-1 "),
    *(
        "tablett ",
        "varje ",
        "every ",
        "mother ",
        "history of ",
        "left ",
        "ländkota ",
        "骨折",
        "www.",
        "a@b.",
        "<p>",
        "\\",
    ),
)


def material(number: int, size: int) -> str:
    """The text of a number, in any size: a beginning, parts over and over, an end."""
    draw = random.Random(number)
    start, end = (draw.choice(["", *PARTS]) for _ in range(2))
    middle = "".join(draw.choice(PARTS) for _ in range(draw.randint(1, 4)))
    return start + (middle * (size // len(middle) + 1))[:size] + end


@pytest.mark.parametrize("reader", READERS)
def test_time_is_linear_in_the_length_of_a_text(reader: str) -> None:
    read = READERS[reader]
    share = TEXTS // len(READERS)
    beyond = []
    for number in range(share):

        def cost(size: int, number: int = number) -> int:
            text = material(number, size)
            return lines_of(lambda: read(text))

        read(material(number, SIZES[0]))  # what is remembered is not counted
        # A step (another way of reading, from some length on) shows at some sizes; growth at each.
        if all(growth(cost, size) > LIMIT for size in SIZES):
            beyond.append(material(number, SIZES[0]))
    assert not beyond


def test_the_texts_differ_and_can_be_made_again() -> None:
    made = [material(number, 200) for number in range(500)]
    assert len(set(made)) > 480
    assert made == [material(number, 200) for number in range(500)]
