"""`osteon explain request.json`: what each recommendation says of a request: holds, does not hold, cannot be told."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from app.advice.profile import roles_in
from app.cards.wording import Wording, wording_in
from app.cds_hooks.errors import CallError
from app.cds_hooks.request import HookRequest
from app.collector import paused_collector
from app.commands.requests import request_of
from app.commands.timeline import timeline
from app.engine.finding import Finding, evaluate
from app.pipeline import Answering, OsteonPipeline, build_pipeline
from app.settings import Settings

WORDS = {True: "holds", False: "does not hold", None: "cannot be told"}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the explanation of a request. Exit status 0, or 2 where the request cannot be read."""
    parser = argparse.ArgumentParser(
        prog="osteon explain", description="Explain what each recommendation says of a request."
    )
    parser.add_argument("request", type=Path, help="a CDS Hooks request (JSON); - reads standard input")
    parser.add_argument("--profile", help="instead of the one in the request")
    parser.add_argument("--today", type=date.fromisoformat, help="YYYY-MM-DD (default: today)")
    parser.add_argument("--only", choices=["holds", "unknown"], help="leave out the others")
    parser.add_argument("--timeline", action="store_true", help="draw the drug courses instead")
    arguments = parser.parse_args(argv)
    text = sys.stdin.read() if str(arguments.request) == "-" else arguments.request.read_text(encoding="utf-8")
    settings = Settings()
    try:
        request = request_of(json.loads(text), settings.default_configuration(), arguments.profile)
        with paused_collector():
            pipeline = build_pipeline(settings)
        worked = pipeline.work(request, today=arguments.today or datetime.now(settings.zone).date())
    except (ValueError, CallError) as error:
        print(f"osteon explain: {error}", file=sys.stderr)
        return 2
    if arguments.timeline:
        for line in timeline(worked.chart):
            print(line)
        return 0
    for line in explained(pipeline, request, worked, arguments.only):
        print(line)
    return 0


def explained(
    pipeline: OsteonPipeline, request: HookRequest, worked: Answering, only: str | None = None
) -> Iterator[str]:
    """The lines of the explanation: advice first, then each recommendation of the sources that speak in the profile."""
    knowledge, profile = pipeline.knowledge, str(request.configuration.profile)
    wording = wording_in(knowledge, str(request.configuration.language))
    yield f"profile {profile}, knowledge {knowledge.version}, today {worked.chart.today}"
    for set_aside in worked.chart.set_aside:
        yield f"not used: {set_aside.resource or 'another patient'} ({set_aside.reason}) x{set_aside.count}"
    for advice in worked.advice.advice:
        yield f"ADVICE {advice.id} [{advice.topic}, {advice.indicator}]: {', '.join(c.id for c in advice.cited) or '-'}"
    roles = roles_in(knowledge, profile, worked.features)
    for rule in sorted(knowledge.rules.values(), key=lambda r: (r.source.number, r.block.source.lines)):
        role = roles.role_of(rule)
        if role is None or not rule.citable:
            continue
        finding = evaluate(rule, worked.features)
        if (only == "holds" and not finding.holds) or (only == "unknown" and finding.truth is not None):
            continue
        yield from _finding(finding, str(role), wording)


def _finding(finding: Finding, role: str, wording: Wording) -> Iterator[str]:
    rule = finding.rule
    lines = ",".join(map(str, rule.block.source.lines))
    yield f"{rule.id} ({role}, {rule.file.rpartition('/')[2]}:{rule.line}, source line {lines}): {WORDS[finding.truth]}"
    yield f"    when: {rule.when}"
    if finding.excluded_by:
        yield f"    excluded by: {finding.excluded_by}"
    for evidence in finding.evidence:
        yield f"    {wording.fact(evidence)}" + (f" [{evidence.resource}]" if evidence.resource else "")
    if finding.truth is None:
        outcome = finding.outcome
        yield f"    not known: {wording.listed(outcome.missing)} ({'; '.join(outcome.why)})"
