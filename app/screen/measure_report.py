"""The indicators as FHIR MeasureReport (R4, type `summary`)."""

from __future__ import annotations

from typing import Any

from app.screen.counts import Counts, hidden
from app.screen.indicators import INDICATORS, NO, UNKNOWN, YES, Period

_SYSTEM = "http://terminology.hl7.org/CodeSystem/measure-population"
MEASURE = "urn:osteon:measure:fracture-liaison"
_ABSENT = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}


def measure_report(counts: Counts, period: Period, as_of: str) -> dict[str, Any]:
    """One group an indicator: initial population, denominator (answer known), numerator (yes)."""
    groups = []
    for name in INDICATORS:
        found = counts.indicators[name]
        known = found[YES] + found[NO]
        group: dict[str, Any] = {
            "code": {"coding": [{"system": "urn:osteon:indicator", "code": name}]},
            "population": [
                _population("initial-population", known + found[UNKNOWN]),
                _population("denominator", known),
                _population("numerator", found[YES]),
            ],
        }
        if known and None not in {hidden(found[YES]), hidden(found[NO])}:
            group["measureScore"] = {"value": round(found[YES] / known, 3)}
        groups.append(group)
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": MEASURE,
        "date": as_of,
        "period": {"start": str(period.first), "end": str(period.last)},
        "group": groups,
    }


def _population(code: str, count: int) -> dict[str, Any]:
    made: dict[str, Any] = {"code": {"coding": [{"system": _SYSTEM, "code": code}]}}
    shown = hidden(count)
    return {**made, "_count": {"extension": [_ABSENT]}} if shown is None else {**made, "count": shown}
