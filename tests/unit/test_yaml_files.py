"""What the YAML reader takes, and what it refuses, with the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.data_files import data_path
from app.yaml_files import MAX_DEPTH, FilesError, line_of, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("NO", "NO"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("2026-11-30", "2026-11-30"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("12", 12),
        ("-3", -3),
        ("-2.5", -2.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("0", 0),
        ("0.25", 0.25),
        ("'012'", "012"),
        ("'true'", "true"),
        ('"2.5"', "2.5"),
        ("3.1.2", "3.1.2"),
        ("-", None),
    ],
)
def test_a_value_is_read_by_the_core_schema(written: str, value: Any) -> None:
    if written == "-":  # the mark of a list, not a text
        assert parse_yaml("a: [x]\nb:\n-", "f.yaml") == {"a": ["x"], "b": [None]}
        return
    read = parse_yaml(f"a: {written}\n", "f.yaml")
    assert read == {"a": value}
    assert type(read["a"]) is type(value)


def test_a_key_is_the_text_as_written() -> None:
    assert parse_yaml("1: a\ntrue: b\n010: c\n", "f.yaml") == {"1": "a", "true": "b", "010": "c"}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' is already given in line 1"),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, "'b' is already given in line 2"),
        ("a:\n- 010\n", 2, "write '010' if it is a text"),
        ("a: 0x1F\n", 1, "write '0x1F'"),
        ("a: 0o17\n", 1, "write '0o17'"),
        ("a: .inf\n", 1, "write '.inf'"),
        ("a: .nan\n", 1, "write '.nan'"),
        ("a: 1\nb: !!python/object:os.system x\n", 2, "tags are not used here"),
        ("a: !!set {b}\n", 1, "tags are not used here"),
        ("a: *b\n", 1, "no anchor &b"),
        ("a: &b\n  c: *b\n", 2, "no anchor &b"),
        ("a: 1\n---\nb: 2\n", 2, "one document"),
        ("a: [1, 2\n", 2, "did not find expected"),
        ("a: 1\n\tb: 2\n", 2, ""),
        ("a: 1\nb: \x07\n", 2, "does not allow"),
        ("[a]: 1\n", 1, "a key is a text"),
        ("{a: 1}: 1\n", 1, "a key is a text"),
    ],
)
def test_what_can_be_misread_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(FilesError) as error:
        parse_yaml(text, "f.yaml")
    (problem,) = error.value.problems
    assert (problem.file, problem.line) == ("f.yaml", line)
    assert message in problem.message


def test_aliases_share_a_value_and_lines_lead_to_where_it_is_written() -> None:
    read = parse_yaml("a: &x\n- b: 1\n- c: 2\nd: *x\n", "f.yaml")
    assert read["d"] is read["a"]
    assert line_of(read, ("d", 1, "c")) == 3


def test_aliases_that_multiply_are_refused() -> None:
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    with pytest.raises(FilesError, match=r"f\.yaml:6: more than \d+ values"):
        parse_yaml(bomb, "f.yaml")
    with pytest.raises(FilesError, match="aliases"):
        parse_yaml("a: &a x\nb: [" + "*a, " * 300 + "]\n", "f.yaml")


@pytest.mark.parametrize("depth", [MAX_DEPTH, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    with pytest.raises(FilesError):
        parse_yaml("a: " + "[" * depth + "]" * depth, "f.yaml")
    assert parse_yaml("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1), "f.yaml")


def test_a_place_that_is_not_in_the_file_has_the_line_of_its_nearest_parent() -> None:
    read = parse_yaml("a:\n  b:\n  - c: 1\n    d: 2\n", "f.yaml")
    assert line_of(read, ("a", "b", 0, "d")) == 4
    assert line_of(read, ("a", "b", 0, "x")) == 3
    assert line_of(read, ("a", "b", 7)) == 2
    assert line_of(read, ("x",)) == 1


def test_a_file_that_is_not_utf8_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes("a: 1\nb: Röntgen\n".encode("latin-1"))
    with pytest.raises(FilesError, match=r"f\.yaml:2: not UTF-8"):
        read_yaml(path)
    path.write_bytes("a: Röntgen\n".encode("utf-8-sig"))
    assert read_yaml(path) == {"a": "Röntgen"}
    path.write_text("- a\n", encoding="utf-8")
    with pytest.raises(FilesError, match="a mapping is expected"):
        read_yaml(path)
    with pytest.raises(FilesError, match=r"missing\.yaml:1: No such file"):
        read_yaml(tmp_path / "missing.yaml")


def test_every_file_that_ships_is_read() -> None:
    paths = sorted(data_path("guidelines").rglob("*.yaml"))
    assert paths
    for path in paths:
        assert read_yaml(path)
