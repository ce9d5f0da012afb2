"""Runs inside the venv of google-fhir-r4: one resource per line in, one JSON list of problems per line out."""

import importlib
import json
import re
import sys

from google.fhir.core import fhir_errors
from google.fhir.r4 import json_format

PACKAGE = "google.fhir.r4.proto.core.resources"
ELSEWHERE = {"Bundle": "bundle_and_contained_resource"}


def problems(line: str) -> list[str]:
    kind = json.loads(line)["resourceType"]
    name = ELSEWHERE.get(kind) or re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
    module = importlib.import_module(f"{PACKAGE}.{name}_pb2")
    try:
        json_format.json_fhir_string_to_proto(line, getattr(module, kind))
    except (fhir_errors.InvalidFhirError, ValueError) as error:
        return [str(error)]
    return []


for resource in sys.stdin:
    print(json.dumps(problems(resource)), flush=True)
