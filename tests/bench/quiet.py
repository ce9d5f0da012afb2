"""How much the service says: cards per patient-view over the sample patients, by profile and topic.

    python -m tests.bench.quiet ../shared/samples/dev/*.ndjson.gz

The living adults of the files, each once; figures for docs/measurements.md. Never part of the test suite.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from app.cds_hooks.errors import CallError
from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import read_request
from app.pipeline import build_pipeline
from app.settings import Settings
from tests.support.wire import call

KEYS = {
    "Observation": "observations",
    "MedicationStatement": "medications",
    "MedicationRequest": "medicationRequests",
    "MedicationAdministration": "medicationAdministrations",
    "Condition": "conditions",
    "Procedure": "procedures",
    "FamilyMemberHistory": "familyHistory",
    "AllergyIntolerance": "allergies",
    "DiagnosticReport": "diagnosticReports",
    "ServiceRequest": "serviceRequests",
}


def requests(path: Path) -> Iterator[dict[str, Any]]:
    """A patient-view request for each Bundle of a file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            resources = [entry.get("resource", {}) for entry in json.loads(line).get("entry", [])]
            patient = next((r for r in resources if r.get("resourceType") == "Patient"), None)
            if patient is None:
                continue
            prefetch: dict[str, Any] = {key: {"resourceType": "Bundle", "entry": []} for key in KEYS.values()}
            for resource in resources:
                key = KEYS.get(str(resource.get("resourceType")))
                if key:
                    resource[
                        {"FamilyMemberHistory": "patient", "AllergyIntolerance": "patient"}.get(
                            resource["resourceType"], "subject"
                        )
                    ] = {"reference": f"Patient/{patient['id']}"}
                    prefetch[key]["entry"].append({"resource": resource})
            context = {"userId": "Practitioner/p", "patientId": patient["id"]}
            yield {
                "hook": "patient-view",
                "hookInstance": "quiet",
                "context": context,
                "prefetch": prefetch | {"patient": patient},
            }


def main() -> None:
    """Print a table per profile."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    arguments = parser.parse_args()
    pipeline = build_pipeline(Settings())
    service = next(service for service in SERVICES if service.hook == "patient-view")
    bodies = [body for path in arguments.files for body in requests(path)]
    for profile in ("se", "intl", "dk", "cn"):
        counts: Counter[int] = Counter()
        advice: Counter[str] = Counter()
        for body in bodies:
            body["extension"] = {"osteon.configuration": {"profile": profile}}
            try:
                request = read_request(call(body), service)
                worked = pipeline.work(request, today=date.today())
            except CallError:
                continue
            under_age = worked.features.feature("under_18").value is True
            if worked.chart.patient.deceased or under_age:
                continue
            counts[len(worked.advice.advice)] += 1
            advice.update(f"{one.topic} / {one.id}" for one in worked.advice.advice)
        patients = sum(counts.values())
        cards = sum(number * count for number, count in counts.items())
        spread = ", ".join(f"{number}: {counts[number]}" for number in sorted(counts))
        print(f"\n{profile}: {patients} patients, {cards / patients:.2f} cards each ({spread})")
        for name, count in advice.most_common():
            print(f"  {count / patients:6.1%}  {name}")


if __name__ == "__main__":
    main()
