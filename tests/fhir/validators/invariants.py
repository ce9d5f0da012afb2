"""Runs inside the venv of fhirpathpy: the invariants of the official R4 definitions, walked over each resource.

One resource per line in, per line out {"failed": [...], "not_evaluated": [...]}. The argument is the folder of the
definitions (profiles-resources.json, profiles-types.json). Invariants that fhirpathpy cannot evaluate are told.
"""

import json
import sys
from functools import cache
from pathlib import Path

from fhirpathpy import compile as compile_fhirpath
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.models import models

SKIPPED = {"ele-1"}  # "has a value or children": fhirpathpy has no hasValue(); fhirkit finds empty elements
BACKBONES = {"BackboneElement", "Element"}


def load(folder: Path) -> dict[str, dict[str, dict]]:
    """Element definitions by path, by type."""
    types = {}
    for name in ("profiles-types.json", "profiles-resources.json"):
        for entry in json.loads((folder / name).read_text(encoding="utf-8"))["entry"]:
            found = entry["resource"]
            if found["resourceType"] == "StructureDefinition" and found.get("derivation") != "constraint":
                types[found["type"]] = {element["path"]: element for element in found["snapshot"]["element"]}
    return types


TYPES = load(Path(sys.argv[1]))


@cache
def compiled(expression: str):
    return compile_fhirpath(expression, models["r4"])


class Walk:
    def __init__(self, resource: dict) -> None:
        self.resource = resource
        self.failed: list[str] = []
        self.not_evaluated: set[str] = set()
        kind = resource["resourceType"]
        self.node(resource, kind, kind, kind)

    def check(self, node: object, element: dict, type_path: str | None, place: str) -> None:
        """`place` is for the reader; `type_path` tells the library the type of the node."""
        typed = ResourceNode.create_node(node, type_path) if isinstance(node, dict) else node
        for rule in element.get("constraint", ()):
            if rule["severity"] != "error" or rule["key"] in SKIPPED:
                continue
            try:
                result = compiled(rule["expression"])(typed, {"resource": self.resource, "rootResource": self.resource})
            except Exception as error:  # noqa: BLE001 - whatever the library cannot do is told, and the test counts it
                self.not_evaluated.add(f"{rule['key']}: {type(error).__name__}")
                continue
            if result != [True] and result != []:
                self.failed.append(f"{rule['key']} at {place}: {rule['human']}")

    def node(self, node: object, kind: str, path: str, place: str) -> None:
        """`path` is the path of the node's definition inside the type `kind`."""
        elements = TYPES[kind]
        self.check(node, elements[path], path, place)
        if not isinstance(node, dict):
            return
        for key, value in node.items():
            if key == "resourceType" or key.startswith("_"):
                continue
            found = self.child(elements, path, key)
            if found is None:
                self.failed.append(f"unknown element {place}.{key}")
                continue
            element, child_path, child_type = found
            for position, item in enumerate(value if isinstance(value, list) else [value]):
                here = f"{place}.{key}[{position}]" if isinstance(value, list) else f"{place}.{key}"
                if "contentReference" in element:
                    self.node(item, kind, element["contentReference"].lstrip("#"), here)
                elif child_type in BACKBONES:
                    self.node(item, kind, child_path, here)
                else:
                    if child_type == "Resource" and isinstance(item, dict):
                        child_type = item["resourceType"]
                    self.check(item, element, child_type, here)
                    if child_type in TYPES:
                        self.node(item, child_type, child_type, here)

    @staticmethod
    def child(elements: dict, path: str, key: str):
        if f"{path}.{key}" in elements:
            element = elements[f"{path}.{key}"]
            return element, f"{path}.{key}", element["type"][0]["code"] if "type" in element else None
        for name, element in elements.items():
            stem = name.removesuffix("[x]")
            if name.endswith("[x]") and stem.rpartition(".")[0] == path and f"{path}.{key}".startswith(stem):
                wanted = f"{path}.{key}".removeprefix(stem)
                for kind in element["type"]:
                    if kind["code"][0].upper() + kind["code"][1:] == wanted:
                        return element, name, kind["code"]
        return None


answers, sys.stdout = sys.stdout, sys.stderr  # trace() in an invariant writes to standard output

for line in sys.stdin:
    walk = Walk(json.loads(line))
    print(json.dumps({"failed": walk.failed, "not_evaluated": sorted(walk.not_evaluated)}), file=answers, flush=True)
