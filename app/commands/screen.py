"""`osteon screen DIR...`: the advice of the service for every patient of an export, as a worklist.

Exit status: 0; 2 where something that was given cannot be used; 3 where records belong to nobody, so that lists are
incomplete.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import __version__
from app.collector import paused_collector
from app.commands.progress import bar
from app.pipeline import build_pipeline
from app.profiles import profile_ids
from app.settings import Settings
from app.yaml_files import FilesError

if TYPE_CHECKING:
    from app.screen.run import Run

UNASSIGNED = 3
_NEEDED = ("duckdb", "matplotlib", "numpy")


def main(argv: Sequence[str] | None = None) -> int:
    """Run."""
    arguments = _parser().parse_args(argv)
    if any(find_spec(name) is None for name in _NEEDED):
        print("osteon screen needs more packages: pip install 'osteon[screen]'", file=sys.stderr)
        return 2
    from app.screen.lines import ExportError

    try:
        return _screen(arguments)
    except (ExportError, FilesError, ValueError, OSError) as error:
        print(f"osteon screen: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="osteon screen",
        description="The advice of the service for every patient of Bulk Data exports, as a worklist.",
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="exports, the oldest first")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the results go")
    parser.add_argument("--profile", help=f"one of {', '.join(profile_ids())} (default: OSTEON_PROFILE)")
    parser.add_argument("--as-of", type=date.fromisoformat, metavar="DATE", help="default: the day of the export")
    parser.add_argument("--period", nargs=2, type=date.fromisoformat, metavar=("FROM", "TO"), help="of the indicators")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="worker processes (default 1)")
    parser.add_argument("--memory", default="512MB", help="of the engine in each process (default 512MB)")
    parser.add_argument("--buckets", type=int, help="parts of the work (default: by the size of the export)")
    parser.add_argument(
        "--complete", action="store_true", help="the folders hold the whole record: what is not there is none"
    )
    parser.add_argument("--identified", action="store_true", help="write the ids of patients instead of pseudonyms")
    parser.add_argument("--key", type=Path, help="file with the key of the pseudonyms (default: FOLDER.key)")
    return parser


def _screen(arguments: argparse.Namespace) -> int:
    from app.screen.export import read_export
    from app.screen.indicators import Period
    from app.screen.run import Options, Run

    settings = Settings()
    profile = arguments.profile or settings.profile
    if arguments.workers < 1 or (arguments.buckets is not None and arguments.buckets < 1):
        raise ValueError("--workers and --buckets: at least 1")
    with paused_collector():
        pipeline = build_pipeline(settings)
    if profile not in pipeline.knowledge.profiles:
        known = ", ".join(sorted(pipeline.knowledge.profiles))
        raise ValueError(f"--profile {profile}: no such profile; there are {known}")
    export = read_export(arguments.folders, complete=arguments.complete)
    as_of = arguments.as_of or export.as_of or datetime.now(settings.zone).date()
    period = Period(*arguments.period) if arguments.period else Period.before(as_of)
    options = Options(profile, as_of, period, arguments.workers, arguments.memory, arguments.buckets)
    run = Run(export, options, arguments.out, pipeline)
    if run.prepare():
        print("osteon screen: going on with the run that was stopped", file=sys.stderr)
    started = time.monotonic()
    told = run.shuffle()
    availability = run.availability(told["unassigned"])
    with bar("buckets", total=run.buckets) as shown:
        for statuses in run.screen(availability):
            shown.set_postfix_str(f"{sum(statuses.values())} patients in the last", refresh=False)
            shown.update()
    report = _finished(run, told, availability, arguments)
    run.end()
    print(
        f"{report['patients']} patients, {report['statuses'].get('answered', 0)} answered, "
        f"{report['advice_rows']} rows of advice in {time.monotonic() - started:.0f} s: {arguments.out}"
    )
    if unanswered := report["statuses"].get("no-answer"):
        print(
            f"{unanswered} patients got no answer: it takes Patient, Observation and a list of medications "
            "(MedicationRequest or MedicationStatement) in the export",
            file=sys.stderr,
        )
    if report["unassigned"]:
        print(f"{report['unassigned']} records belong to no patient: {arguments.out / 'run.json'}", file=sys.stderr)
        return UNASSIGNED
    return 0


def _finished(run: Run, told: dict[str, Any], availability: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Write all results; gives what `run.json` says."""
    from app.screen.counts import Counts
    from app.screen.measure_report import measure_report
    from app.screen.output import Pseudonyms, rows_in, write_tables
    from app.screen.run import results_of, settings_hash, unrecognised_in
    from app.screen.summary import page_of

    out: Path = arguments.out
    patients, worklist = results_of(run.folder, "patients"), results_of(run.folder, "worklist")
    pseudonyms = None if arguments.identified else Pseudonyms(arguments.key or out.with_name(out.name + ".key"))
    counts = Counts()
    tables = counts.of_patients(rows_in(patients)), counts.of_worklist(rows_in(worklist))
    write_tables(*tables, out, run.folder, pseudonyms.name if pseudonyms else str)
    if pseudonyms is not None:
        pseudonyms.write_map()
    report: dict[str, Any] = {
        "osteon": __version__,
        "knowledge": run.knowledge,
        "profile": run.options.profile,
        "as_of": str(run.options.as_of),
        "period": [str(run.options.period.first), str(run.options.period.last)],
        "export": run.fingerprint,
        "settings": settings_hash(run.options),
        "patients": sum(counts.statuses.values()),
        "statuses": dict(sorted(counts.statuses.items())),
        "advice_rows": sum(counts.advice.values()),
        "availability": {kind: str(value) for kind, value in availability.items()},
        "availability_because": dict(run.export.reasons),
        "files": told["files"],
        "unassigned": sum(told["unassigned"].values()),
        "identified": bool(arguments.identified),
    }
    made = {
        "run.json": json.dumps(report, indent=1),
        "summary.html": page_of(counts, unrecognised_in(run.folder), report, run.options.period),
        "measure-report.json": json.dumps(measure_report(counts, run.options.period, str(run.options.as_of)), indent=1),
    }
    for name, text in made.items():
        (out / name).write_text(text, encoding="utf-8")
    return report
