"""`python -m tests.oracle --sets 100000 --seed 7`: compare the engine with the oracle; 1 where they differ."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence

from tests.oracle.compare import Comparison

SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--sets", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    found = list(itertools.islice(Comparison().differences(options.sets, options.seed), SHOWN))
    print("\n".join([*found, f"{options.sets} random patients, {len(found) or 'no'} differences shown"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
