"""What a translator is told when a file of texts is wrong: file, line, and what was meant."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.engine.criteria import Limit
from app.engine.limits import limits_of, numbers_in
from app.engine.linker import linker_of, load_knowledge
from app.engine.loader import GuidelineError, Loaded, default_folder, load
from app.engine.locale import PHRASE_PLACEHOLDERS, Phrases
from app.engine.locales import LocaleFile, locale_problems, placeholders_of
from app.vocabulary import Language
from app.yaml_files import Place, Table, line_of


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load(default_folder())


@pytest.fixture
def guidelines(tmp_path: Path) -> Path:
    folder = tmp_path / "guidelines"
    shutil.copytree(default_folder(), folder)
    return folder


def change(guidelines: Path, language: str, old: str, new: str) -> int:
    """Change one text of a file; the line where it stands."""
    path = guidelines / "locales" / f"{language}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def problems(guidelines: Path) -> list[str]:
    with pytest.raises(GuidelineError) as error:
        linker_of(guidelines).build("test")
    return str(error.value).splitlines()


@pytest.mark.parametrize(
    ("language", "old", "new", "message"),
    [
        ("sv", "{because}", "{becuase}", "unknown placeholder {becuase}, did you mean because?"),
        ("sv", ": {because}. Akut", ". Akut", "the placeholder {because} is missing"),
        ("en", "About the order: {order}.", "About the order.", "about_order: the placeholder {order} is missing"),
        ("da", "Om ordinationen: {order}.", "Om {ordre}.", "unknown placeholder {ordre}, did you mean order?"),
        ("zh", "关于医嘱：{order}。", "关于医嘱：{order。", "braces hold a placeholder"),
        ("sv", "  why:", "  whyy:", "unknown key 'whyy', did you mean why?"),
        ("da", "  red-flag:", "  red-flagg:", "unknown key 'red-flagg', did you mean red-flag?"),
        ("sv", "  refer-dxa:", "  refer-dxaa:", "unknown key 'refer-dxaa', did you mean refer-dxa?"),
        ("zh", "  uppsala.dxa.low-energy-fracture:", "  uppsala.dxa.low-fracture:", "did you mean uppsala.dxa."),
        ("da", "    statement:", "    statment:", "did you mean statement?"),
        ("sv", "  alendronate:\n    name:", "  alendronat:\n    name:", "'alendronat', did you mean alendronate?"),
        ("en", 'age: "age"', 'age: ""', "no text for names.age"),
        ("en", "below {limit} mL/min is", "below 30 mL/min is", "30 stands neither in the quotation nor"),
        ("sv", "BMI under {bmi}", "BMI under 21", "21 stands neither in the quotation nor under figures"),
        ("da", "under {bmi}", "under {bmj}", "{bmj} is no limit of its criteria, did you mean bmi?"),
        ("zh", "口服{dose} mg", "口服70 mg", "drugs.alendronate.orders.any.text: the placeholder {dose} is missing"),
        ("zh", "口服{dose} mg", "口服{dose_high} mg", "the order has no {dose_high}"),
        ("sv", 'decimal_mark: ","', 'decimal_mark: ";"', "decimal_mark"),
        ("sv", "för {days} dagar", "för {dagar} dagar", "days_ago: unknown placeholder {dagar}, did you mean"),
        ("da", "  on_hold:", "  on_holdd:", "notes: unknown key 'on_holdd', did you mean on_hold?"),
        ("sv", "language: sv", "language: da", "language is sv, as the name of the file says"),
    ],
)  # fmt: skip
def test_a_mistake_has_file_line_and_what_was_meant(
    guidelines: Path, language: str, old: str, new: str, message: str
) -> None:
    line = change(guidelines, language, old, new)
    found = problems(guidelines)
    assert any(one.startswith(f"guidelines/locales/{language}.yaml:{line}:") and message in one for one in found), found


def test_a_text_that_stands_twice_is_refused(guidelines: Path) -> None:
    line = change(guidelines, "sv", '  why: "Varför"\n', '  why: "Varför"\n  why: "Därför"\n')
    assert problems(guidelines) == [
        f"guidelines/locales/sv.yaml:{line + 1}: the key 'why' is already given in line {line}"
    ]


def test_a_language_without_a_file_and_a_file_without_a_language_stop_the_start(guidelines: Path) -> None:
    (guidelines / "locales" / "da.yaml").rename(guidelines / "locales" / "fi.yaml")
    assert problems(guidelines) == [
        "guidelines/locales/da.yaml:1: No such file or directory",
        "guidelines/locales/fi.yaml:1: fi is no language of app/vocabulary.py: en, sv, da, zh",
    ]


def places(node: Any, place: Place = ()) -> Iterator[Place]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from places(value, (*place, key))
        else:
            yield (*place, key)


def without(node: Table, removed: set[Place], place: Place = ()) -> Table:
    """A copy of the file that lacks some texts."""
    made = Table(node.line)
    for key, line in zip(node, node.lines, strict=True):
        if (*place, key) not in removed:
            value = node[key]
            made[key] = without(value, removed, (*place, key)) if isinstance(value, Table) else value
            made.lines.append(line)
    return made


@pytest.mark.parametrize("language", list(Language))
def test_each_removed_text_stops_the_start_with_file_and_line(loaded: Loaded, language: Language) -> None:
    file = loaded.locales[language]
    wanted = linker_of(default_folder()).wanted()
    assert locale_problems(loaded.locales, wanted) == []
    all_places = [place for place in places(file.raw) if place[0] not in {"language", "decimal_mark"}]
    assert len(all_places) > 1100
    # A quarter of the texts at once in each language: the four runs remove every text.
    removed = set(all_places[list(Language).index(language) :: len(Language)])
    raw = without(file.raw, removed)
    found = locale_problems({**loaded.locales, language: LocaleFile(file.name, file.content, raw)}, wanted)
    told = {(one.line, one.message) for one in found if one.file == file.name}
    missing = {
        place: line_of(raw, place)
        for place in removed
        if not any(message.startswith(f"no text for {'.'.join(map(str, place))}") for _, message in told)
    }
    assert missing == {}
    for place in removed:
        lines = {line for line, message in told if message.startswith(f"no text for {'.'.join(map(str, place))}")}
        assert line_of(raw, place) in lines


def test_the_placeholders_of_phrases_are_those_that_the_code_fills() -> None:
    assert set(PHRASE_PLACEHOLDERS) <= set(Phrases.model_fields)


@pytest.mark.parametrize("text", ["{", "}", "{}", "{a!r}", "{a:d}", "a {b"])
def test_braces_hold_names_only(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        placeholders_of(text)


def test_no_text_is_left_in_other_files() -> None:
    """All texts of a language stand in one file: no other file of the guidelines has a text by language."""
    by_language = re.compile(r"[{ ](?:sv|da|zh): ")
    for path in default_folder().rglob("*.yaml"):
        if path.parent.name not in {"locales", "words"}:  # words are what charts say, not what cards say
            assert not by_language.search(path.read_text(encoding="utf-8")), path


def test_a_changed_limit_changes_every_text_that_names_it(guidelines: Path) -> None:
    path = guidelines / "uppsala" / "criteria.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count("bmi: {below: 20,") == 1
    path.write_text(text.replace("bmi: {below: 20,", "bmi: {below: 21.5,"), encoding="utf-8")
    knowledge = load_knowledge(guidelines)
    said = [locale.statements["uppsala.dxa.low-bmi-postmenopausal"].because for locale in knowledge.locales.values()]
    assert said == [
        "postmenopausal with BMI below 21.5",
        "postmenopausal med BMI under 21,5",
        "postmenopausal med BMI under 21,5",
        "绝经后且BMI<21.5",
    ]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("T-score -2.5 or lower", ["-2.5"]),
        ("7,5 mg i 3-6 månader", ["7.5", "3", "6"]),
        ("source 001, line 9", ["9"]),
        ("FRAX above {frax_major} %", []),
        ("M05BA04", []),
    ],
)
def test_numbers_of_a_text(text: str, numbers: list[str]) -> None:
    assert [str(number) for number in numbers_in(text)] == numbers


def test_a_limit_has_a_name_by_which_it_can_be_told_from_the_others() -> None:
    def limit(name: str, operator: str, number: str) -> Limit:
        return Limit(name, operator, Decimal(number), "", "", "as-written")

    assert limits_of([limit("a", "below", "2")]) == {"limit": Decimal(2), "a": Decimal(2)}
    two = [limit("a", "below", "2"), limit("b", "above", "3")]
    assert limits_of(two) == {"a": Decimal(2), "b": Decimal(3)}
    span = [limit("a", "at_least", "2"), limit("a", "below", "5")]
    assert limits_of(span) == {"a.at_least": Decimal(2), "a.below": Decimal(5)}
    assert limits_of([limit("a", "below", "2"), limit("a", "below", "5")]) == {}
