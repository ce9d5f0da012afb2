"""The JSON Schemas of guideline, drug, locale and overlay files, for editors.

`python -m app.docgen.guideline_schema` with a file for each, in this order, writes them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from app.engine.compiler import ANNOTATIONS, BASES
from app.engine.criteria import COMPARISONS
from app.engine.drug_file import DrugFile
from app.engine.linker import load_knowledge
from app.engine.locale import Locale
from app.engine.overlay_file import OverlayFile
from app.engine.own_texts import OwnTexts
from app.engine.review_file import ReviewFile
from app.engine.schema import File
from app.features import catalogue

CRITERIA = frozenset({"when", "rides_when", "indicator_when", "ask_when", "opens", "lead_when", "answered_by"})
"""The keys whose value is a criterion tree."""


def schema() -> dict[str, Any]:
    """The schema of a file. Feature names and named criteria are listed, so that an editor completes them."""
    made = File.model_json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["$id"] = "urn:osteon:schema:guideline"
    made["title"] = "Osteon guideline file"
    for block in [made, *made["$defs"].values()]:
        for name in CRITERIA & set(block.get("properties", {})):
            block["properties"][name] = {"$ref": "#/$defs/Criterion"}
    made["$defs"] |= _criterion()
    return made


def locale_schema(*, own: bool = False) -> dict[str, Any]:
    """The schema of a file of guidelines/locales; `own`: of a file of SOURCE/locales."""
    made = (OwnTexts if own else Locale).model_json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["$id"] = "urn:osteon:schema:locale"
    made["title"] = "Osteon locale file"
    return made


def overlay_schema() -> dict[str, Any]:
    """The schema of the overlay.yaml of a hospital."""
    made = OverlayFile.model_json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["$id"] = "urn:osteon:schema:overlay"
    made["title"] = "Overlay of a hospital"
    return made


def _criterion() -> dict[str, Any]:
    """The grammar of criteria (docs/guideline-language.md)."""
    tree = {"$ref": "#/$defs/Criterion"}
    group = {"type": "array", "minItems": 1, "items": tree}
    number = {"type": "number"}
    comparison = {
        "type": "object",
        "properties": {
            **dict.fromkeys(sorted(COMPARISONS), number),
            **{key: {"type": "string"} for key in sorted(ANNOTATIONS)},
            "basis": {"enum": sorted(BASES)},
            "is": {"type": "string"},
            "one_of": {"type": "array", "items": {"type": "string"}},
            "includes": {"type": "string"},
        },
        "additionalProperties": False,
    }
    names = sorted({*catalogue().names(), *load_knowledge().criteria})
    return {
        "Name": {"anyOf": [{"enum": names}, {"type": "string", "pattern": r"^[a-z0-9_]+\..+$"}]},
        "Comparison": comparison,
        "Criterion": {
            "anyOf": [
                {"type": ["boolean", "null"]},
                {"$ref": "#/$defs/Name"},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "properties": {"all": group, "any": group, "not": tree, "known": {"$ref": "#/$defs/Name"}},
                    "additionalProperties": {"$ref": "#/$defs/Comparison"},
                },
            ]
        },
    }


def drug_schema() -> dict[str, Any]:
    """The schema of a file of guidelines/drugs."""
    made = DrugFile.model_json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["$id"] = "urn:osteon:schema:drug"
    made["title"] = "Osteon drug file"
    return made


def review_schema() -> dict[str, Any]:
    """The schema of a file of guidelines/reviews."""
    made = ReviewFile.model_json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["$id"] = "urn:osteon:schema:review"
    made["title"] = "Osteon reviews of statements"
    return made


def main(arguments: list[str]) -> int:
    """Write the schemas to the files named, in this order; print those that have none."""
    for number, made in enumerate((schema(), drug_schema(), locale_schema(), overlay_schema(), review_schema())):
        text = json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        if number < len(arguments):
            Path(arguments[number]).write_text(text, encoding="utf-8")
        else:
            sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
