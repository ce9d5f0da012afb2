"""`osteon diff OLD NEW --patients FILES`: which patients get other advice under another overlay or other guidelines.

OLD and NEW are each `shipped`, an overlay of a hospital, a folder of guideline files, or answers that an earlier
release recorded. The patients are CDS Hooks requests or Bundles, one per JSON file or one per line (NDJSON). A patient
is named by file and line: nothing of the chart is printed but the names of the features that decided.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment

from app.collector import paused_collector
from app.commands.diff_answers import Answer, Answers, answers_of, record, recorded
from app.commands.diff_notes import notes_of
from app.commands.request_files import requests_in
from app.commands.requests import pipeline_of
from app.commands.shipped_cases import shipped_cases
from app.settings import Settings
from app.yaml_files import FilesError


def main(argv: Sequence[str] | None = None) -> int:
    """Compare. Exit status 0 = the same advice, 1 = other advice, 2 = something cannot be read."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not arguments.patients and not arguments.cases:
        parser.error("--patients FILES, --cases, or both")
    settings = Settings()
    today = arguments.today or datetime.now(settings.zone).date()
    try:
        bodies = list(requests_in(arguments.patients, complete=arguments.complete))
        bodies += shipped_cases(today) if arguments.cases else []
        sides = [_answers(name, bodies, today, arguments, settings) for name in (arguments.old, arguments.new)]
        report = compared(*sides)
        if arguments.record:
            record(sides[1], arguments.record)
        if arguments.page:
            arguments.page.write_text(page_of(report), encoding="utf-8")
        if arguments.notes:
            arguments.notes.write_text(notes_of(report, today), encoding="utf-8")
    except (FilesError, ValueError, OSError) as error:
        print(f"osteon diff: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report, indent=1, ensure_ascii=False) if arguments.json else "\n".join(lines_of(report)))
    return 1 if report["different"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="osteon diff", description="Which patients get other advice, and why.")
    parser.add_argument("old", help="shipped, an overlay, a folder of guideline files, or a file of recorded answers")
    parser.add_argument("new", help="the same")
    parser.add_argument(
        "--patients",
        nargs="+",
        type=Path,
        default=[],
        help="requests or Bundles of one patient: JSON files, or NDJSON",
    )
    parser.add_argument("--cases", action="store_true", help="the clinical cases that ship, too")
    parser.add_argument(
        "--complete", action="store_true", help="the Bundles hold whole records: what is not there is none"
    )
    parser.add_argument("--profile", help="instead of the one in the requests")
    parser.add_argument("--today", type=date.fromisoformat, help="YYYY-MM-DD (default: today)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the report as an HTML page, too")
    parser.add_argument("--notes", type=Path, metavar="FILE", help="write it as release notes (Markdown)")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the answers of NEW, for a later release")
    return parser


def _answers(
    name: str,
    bodies: Sequence[tuple[str, dict[str, Any]]],
    today: date,
    arguments: argparse.Namespace,
    settings: Settings,
) -> Answers:
    """The answers of one side. Raises FilesError, ValueError or OSError."""
    if Path(name).is_file():
        return recorded(Path(name))
    with paused_collector():
        side = pipeline_of(name, settings)
    return answers_of(side, bodies, today, arguments.profile)


def compared(old: Answers, new: Answers) -> dict[str, Any]:
    """The report: counts per advice on both sides, and each patient with other advice.

    Requests that only one side knows are counted as `only_new` or `only_old`.
    """
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    patients: list[dict[str, Any]] = []
    unread: list[dict[str, str]] = []
    both = [place for place in new.answers if place in old.answers]
    for place in both:
        pair = (old.answers[place], new.answers[place])
        refused = next((one.refused for one in pair if one.refused is not None), None)
        if refused is not None:
            unread.append({"request": place, "reason": refused})
            continue
        for counter, answer in zip(counts, pair, strict=True):
            counter.update(answer.advice.keys())
        if pair[0].advice != pair[1].advice or pair[0].drugs != pair[1].drugs:
            patients.append(_difference(place, *pair))
    names = sorted(counts[0] | counts[1])
    return {
        "old": old.knowledge,
        "new": new.knowledge,
        "requests": len(both),
        "different": len(patients),
        "advice": {name: {"old": counts[0][name], "new": counts[1][name]} for name in names},
        "patients": patients,
        "unread": unread,
        "only_old": len(old.answers) - len(both),
        "only_new": len(new.answers) - len(both),
    }


def _difference(place: str, old: Answer, new: Answer) -> dict[str, Any]:
    """One patient: what is lost and gained, other drugs, and the statements that one side alone cites."""
    cited = [set[str]().union(*answer.advice.values()) for answer in (old, new)]
    return {
        "request": place,
        "lost": sorted(old.advice.keys() - new.advice.keys()),
        "gained": sorted(new.advice.keys() - old.advice.keys()),
        "drugs": [
            {"advice": name, "old": old.drugs[name], "new": new.drugs[name]}
            for name in sorted(old.drugs.keys() & new.drugs.keys())
            if old.drugs[name] != new.drugs[name]
        ],
        "why": [
            *(_cited("old", name, old) for name in sorted(cited[0] - cited[1])),
            *(_cited("new", name, new) for name in sorted(cited[1] - cited[0])),
        ],
    }


def _cited(which: str, name: str, answer: Answer) -> dict[str, Any]:
    """A statement that one side alone cites: its criterion, and the features that decided it there."""
    why = answer.statements[name]
    return {"statement": name, "cited": which, "criterion": why.criterion, "facts": why.facts}


def lines_of(report: dict[str, Any]) -> Iterator[str]:
    """The report as text."""
    yield f"{report['old']} -> {report['new']}: {report['different']} of {report['requests']} requests get other advice"
    for name, count in report["advice"].items():
        if count["old"] != count["new"]:
            yield f"  {name}: {count['old']} -> {count['new']}"
    for patient in report["patients"]:
        changes = [*(f"-{name}" for name in patient["lost"]), *(f"+{name}" for name in patient["gained"])]
        yield f"{patient['request']}: {', '.join(changes) or 'other statements or drugs'}"
        for drugs in patient["drugs"]:
            yield f"  drugs of {drugs['advice']}: {', '.join(drugs['old'])} -> {', '.join(drugs['new'])}"
        for why in patient["why"]:
            facts = ", ".join(why["facts"]) or "no fact"
            yield f"  {why['cited']} cites {why['statement']}: {why['criterion']} (from {facts})"
    for one in report["unread"]:
        yield f"not read: {one['request']} ({one['reason']})"
    for which in ("only_old", "only_new"):
        if report[which]:
            yield f"{report[which]} requests are known to the {which.removeprefix('only_')} side alone"


def page_of(report: dict[str, Any]) -> str:
    """The report as an HTML page that needs no other file."""
    template = Path(__file__).with_name("diff_page.html").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(template).render(report)
