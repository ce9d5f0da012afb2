"""`osteon test DIR`: runs the clinical cases of an overlay and prints them as a clinician reads them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from app.cases.builder import SERVICE, Builder
from app.cases.checking import problems
from app.cases.expectations import unmet
from app.cds_hooks.configuration import Configuration
from app.cds_hooks.errors import CallError
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.collector import paused_collector
from app.decoding.call import decode_call
from app.engine.loader import SOURCE
from app.engine.overlay import CASES
from app.pipeline import OsteonPipeline, build_pipeline
from app.profiles import profile_ids
from app.settings import Settings
from app.yaml_files import FilesError, parse_yaml

TODAY = date(2026, 11, 22)
"""The day from which the cases count back, unless --today names another."""
_NO_FACTS = frozenset({"id", "title", "tags", "profile", "hook", "patient", "provided", "expect"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the cases. Exit status 0; 1 where a case fails or is wrong; 2 where there are none."""
    parser = argparse.ArgumentParser(
        prog="osteon test", description="Run the clinical cases of an overlay, or of one guideline in it."
    )
    parser.add_argument("folder", type=Path, help="the overlay, or the folder of a guideline in it")
    parser.add_argument("--today", type=date.fromisoformat, default=TODAY, help="YYYY-MM-DD (default: %(default)s)")
    arguments = parser.parse_args(argv)
    folder: Path = arguments.folder.resolve()
    local = folder.parent if (folder / SOURCE).is_file() else folder
    files = sorted({*folder.glob(f"{CASES}/*.yaml"), *folder.glob(f"*/{CASES}/*.yaml")})
    if not files:
        print(f"osteon test: no cases in {folder}/{CASES}", file=sys.stderr)
        return 2
    try:
        with paused_collector():
            pipeline = build_pipeline(Settings(local=local))
    except (FilesError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    wrong = [line for path in files for line in problems(path, pipeline.knowledge)]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    run = failed = 0
    for path in files:
        for case in parse_yaml(path.read_text(encoding="utf-8"), path.name) or ():
            failures: list[str] = []
            for line in told(pipeline, case, arguments.today, profile_ids(local), failures):
                print(line)
            run, failed = run + 1, failed + bool(failures)
    print(f"{run} cases, {failed} failed")
    return 1 if failed else 0


def told(
    pipeline: OsteonPipeline, case: Mapping[str, Any], today: date, profiles: tuple[str, ...], failures: list[str]
) -> Iterator[str]:
    """A case as a clinician reads it: the patient, what is on record, the cards; what is not met goes to `failures`."""
    person = case["patient"]
    born = f"{person['age']} years" if "age" in person else f"born {person['born']}"
    yield f"{case['title']} [{case['id']}]"
    yield f"  {person['sex']}, {born}; profile {case['profile']}; {case.get('hook', 'patient-view')}"
    for kind, facts in case.items():
        if kind not in _NO_FACTS:
            for fact in facts:
                details = ", ".join(
                    f"{key.replace('_', ' ')} {value}" for key, value in fact.items() if key != "concept"
                )
                yield f"  {kind.replace('_', ' ')}: {str(fact.get('concept', '')).replace('_', ' ')} ({details})"
    service = SERVICES_BY_ID[SERVICE[case.get("hook", "patient-view")]]
    raw = json.dumps(Builder(case, today).request(), default=str).encode()
    try:
        request = read_request(decode_call(raw), service, default=Configuration(profiles=profiles))
        body = pipeline.answer(request, today=today).to_json()
    except CallError as error:
        failures.append(str(error))
        yield f"  FAILED: {error}"
        return
    for card in body["cards"]:
        cited = [r["id"] for r in card["extension"]["osteon.explanation"].get("recommendations", [])]
        yield f"  -> {card['indicator']}: {card['summary']} [{', '.join(cited)}]"
    if not body["cards"]:
        yield "  -> no card"
    failures += unmet(case["expect"], body)
    yield from (f"  FAILED: {failure}" for failure in failures)
