"""What an answer may be, whatever was sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema

from app.api.openapi.schemas import component_schemas
from app.engine.linker import load_knowledge
from app.vocabulary import TOPICS

STRICT = Path(__file__).parents[3] / "shared" / "cds-hooks" / "schemas" / "cds-hooks-response.schema.json"
ALLOWED = {200, 400, 412, 413}
MARKUP = re.compile(r"(?<!\\)<script|(?<!\\)\]\(javascript:", re.IGNORECASE)
"""What a client could smuggle into `detail`, which is Markdown: there it must be escaped. `summary` is plain text."""


@lru_cache(maxsize=1)
def validators() -> tuple[jsonschema.Draft202012Validator, ...]:
    """The published schema of the answer, and the strict one of the shared material where it is there."""
    own = {"$ref": "#/components/schemas/Cards", "components": {"schemas": component_schemas()}}
    found = [jsonschema.Draft202012Validator(own)]
    if STRICT.is_file():
        found.append(jsonschema.Draft202012Validator(json.loads(STRICT.read_text(encoding="utf-8"))))
    return tuple(found)


def wrong(status: int, content: bytes) -> list[str]:
    """What is wrong with an answer; empty where all is well."""
    if status not in ALLOWED:
        return [f"status {status}"]
    body = json.loads(content)
    if status != 200:
        return [] if body.get("resourceType") == "OperationOutcome" else [f"{status} without an OperationOutcome"]
    found = [error.message[:200] for validator in validators() for error in validator.iter_errors(body)]
    return found or list(_against_the_house(body))


def _against_the_house(body: dict[str, Any]) -> Iterator[str]:
    rules = load_knowledge().rules
    ids: list[str] = []
    for card in body["cards"]:
        explanation = card["extension"]["osteon.explanation"]
        ids += [card["uuid"]] if "uuid" in card else []
        if len(card["summary"]) >= 140:
            yield "summary of 140 characters or more"
        if card["source"]["topic"]["code"] not in TOPICS:
            yield f"topic {card['source']['topic']['code']}"
        for cited in explanation.get("recommendations", []):
            if cited["id"] not in rules or not rules[cited["id"]].citable:
                yield f"{cited['id']} is cited"
        if card["indicator"] == "critical" and explanation["advice"] != "emergency-cord-compression":
            yield "critical, but no emergency"
        if MARKUP.search(card.get("detail", "")):
            yield "markup of the client in a card"
        for suggestion in card.get("suggestions", []):
            ids += [suggestion["uuid"]] if "uuid" in suggestion else []
            for action in suggestion.get("actions", []):
                if action["type"] != "delete" and "resourceType" not in action.get("resource", {}):
                    yield "a suggestion without a resource"
    if len(ids) != len({UUID(one) for one in ids}):
        yield "the same uuid twice"
