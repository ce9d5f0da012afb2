"""`osteon shadow FILES`: what the service would have answered to a hospital's own requests, as counts.

For the weeks before go-live: recorded CDS Hooks requests or Bundles are answered here and nothing is shown to anybody.
The report has counts per advice, per missing datum, per reason a record was set aside and per code that was not
recognised. It names no patient, no file and no value of a chart.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from app.cds_hooks.errors import CallError
from app.collector import paused_collector
from app.commands.codes import codings_in
from app.commands.progress import progress
from app.commands.request_files import requests_in
from app.commands.requests import SHIPPED, default_of, pipeline_of, request_of
from app.pipeline import OsteonPipeline
from app.settings import Settings
from app.terminology.codes import meaning_of
from app.yaml_files import FilesError


@dataclass
class Counts:
    """What is counted over all requests."""

    knowledge: str
    requests: int = 0
    with_cards: int = 0
    hooks: Counter[str] = field(default_factory=Counter)
    advice: Counter[str] = field(default_factory=Counter)
    indicators: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    set_aside: Counter[str] = field(default_factory=Counter)
    unrecognised: Counter[str] = field(default_factory=Counter)
    not_answered: Counter[str] = field(default_factory=Counter)

    def report(self) -> dict[str, Any]:
        """As JSON, the most frequent first."""
        tables = {name: dict(_ranked(value)) for name, value in vars(self).items() if isinstance(value, Counter)}
        return {"knowledge": self.knowledge, "requests": self.requests, "with_cards": self.with_cards, **tables}


def main(argv: Sequence[str] | None = None) -> int:
    """Run. Exit status 0, or 2 where a file or the overlay cannot be read."""
    parser = argparse.ArgumentParser(prog="osteon shadow", description="Count what the service would have answered.")
    parser.add_argument("files", nargs="+", type=Path, help="requests or Bundles of one patient: JSON files, or NDJSON")
    parser.add_argument("--knowledge", default=SHIPPED, help="shipped (default), an overlay, or a guideline folder")
    parser.add_argument(
        "--complete", action="store_true", help="the Bundles hold whole records: what is not there is none"
    )
    parser.add_argument("--profile", help="instead of the one in the requests")
    parser.add_argument("--today", type=date.fromisoformat, help="YYYY-MM-DD (default: today)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args(argv)
    settings = Settings()
    try:
        with paused_collector():
            pipeline = pipeline_of(arguments.knowledge, settings)
        bodies = list(requests_in(arguments.files, complete=arguments.complete))
    except (FilesError, ValueError, OSError) as error:
        print(f"osteon shadow: {error}", file=sys.stderr)
        return 2
    today = arguments.today or datetime.now(settings.zone).date()
    counts = counted(pipeline, [body for _, body in bodies], today, arguments.profile)
    report = counts.report()
    print(json.dumps(report, indent=1, ensure_ascii=False) if arguments.json else "\n".join(lines_of(report)))
    return 0


def counted(pipeline: OsteonPipeline, bodies: Sequence[dict[str, Any]], today: date, profile: str | None) -> Counts:
    """Answer each request and count. A request that the service would refuse is counted by the kind of refusal."""
    counts, default = Counts(pipeline.knowledge.version), default_of(pipeline)
    for body in progress(bodies, "requests"):
        counts.requests += 1
        try:
            request = request_of(body, default, profile)
            worked = pipeline.work(request, today=today)
        except (CallError, ValueError) as error:
            counts.not_answered[type(error).__name__] += 1
            continue
        given = worked.advice
        counts.hooks[request.occasion.value] += 1
        counts.with_cards += bool(given.advice)
        counts.advice.update({advice.id for advice in given.advice})
        counts.indicators.update({str(advice.indicator) for advice in given.advice})
        counts.missing.update({*given.missing, *(name for advice in given.advice for name in advice.missing)})
        for record in worked.chart.set_aside:
            counts.set_aside[str(record.reason)] += record.count
        counts.unrecognised.update(_unrecognised(body))
    return counts


def _unrecognised(body: dict[str, Any]) -> set[str]:
    """The codes of a request that say nothing to the service, each once."""
    return {
        f"{kind} {coding['system']} {coding['code']}"
        for kind, _, coding in codings_in([body])
        if isinstance(coding.get("system"), str)
        and isinstance(coding.get("code"), str)
        and meaning_of(coding["system"], coding["code"]) is None
    }


def lines_of(report: dict[str, Any]) -> Iterator[str]:
    """The report as text: one table after the other."""
    yield f"{report['requests']} requests, {report['with_cards']} with cards; knowledge {report['knowledge']}"
    for name, table in report.items():
        if isinstance(table, dict) and table:
            yield f"\n{_TITLES[name]}"
            width = max(map(len, table))
            for key, count in table.items():
                yield f"  {key:<{width}}  {count}"


_TITLES = {
    "hooks": "Requests by occasion",
    "advice": "Requests by advice",
    "indicators": "Requests by urgency of a card",
    "missing": "Requests by missing datum",
    "set_aside": "Records set aside, by reason",
    "unrecognised": "Requests by code that was not recognised",
    "not_answered": "Requests refused, by reason",
}


def _ranked(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))
