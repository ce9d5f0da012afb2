"""`osteon diff OLD NEW --patients FILES`: which patients get other advice under another overlay or other guidelines.

OLD and NEW are each `shipped`, an overlay of a hospital, or a folder of guideline files. The patients are CDS Hooks
requests or Bundles, one per JSON file or one per line (NDJSON). A patient is named by file and line: nothing of the
chart is printed but the names of the features that decided.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment

from app.advice.reconcile import Advisor
from app.cds_hooks.configuration import Configuration
from app.cds_hooks.errors import CallError
from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import HookRequest, read_request
from app.collector import paused_collector
from app.commands.progress import progress
from app.commands.request_files import requests_in
from app.decoding.call import decode_call
from app.engine.finding import Finding, evaluate
from app.engine.linker import load_knowledge
from app.engine.loader import ADVICE
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from app.vocabulary import Language
from app.yaml_files import FilesError

SHIPPED = "shipped"


def main(argv: Sequence[str] | None = None) -> int:
    """Compare. Exit status 0 = the same advice, 1 = other advice, 2 = something cannot be read."""
    parser = argparse.ArgumentParser(prog="osteon diff", description="Which patients get other advice, and why.")
    parser.add_argument("old", help="shipped, an overlay, or a folder of guideline files")
    parser.add_argument("new", help="the same")
    parser.add_argument(
        "--patients",
        nargs="+",
        type=Path,
        required=True,
        help="requests or Bundles of one patient: JSON files, or NDJSON",
    )
    parser.add_argument(
        "--complete", action="store_true", help="the Bundles hold whole records: what is not there is none"
    )
    parser.add_argument("--profile", help="instead of the one in the requests")
    parser.add_argument("--today", type=date.fromisoformat, help="YYYY-MM-DD (default: today)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the report as an HTML page, too")
    arguments = parser.parse_args(argv)
    settings = Settings()
    today = arguments.today or datetime.now(settings.zone).date()
    try:
        with paused_collector():
            old, new = (pipeline_of(name, settings) for name in (arguments.old, arguments.new))
        bodies = list(requests_in(arguments.patients, complete=arguments.complete))
        report = compared(
            old, new, bodies, today, arguments.profile or settings.profile, forced=bool(arguments.profile)
        )
        if arguments.page:
            arguments.page.write_text(page_of(report), encoding="utf-8")
    except (FilesError, ValueError, OSError) as error:
        print(f"osteon diff: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report, indent=1, ensure_ascii=False) if arguments.json else "\n".join(lines_of(report)))
    return 1 if report["different"] else 0


def pipeline_of(name: str, settings: Settings) -> OsteonPipeline:
    """The pipeline of one side. Raises FilesError or ValueError."""
    base = build_pipeline(settings.model_copy(update={"local": None}))
    if name == SHIPPED:
        return base
    folder = Path(name).resolve()
    if not folder.is_dir():
        raise ValueError(f"{name} is neither a folder nor '{SHIPPED}'")
    guidelines = (folder / ADVICE).is_dir()
    knowledge = load_knowledge(folder) if guidelines else load_knowledge(local=folder)
    switched = knowledge.local.switched.union(settings.disabled_recommendations)
    return replace(base, knowledge=knowledge, advisor=Advisor(knowledge, switched))


def compared(
    old: OsteonPipeline,
    new: OsteonPipeline,
    bodies: Sequence[tuple[str, dict[str, Any]]],
    today: date,
    profile: str,
    *,
    forced: bool = False,
) -> dict[str, Any]:
    """The report: counts per advice on both sides, and each patient with other advice."""
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    patients: list[dict[str, Any]] = []
    unread: list[dict[str, str]] = []
    for place, body in progress(bodies, "requests"):
        try:
            worked = [side.work(request_of(body, side, profile, forced=forced), today=today) for side in (old, new)]
        except (CallError, ValueError) as error:
            unread.append({"request": place, "reason": type(error).__name__})
            continue
        given = [{one.id: {cited.id for cited in one.cited} for one in each.advice.advice} for each in worked]
        for counter, advice in zip(counts, given, strict=True):
            counter.update(advice.keys())
        if given[0] == given[1]:
            continue
        cited = [set().union(*advice.values()) for advice in given]
        patients.append(
            {
                "request": place,
                "lost": sorted(given[0].keys() - given[1].keys()),
                "gained": sorted(given[1].keys() - given[0].keys()),
                "why": [
                    _why(name, side, worked[index].features, gained=bool(index))
                    for index, side in enumerate((old, new))
                    for name in sorted(cited[index] - cited[1 - index])
                ],
            }
        )
    names = sorted(counts[0] | counts[1])
    return {
        "old": old.knowledge.version,
        "new": new.knowledge.version,
        "requests": len(bodies),
        "different": len(patients),
        "advice": {name: {"old": counts[0][name], "new": counts[1][name]} for name in names},
        "patients": patients,
        "unread": unread,
    }


def request_of(body: dict[str, Any], side: OsteonPipeline, profile: str, *, forced: bool) -> HookRequest:
    """The call that a body makes. Raises ValueError or CallError, as the service would refuse it."""
    service = next((one for one in SERVICES if one.hook == body.get("hook")), None)
    if service is None:
        raise ValueError("no service for this hook")
    if forced:
        extension = body.get("extension") or {}
        configuration = {**(extension.get("osteon.configuration") or {}), "profile": profile}
        body = {**body, "extension": {**extension, "osteon.configuration": configuration}}
    default = Configuration(profile, Language.EN, profiles=tuple(side.knowledge.profiles))
    request = read_request(decode_call(json.dumps(body).encode()), service, default=default)
    request.records.require()
    return request


def _why(name: str, side: OsteonPipeline, features: Any, *, gained: bool) -> dict[str, Any]:
    """A statement that only one side cites: its criterion, and the features that decided it there."""
    finding: Finding = evaluate(side.knowledge.rules[name], features)
    facts = sorted({evidence.feature for evidence in finding.evidence})
    return {"statement": name, "cited": "new" if gained else "old", "criterion": str(finding.rule.when), "facts": facts}


def lines_of(report: dict[str, Any]) -> Iterator[str]:
    """The report as text."""
    yield f"{report['old']} -> {report['new']}: {report['different']} of {report['requests']} requests get other advice"
    for name, count in report["advice"].items():
        if count["old"] != count["new"]:
            yield f"  {name}: {count['old']} -> {count['new']}"
    for patient in report["patients"]:
        changes = [*(f"-{name}" for name in patient["lost"]), *(f"+{name}" for name in patient["gained"])]
        yield f"{patient['request']}: {', '.join(changes) or 'other statements'}"
        for why in patient["why"]:
            facts = ", ".join(why["facts"]) or "no fact"
            yield f"  {why['cited']} cites {why['statement']}: {why['criterion']} (from {facts})"
    for one in report["unread"]:
        yield f"not read: {one['request']} ({one['reason']})"


def page_of(report: dict[str, Any]) -> str:
    """The report as an HTML page that needs no other file."""
    template = Path(__file__).with_name("diff_page.html").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(template).render(report)
