"""The ids of the profiles in guidelines/profiles.yaml.

Settings, paths and requests are checked against them without loading all guidelines. What a profile means is compiled
with the knowledge (`app.engine`).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from app.data_files import data_path
from app.yaml_files import read_yaml

FILE: Final = "profiles.yaml"
"""The file of profiles in guidelines/."""


def profile_ids() -> tuple[str, ...]:
    """The ids of the profiles in the order of the file. Raises FilesError where it cannot be read."""
    return _ids(data_path("guidelines", FILE))


@lru_cache(maxsize=8)
def _ids(path: Path) -> tuple[str, ...]:
    listed = read_yaml(path).get("profiles")
    entries = listed if isinstance(listed, list) else []
    return tuple(str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry)
