"""The reviewed outlines of the clinical cases: `tests/clinical/outlines/SOURCE/TOPIC.yaml`, by the id of the case.

    python -m tests.clinical.outlines            show what differs, change nothing
    python -m tests.clinical.outlines --write    write them again; read the difference before it is committed

The tests compare and never write. An outline (tests/clinical/outline.py) says what the patient gets; the reviewer's
rule stands in CONTRIBUTING.md.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml

from app.main import create_app
from app.pipeline import build_pipeline
from tests.clinical.cases import FOLDER, TODAY, all_cases, answer_to
from tests.clinical.outline import Outline, outline_of
from tests.conftest import Client
from tests.support.patience import patient_settings

OUTLINES = FOLDER / "outlines"
HEADER = """\
# What the patient of each case gets. Written by `python -m tests.clinical.outlines --write`, reviewed by a person in
# the difference (CONTRIBUTING.md); compared by tests/clinical/test_cases.py.
"""
HINT = (
    "If this is meant: `python -m tests.clinical.outlines --write`, read `git diff tests/clinical/outlines` case by "
    "case, and commit it with the change."
)


def path_of(file: str) -> Path:
    """The file of the outlines of a case file ("uppsala/dxa")."""
    return OUTLINES / f"{file}.yaml"


@cache
def reviewed(file: str) -> Mapping[str, Outline]:
    """The reviewed outlines of a case file, by the id of the case; empty where there is no file."""
    path = path_of(file)
    if not path.exists():
        return {}
    content: Mapping[str, Outline] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}
    return content


def written(outlines: Mapping[str, Outline]) -> str:
    """Outlines as YAML."""
    return yaml.dump(
        dict(outlines),
        Dumper=yaml.CSafeDumper,
        sort_keys=False,
        allow_unicode=True,
        width=100_000,
        default_flow_style=False,
    )


def difference(file: str, case: str, found: Outline) -> str:
    """File and line, expected (-) and found (+) of an outline that is not the reviewed one; "" where it is."""
    expected = reviewed(file).get(case)
    if expected == found:
        return ""
    path = path_of(file).relative_to(FOLDER.parents[1])
    old = written({case: expected}).splitlines() if expected is not None else []
    lines = difflib.unified_diff(old, written({case: found}).splitlines(), "reviewed", "found", lineterm="", n=2)
    return "\n".join([f"{path}:{_line_of(file, case)}: the outline of {case} differs", *lines, HINT])


def stale() -> list[str]:
    """Outlines without a case."""
    cases: dict[str, set[str]] = {}
    for file, case in all_cases():
        cases.setdefault(file, set()).add(str(case["id"]))
    found = []
    for path in sorted(OUTLINES.glob("*/*.yaml")):
        file = f"{path.parent.name}/{path.stem}"
        known = cases.get(file, set())
        place = path.relative_to(FOLDER.parents[1])
        found += [
            f"{place}:{_line_of(file, name)}: no case {name}. {HINT}" for name in reviewed(file) if name not in known
        ]
    return found


def _line_of(file: str, case: str) -> int:
    path = path_of(file)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((number for number, line in enumerate(lines, start=1) if line == f"{case}:"), 1)


def _found() -> Iterator[tuple[str, str, Outline]]:
    settings = patient_settings()
    client = Client(create_app(pipeline=build_pipeline(settings), settings=settings, today=lambda: TODAY))
    for file, case in all_cases():
        yield file, str(case["id"]), outline_of(answer_to(client, case))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Without `--write` it returns 1 where an outline differs."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.clinical.outlines",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write the outlines again")
    options = parser.parse_args(arguments)
    outlines: dict[str, dict[str, Outline]] = {}
    differing = 0
    for file, case, found in _found():
        outlines.setdefault(file, {})[case] = found
        told = difference(file, case, found)
        differing += bool(told)
        if told:
            print(told, end="\n\n")
    if options.write:
        for path in set(OUTLINES.glob("*/*.yaml")) - {path_of(file) for file in outlines}:
            path.unlink()
        for file, of_file in outlines.items():
            path_of(file).parent.mkdir(parents=True, exist_ok=True)
            path_of(file).write_text(HEADER + written(of_file), encoding="utf-8")
        print(f"written; {differing} outlines differ from before")
        return 0
    gone = stale()
    print("\n".join([*gone, f"{differing} of {len(all_cases())} outlines differ, {len(gone)} have no case"]))
    return 1 if differing or gone else 0


if __name__ == "__main__":
    sys.exit(main())
