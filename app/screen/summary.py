"""`summary.html`: the counts of a run as tables and pictures, in one file that needs no other."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from jinja2 import Environment
from matplotlib.figure import Figure

from app.screen.counts import SUPPRESSED_BELOW, Counts
from app.screen.indicators import DXA_DAYS, NO, PERSISTENT_MONTHS, TREATED_MONTHS, UNKNOWN, YES, Period

TITLES = {
    "advice": "Patients by advice",
    "urgency": "Patients by the most urgent advice",
    "age_bands": "Patients with advice by age",
    "sexes": "Patients with advice by sex",
    "missing": "Patients by missing datum",
    "statuses": "Patients by what became of them",
    "incomplete": "Patients by list that did not come whole",
    "set_aside": "Records set aside, by reason",
}
INDICATOR_TITLES = {
    "dxa-90-days": f"Bone density measured within {DXA_DAYS} days of the fracture",
    "bone-drug-6-months": f"Bone drug at the fracture or within {TREATED_MONTHS} months",
    "falls-assessed": "Falls asked about or assessed since the fracture",
    "calcium-vitamin-d-6-months": f"Calcium and vitamin D within {TREATED_MONTHS} months",
    "on-treatment-12-months": f"Of those treated: still treated {PERSISTENT_MONTHS} months after the fracture",
}
_DRAWN = ("advice", "urgency", "age_bands", "missing")
_ROWS = 20
_COLOURS = {YES: "#1b6e53", NO: "#c9622b", UNKNOWN: "#9a9a9a"}
_HATCHES = {YES: "", NO: "//", UNKNOWN: ".."}


def page_of(counts: Counts, unrecognised: Mapping[tuple[str, str], int], run: Mapping[str, Any], period: Period) -> str:
    """The page. `run`: what `run.json` says."""
    mpl.rcParams["svg.fonttype"] = "none"  # letters stay letters: they can be read aloud and searched
    mpl.rcParams["svg.hashsalt"] = "osteon"  # the same picture for the same numbers
    tables = counts.tables()
    codes = {f"{kind}, {system}": count for (kind, system), count in unrecognised.items()}
    sections = [
        {
            "id": key,
            "title": title,
            "rows": list(tables[key].items()),
            "plot": _bars(tables[key], title) if key in _DRAWN and any(tables[key].values()) else "",
        }
        for key, title in TITLES.items()
    ]
    sections.append({"id": "codes", "title": "Codes that were not recognised", "rows": list(codes.items())[:_ROWS]})
    measures = [{"name": INDICATOR_TITLES[name], **answers} for name, answers in counts.measures().items()]
    template = Path(__file__).with_name("summary.html").read_text(encoding="utf-8")
    return (
        Environment(autoescape=True)
        .from_string(template)
        .render(
            sections=sections,
            measures=measures,
            picture=_stacked(measures) if any(row[key] for row in measures for key in (YES, NO, UNKNOWN)) else "",
            run=run,
            period=period,
            limit=SUPPRESSED_BELOW,
        )
    )


def _bars(table: Mapping[str, int | None], title: str) -> str:
    rows = [(name, count) for name, count in table.items() if count is not None][:_ROWS]
    figure = Figure(figsize=(7, 0.6 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh([name for name, _ in rows], [count for _, count in rows], color=_COLOURS[YES])
    axes.bar_label(bars, padding=3)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("patients")
    return _svg(figure, title)


def _stacked(measures: list[dict[str, Any]]) -> str:
    figure = Figure(figsize=(7, 0.9 + 0.5 * len(measures)), layout="constrained")
    axes = figure.subplots()
    names = [row["name"] for row in measures]
    start = [0] * len(measures)
    for key in (YES, NO, UNKNOWN):
        widths = [row[key] or 0 for row in measures]
        axes.barh(names, widths, left=start, color=_COLOURS[key], hatch=_HATCHES[key], edgecolor="white", label=key)
        start = [before + width for before, width in zip(start, widths, strict=True)]
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("patients")
    axes.legend(loc="upper center", bbox_to_anchor=(0.3, -0.25), ncols=3, frameon=False)
    return _svg(figure, "Indicators of the fracture liaison service")


def _svg(figure: Figure, title: str) -> str:
    """The picture as SVG inside the page; the table beside it is its text form."""
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None, "Title": title, "Creator": None})
    text = written.getvalue()
    return text[text.index("<svg") :].replace("<svg", '<svg role="img" aria-hidden="true"', 1)
