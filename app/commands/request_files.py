"""Hook requests from files, for the commands that run over many: JSON files, or one JSON value a line (NDJSON).

A value is a CDS Hooks request, or a FHIR Bundle with the record of one patient (an answer of `$everything`, a document,
a line of a test-data generator). A Bundle becomes a patient-view request. What it holds counts as a part of the record,
so that a kind of resource that is not in it is unknown and not "none"; `complete` says that it is the whole record.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from app.chart import SOURCES_BY_TYPE, Source

_PATIENT_VIEW: Final = "patient-view"
_SERVING: Final = {"Medication": Source.MEDICATION_REQUESTS}
"""Kinds that only serve a reference travel with the list that refers to them."""


def requests_in(paths: Sequence[Path], *, complete: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the requests with their place, `FILE` or `FILE:LINE`.

    Raises ValueError, which names the place, for what is neither a request nor the Bundle of one patient; OSError and
    UnicodeDecodeError for a file that cannot be read.
    """
    for path in paths:
        for place, value in _values(path):
            if not isinstance(value, dict):
                raise ValueError(f"{place}: a request is a JSON object")
            yield place, _request_of(value, place, complete=complete)


def _values(path: Path) -> Iterator[tuple[str, Any]]:
    text = path.read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
    except ValueError:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield f"{path.name}:{number}", _value(line, f"{path.name}:{number}")
        return
    yield path.name, whole


def _value(line: str, place: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        raise ValueError(f"{place}: not JSON") from None


def _request_of(value: dict[str, Any], place: str, *, complete: bool) -> dict[str, Any]:
    kind = value.get("resourceType")
    if kind is None:
        return value
    if kind != "Bundle":
        raise ValueError(
            f"{place}: a {kind} alone is no request; `osteon screen` reads exports with one resource a line"
        )
    entries: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    patients = []
    for entry in value.get("entry") or ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            continue
        name = str(resource.get("resourceType"))
        if name == "Patient":
            patients.append(resource)
        elif key := SOURCES_BY_TYPE.get(name) or _SERVING.get(name):
            address = {"fullUrl": entry["fullUrl"]} if isinstance(entry.get("fullUrl"), str) else {}
            entries[key].append({**address, "resource": resource})
    if len(patients) != 1:
        raise ValueError(f"{place}: the Bundle has {len(patients)} Patients; one is needed")
    required = {Source.OBSERVATIONS.value, Source.MEDICATIONS.value}
    keys = sorted(set(map(str, Source)) if complete else entries.keys() | required)
    return {
        "hook": _PATIENT_VIEW,
        "hookInstance": "00000000-0000-4000-8000-000000000000",
        "context": {"userId": "Practitioner/unknown", "patientId": str(patients[0].get("id"))},
        "prefetch": {"patient": patients[0], **{key: _list(entries[key], complete=complete) for key in keys}},
    }


def _list(entries: list[dict[str, Any]], *, complete: bool) -> dict[str, Any]:
    """A searchset. Its total says whether more can be on record elsewhere."""
    total = len(entries) if complete else len(entries) + 1
    return {"resourceType": "Bundle", "type": "searchset", "total": total, "entry": entries}
