"""The built files of the page: read once, held in memory, answered with a tag of their content.

In memory, so that a client that does not read them holds no file open.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.responses import Response

FOLDER = Path(__file__).resolve().parents[2] / "_static"
"""Where `make web` builds the page into."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""What is served: no other file of the folder is."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent."""

    content: bytes
    media_type: str
    tag: str


@cache
def static_files() -> dict[str, StaticFile]:
    """The files of the page by name."""
    found = {}
    for path in sorted((FOLDER / "assets").iterdir()):
        if path.suffix in _TYPES:
            content = path.read_bytes()
            found[path.name] = StaticFile(content, _TYPES[path.suffix], tag_of(content))
    return found


@cache
def template() -> str:
    """The HTML of the page, with the places that the service fills in."""
    return (FOLDER / "index.html").read_text(encoding="utf-8")


def tag_of(content: bytes) -> str:
    """The ETag of some content."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def file_response(file: StaticFile, if_none_match: str | None) -> Response:
    """The answer with a file, or 304 where the browser has it. Names do not change with content: always asked again."""
    headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
    if if_none_match and file.tag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
