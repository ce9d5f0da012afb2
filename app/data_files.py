"""Where the data that is not code lives: guidelines and example requests.

In a checkout it is beside the package, in an installed wheel inside it (see pyproject.toml).
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_path(*parts: str) -> Path:
    """The path of a data file or folder, for example `data_path("guidelines", "profiles.yaml")`.

    Raises FileNotFoundError where neither the wheel nor the checkout has it.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError("/".join(parts))
