"""Writing a generated page: to the file named on the command line, or to standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def write_page(text: str, arguments: Sequence[str] | None = None) -> int:
    """Write a page to the file that is named first, or print it. `arguments`: those of the process by default."""
    named = sys.argv[1:] if arguments is None else arguments
    if named:
        Path(named[0]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0
