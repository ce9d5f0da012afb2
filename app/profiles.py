"""The ids of the profiles: those of guidelines/profiles.yaml, and those of a hospital's overlay.

Settings, paths and requests are checked against them without loading all guidelines. What a profile means is compiled
with the knowledge (`app.engine`).
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Final

from app.data_files import data_path
from app.yaml_files import read_yaml

FILE: Final = "profiles.yaml"
"""The file of profiles, in guidelines/ and in an overlay."""


def profile_ids(local: Path | None = None) -> tuple[str, ...]:
    """The ids of the profiles, those of the overlay `local` last. Raises FilesError where a file cannot be read."""
    own = _ids(local / FILE) if local is not None and (local / FILE).is_file() else ()
    return tuple(dict.fromkeys([*_ids(data_path("guidelines", FILE)), *own]))


def local_folder() -> Path | None:
    """The overlay that the environment names (OSTEON_LOCAL), None where it names none."""
    named = os.environ.get("OSTEON_LOCAL")
    return Path(named) if named else None


@lru_cache(maxsize=8)
def _ids(path: Path) -> tuple[str, ...]:
    listed = read_yaml(path).get("profiles")
    entries = listed if isinstance(listed, list) else []
    return tuple(str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry)
