"""`python -m tests.mutation`: change the guideline data, and see whether a test notices.

    python -m tests.mutation                      every mutant of the guidelines and of what cards order
    python -m tests.mutation --sample 300         a sample, seeded by the commit; the same for the same commit
    python -m tests.mutation --tables             the code tables (each mutant in a forked process)
    python -m tests.mutation --kind "gate*"       one class
    python -m tests.mutation --place uppsala.dxa  mutants whose place holds these words

Survivors are listed with what they change. One that changes nothing for any patient stands in accepted.yaml with the
reason. `--at-least 90` ends with an error where fewer percent were killed.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

import yaml

from app.engine.loader import default_folder, load
from tests.facts import drugs, units
from tests.mutation.bench import Bench
from tests.mutation.compile import Refused, Workshop
from tests.mutation.concepts import concept_mutants
from tests.mutation.drugs import drug_mutants
from tests.mutation.guideline import guideline_mutants
from tests.mutation.mutant import Mutant
from tests.mutation.tables import TableBench

ACCEPTED = Path(__file__).with_name("accepted.yaml")
REFUSED = "refused"


def accepted() -> dict[str, str]:
    """Mutants that change nothing for any patient, each with the reason."""
    content: dict[str, str] = yaml.safe_load(ACCEPTED.read_text(encoding="utf-8")) or {}
    return content


def commit() -> str:
    """The commit of the work tree; without git, a constant."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "no commit"
    return found.stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 1 where fewer than `--at-least` percent were killed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", type=int, help="how many mutants")
    parser.add_argument("--seed", default=None, help="of the sample; default: the commit")
    parser.add_argument("--tables", action="store_true", help="the code tables instead of the guidelines")
    parser.add_argument("--kind", default="*", help="a class, with wildcards")
    parser.add_argument("--place", default="", help="mutants whose place holds this")
    parser.add_argument("--expectations-only", action="store_true", help="judge by `expect` without outlines and facts")
    parser.add_argument("--at-least", type=float, default=0, help="percent that must be killed")
    parser.add_argument("--quiet", action="store_true", help="no list of survivors")
    options = parser.parse_args(arguments)

    loaded = load(default_folder())
    workshop = Workshop(loaded)
    mutants = list(concept_mutants()) if options.tables else [*guideline_mutants(loaded), *drug_mutants(loaded)]
    excused = accepted()
    mutants = [
        one
        for one in mutants
        if fnmatch(one.kind, options.kind) and options.place in one.place and one.id not in excused
    ]
    if options.sample is not None and options.sample < len(mutants):
        mutants = random.Random(options.seed or commit()).sample(mutants, options.sample)
    bench = Bench(workshop)
    outlines = not options.expectations_only
    facts = (units.wrong_units, drugs.wrong_equivalents) if outlines else ()
    tables = TableBench(bench, facts, outlines=outlines) if options.tables else None
    begun, killed, total, refused = time.monotonic(), Counter[str](), Counter[str](), Counter[str]()
    for one in mutants:
        found = tables.killed_by(one) if tables else judged(bench, workshop, one, outlines=outlines)
        total[one.kind] += 1
        killed[one.kind] += found is not None
        refused[one.kind] += (found or "").startswith(REFUSED)
        if found is None and not options.quiet:
            print(f"SURVIVED  {one.id}", flush=True)
    _print(total, killed, refused, time.monotonic() - begun)
    share = 100 * killed.total() / max(1, total.total())
    return 0 if share >= options.at_least else 1


def judged(bench: Bench, workshop: Workshop, mutant: Mutant, *, outlines: bool) -> str | None:
    """What kills a mutant of the guidelines; None where it survives."""
    try:
        mutated = workshop.mutated(mutant)
        if outlines and mutated.rendered and (line := next(drugs.wrong_orders(mutated.knowledge), None)):
            return f"fact: {line}"
        return bench.killed_by(mutated, outlines=outlines)
    except Refused as error:
        return f"{REFUSED}: {error}"


def _print(total: Counter[str], killed: Counter[str], refused: Counter[str], seconds: float) -> None:
    print(f"\n{'class':24} {'killed':>7} {'of':>6} {'percent':>8} {'refused at start':>17}")
    for kind in sorted(total):
        share = 100 * killed[kind] / total[kind]
        print(f"{kind:24} {killed[kind]:7} {total[kind]:6} {share:8.1f} {refused[kind]:17}")
    everything, count = killed.total(), total.total()
    share = 100 * everything / max(1, count)
    print(f"{'all':24} {everything:7} {count:6} {share:8.1f} {refused.total():17}")
    print(f"{count / max(seconds, 0.001):.1f} mutants a second, {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
