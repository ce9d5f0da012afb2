"""The prescription that a suggested order takes the place of."""

from __future__ import annotations

from app.chart import Chart, CourseStatus, is_named

_GIVES_WAY = {"change": "bone_drug", "follow-denosumab": "denosumab", "follow-anabolic": "anabolic"}
"""By the purpose of a drug card: the running drug, or class of drugs, that the suggested one follows."""


def replaced_prescription(purpose: str | None, chart: Chart) -> str | None:
    """The MedicationRequest of the drug that gives way, "MedicationRequest/id".

    None for a card that changes no drug, where the drug is known by records of other types only, and where several
    prescriptions run: nobody but the clinician can tell which of them ends.
    """
    drug = _GIVES_WAY.get(purpose or "")
    if drug is None:
        return None
    running = [c for c in chart.courses if c.status is CourseStatus.CURRENT and drug in c.drugs]
    found = {ref for c in running for ref in c.refs if ref.startswith("MedicationRequest/") and is_named(ref)}
    return found.pop() if len(found) == 1 else None
