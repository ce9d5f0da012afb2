"""`python -m tests.fuzz --charts 100000 --seed 7`: for nights. `--only N` sends one chart of a run again."""

from __future__ import annotations

import argparse
import sys

from app.api.logs import configure
from tests.fuzz.run import Report, chart, requests, run


def main() -> int:
    """Run and report; 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--charts", type=int, default=2000, help="how many charts")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other charts")
    parser.add_argument("--only", type=int, help="send only this chart of the run, and print it")
    options = parser.parse_args()
    configure("error")
    if options.only is not None:
        name, service, content = chart(requests(), options.seed, options.only)
        print(f"{name} -> {service}\n{content.decode(errors='replace')}")
        numbers = range(options.only, options.only + 1)
    else:
        numbers = range(options.charts)

    def progress(number: int, report: Report) -> None:
        if number and number % 5000 == 0:
            print(f"{number} charts, {len(report.faults)} faults", file=sys.stderr, flush=True)

    report = run(options.seed, numbers, progress)
    for number, name, fault in report.faults:
        print(f"seed {options.seed} chart {number} (from {name}): {fault}")
    counts = ", ".join(f"{status}: {count}" for status, count in sorted(report.statuses.items()))
    print(f"{len(numbers)} charts; {counts}; {report.with_cards} with cards; {len(report.faults)} faults")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
