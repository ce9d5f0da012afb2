"""Writes docs/features.md from the catalogue: `python -m app.docgen.features [FILE]`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from pathlib import Path

from app.features.catalogue import Family
from app.features.evaluation import catalogue

INTRODUCTION = """# Features

What a guideline can ask about a patient. This page is made from the catalogue in `app/features`
(`python -m app.docgen.features`); do not edit it by hand.

* A feature is known, or unknown with a reason and the data that would settle it. Unknown is never "no" or "normal".
* A list of records that was provided and holds no such record means "none on record"; a list that was not provided
  leaves the question open. A measurement that is missing is always unknown.
* Months and years are calendar months and years. A partial date gives an interval; a limit inside it is unknown.
* A time since an event that is not on record though its list was provided is longer ago than every limit.
* Age limits, and from which age menopause is assumed, are settings (`FeatureSettings` in `app/features/model.py`).
"""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _explained(compute: object) -> str:
    return inspect.getdoc(compute) or ""


def _unit(family: Family) -> str:
    return "of the analyte" if callable(family.unit) else family.unit or ""


def render() -> str:
    """The page as Markdown."""
    known = catalogue()
    lines = [
        INTRODUCTION,
        "## Features without argument",
        "",
        "| name | kind | unit or words | meaning | how |",
        "|---|---|---|---|---|",
    ]
    for spec in known.features():
        compute = known.definition(spec.name).compute
        values = spec.unit or ", ".join(sorted(spec.words))
        lines.append(_row([f"`{spec.name}`", spec.kind, values, spec.meaning, _explained(compute)]))
    lines += ["", "## Families", "", "`{}` in a meaning stands for the arguments.", ""]
    lines += ["| name | kind | unit | meaning | how |", "|---|---|---|---|---|"]
    for family in known.families():
        how = _explained(family.compute)
        lines.append(_row([f"`{family.pattern}`", family.kind, _unit(family), family.meaning, how]))
    lines += ["", "## Arguments", ""]
    lists: dict[tuple[str, tuple[str, ...]], dict[str, None]] = {}
    for family in known.families():
        for argument in family.arguments:
            if argument.choices:
                lists.setdefault((argument.label, argument.choices), {})[f"`{family.name}`"] = None
    for (label, choices), names in sorted(lists.items(), key=lambda item: item[0]):
        values = ", ".join(f"`{choice}`" for choice in choices)
        lines += [f"* `<{label}>` of {', '.join(names)}: {values}"]
    lines += ["* `<n>` and `<months>`: a positive whole number", "* `<feature>`: the name of any other feature", ""]
    words = [
        f"* `{name}`: {', '.join(sorted(known.spec(name).words))}"
        for name in known.names()
        if name.startswith("finding_word.")
    ]
    analytes = [f"* `{name}`: {known.spec(name).unit}" for name in known.names() if name.startswith("lab.")]
    lines += ["## Words of findings", "", *words, "", "## Units of laboratory values", "", *analytes, ""]
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Write the page to the file named first, docs/features.md by default."""
    path = Path(arguments[0]) if arguments else Path("docs") / "features.md"
    path.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
