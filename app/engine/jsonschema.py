"""The JSON Schema of guideline files, for editors. `python -m app.engine.jsonschema docs/guideline.schema.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from app.engine.language import File
from app.features import catalogue


def schema() -> dict[str, Any]:
    """The schema of a file, with the names of features so that an editor completes them."""
    made = File.model_json_schema()
    made["$id"] = "urn:osteon:schema:guideline"
    made["title"] = "Osteon guideline file"
    made["$defs"]["FeatureName"] = {"enum": sorted(catalogue().names())}
    return made


def main(arguments: list[str]) -> int:
    """Write the schema to a file, or print it."""
    text = json.dumps(schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if arguments:
        Path(arguments[0]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
