"""The site of the documents: `make site`. Sphinx reads the Markdown of this folder as it is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from app import __version__  # noqa: E402  # the path comes first

project = "Osteon"
author = "The Osteon project"
version = release = __version__
extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["*.json"]
html_theme = "furo"
html_title = f"Osteon {__version__}"
html_show_copyright = False
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
# Links are checked by tests/docs, with those that lead out of this folder.
suppress_warnings = ["myst.xref_missing", "myst.header"]
REPOSITORY_FILES = {"changelog": ROOT / "CHANGELOG.md", "contributing": ROOT / "CONTRIBUTING.md"}
_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)\s]+\)")
"""A link to a file of the repository that is no page of the site: its name stays."""
_DOCS = re.compile(r"\]\(docs/")


def setup(app: object) -> None:
    """Read files of the root as pages, and turn links to files that are no pages into their names."""
    app.connect("source-read", _read)  # type: ignore[attr-defined]


def _read(_: object, name: str, source: list[str]) -> None:
    if name in REPOSITORY_FILES:
        source[0] = _DOCS.sub("](", REPOSITORY_FILES[name].read_text(encoding="utf-8"))
    text = source[0].replace("](../CHANGELOG.md", "](changelog.md").replace("](../CONTRIBUTING.md", "](contributing.md")
    source[0] = _OUTSIDE.sub(r"\1", text)
