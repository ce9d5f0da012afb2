"""Writes exports for the tests: files of NDJSON by type."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Resource = dict[str, Any]


def patient(identity: str, born: str = "1950-03-01", **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": identity, "gender": "female", "birthDate": born, **more}


def t_score(name: str, reference: str | None, value: float = -2.9, **more: Any) -> Resource:
    subject = {} if reference is None else {"subject": {"reference": reference}}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "80948-3"}]},
        "effectiveDateTime": "2026-06-01",
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "1"},
        **subject,
        **more,
    }


def export(folder: Path, resources: Iterable[Resource | bytes], *, packed: bool = False, files: int = 1) -> Path:
    """Write an export; bytes are lines as they are, of Observations."""
    folder.mkdir(parents=True, exist_ok=True)
    lines: defaultdict[str, list[bytes]] = defaultdict(list)
    for one in resources:
        kind = "Observation" if isinstance(one, bytes) else one["resourceType"]
        lines[kind].append(one if isinstance(one, bytes) else json.dumps(one, ensure_ascii=False).encode())
    for kind, found in lines.items():
        for number in range(files):
            text = b"".join(line + b"\n" for line in found[number::files])
            path = folder / f"{kind}.{number:03d}.ndjson{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(text) if packed else text)
    return folder


def manifest(folder: Path, request: str = "https://ehr.example.org/$export", **members: Any) -> None:
    """Write the manifest of an export."""
    told: Mapping[str, Any] = {"transactionTime": "2026-06-15T10:00:00Z", "request": request, "output": [], **members}
    (folder / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
