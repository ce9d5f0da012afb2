"""Every code of the code tables, sent alone and without text through a chart, reaches its concepts and no others.

`code-meanings.yaml` holds what a chart must say of each code: by system, what is reached, and the codes that reach it.
A code key of the tables that ends in * stands there twice: as it is, and as a longer code below it. The file is no copy
of the tables: what a code reaches comes from the tables, the parents, the sites, the drug classes and the readers of
the resources together, and nothing reads the file but the tests. A change of meaning is two lines of difference.

    python -m tests.facts.codes            what differs, a line each
    python -m tests.facts.codes --write    write the file again; read the difference like one of the guideline
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from app.advice.reconcile import Advisor
from app.cases.builder import SERVICE
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.chart import Chart, fact_of
from app.engine.linker import load_knowledge
from app.pipeline import OsteonPipeline, feature_settings
from app.settings import Settings
from app.terminology.code_sets import concept_file, drug_files, terminology
from app.terminology.code_tables import listed_codes
from tests.clinical.cases import TODAY
from tests.support.wire import call

FILE = Path(__file__).with_name("code-meanings.yaml")
NOTHING = "nothing"
BELOW = "9"
"""What makes a longer code of a key that ends in *."""
Sent = tuple[str, str, str]
"""Group (condition, observation, medication), system and code."""
RECORDS: dict[str, tuple[str, dict[str, Any]]] = {
    "condition": ("conditions", {"resourceType": "Condition", "clinicalStatus": {"coding": [{"code": "active"}]}}),
    "observation": (
        "observations",
        {"resourceType": "Observation", "status": "final", "effectiveDateTime": "2026-01-01"},
    ),
    "medication": ("medications", {"resourceType": "MedicationStatement", "status": "active"}),
}
FLAGS = ("pathological_tumour", "atypical_femoral", "subtrochanteric", "periprosthetic", "stress", "healing_only")
"""What a fracture can be besides its site."""
HEADER = """\
# What a chart says of each code that is sent alone, without text: by group of records and code system, what is reached
# and the codes that reach it. Written by `python -m tests.facts.codes --write`, compared by tests/facts/test_codes.py.
"""


def known_codes() -> set[Sent]:
    """The codes that the tables list, and a longer one for each key that ends in *."""
    groups = terminology().groups
    keys: set[Sent] = {(groups[one.concept], one.system, one.code) for one in listed_codes()}
    for file in ("observations", "conditions"):
        content = concept_file(file)
        for entry in content["concepts"].values():
            keys |= {(content["group"], s, c) for s, codes in entry["codes"].items() for c in codes}
    for drug in drug_files().values():
        for entry in drug["products"].values():
            keys |= {("medication", s, c) for s, codes in entry.get("codes", {}).items() for c in codes}
    return {(g, s, code) for g, s, key in keys for code in spelled(key)}


def spelled(key: str) -> Iterator[str]:
    """The codes that are sent for a key: itself, and a longer one where it ends in *."""
    code = key.rstrip("*")
    yield code
    if key.endswith("*"):
        yield code + BELOW if "." in code or len(code) != len("M80") else f"{code}.{BELOW}"


@cache
def _addresses() -> dict[str, str]:
    return {name: next(iter(entry["uris"])).rstrip("*") for name, entry in concept_file("systems")["systems"].items()}


@cache
def _pipeline() -> OsteonPipeline:
    knowledge, settings = load_knowledge(), Settings()
    return OsteonPipeline(knowledge, Advisor(knowledge), settings, feature_settings(settings))


def reached(sent: Sent) -> str:
    """What the chart says where this code alone is sent, as text."""
    group, system, code = sent
    source, start = RECORDS[group]
    concept = {"coding": [{"system": _addresses()[system], "code": code}]}
    record = start | {"id": "r", "subject": {"reference": "Patient/case"}}
    record |= {"medicationCodeableConcept" if group == "medication" else "code": concept}
    if group == "observation":
        record["valueQuantity"] = {"value": 1}
    body = {
        "hookInstance": "6bc883b2-b795-4dcb-b661-34884a31d472",
        "hook": "patient-view",
        "context": {"userId": "Practitioner/p1", "patientId": "case"},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "case"},
            source: {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": record}]},
        },
    }
    request = read_request(call(body), SERVICES_BY_ID[SERVICE["patient-view"]])
    return "; ".join(_said(_pipeline().chart(request, today=TODAY))) or NOTHING


def _said(chart: Chart) -> Iterator[str]:
    names: set[str] = set()
    for condition in chart.conditions:
        names |= condition.concepts | ({"in the past"} if condition.ended or condition.presence != "present" else set())
    for result in chart.observations:
        names |= fact_of(result).concepts
    for course in chart.courses:
        names |= course.drugs
    for unusable in chart.unusable:
        names |= unusable.concepts
    for procedure in chart.procedures:
        names |= procedure.concepts
    if names:
        yield ", ".join(sorted(names))
    for density in chart.densities:
        yield f"density {density.kind} of {density.site}"
    for fracture in chart.fractures:
        kinds = (flag for flag in FLAGS if getattr(fracture, flag))
        words = ("fracture", fracture.level, fracture.side, fracture.site, fracture.energy, *kinds)
        yield " ".join(word for word in words if word and word != "not_recorded")


@cache
def expected() -> dict[Sent, str]:
    """What the file says of each code."""
    content: dict[str, dict[str, list[str]]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        (*place.split(" "), code): meaning  # type: ignore[misc]  # two words: group and system
        for place, by_meaning in content.items()
        for meaning, codes in by_meaning.items()
        for code in codes
    }


def wrong_codes(only: Collection[str] | None = None) -> Iterator[str]:
    """Codes that reach something else, and codes without a fact, a line each. `only`: those codes, as they are sent."""
    facts = expected()
    asked = {one for one in facts | dict.fromkeys(known_codes(), "") if only is None or one[2] in only}
    for sent in sorted(asked):
        if sent not in facts:
            yield f"{' '.join(sent)}: no fact says what it reaches"
        elif (found := reached(sent)) != facts[sent]:
            yield f"{' '.join(sent)}: reaches {found}, the fact is {facts[sent]}"


def write() -> None:
    """Write the file again."""
    content: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for sent in sorted(known_codes()):
        content[f"{sent[0]} {sent[1]}"][reached(sent)].append(sent[2])
    plain = {place: dict(sorted(by_meaning.items())) for place, by_meaning in content.items()}
    text = yaml.safe_dump(plain, sort_keys=False, width=118, default_flow_style=None, allow_unicode=True)
    FILE.write_text(HEADER + text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        print(*wrong_codes(), sep="\n")
