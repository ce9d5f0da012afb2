"""The codes of the hospital as a ConceptMap, so that the mapping can be reviewed with the tools of terminologists."""

from __future__ import annotations

from app.published.header import Resource, canonical, fhir_id, header
from app.terminology.codes import local_codes


def local_concept_map(version: str) -> Resource:
    """What OSTEON_LOCAL_CODES says, one group a code system and concept; without local codes it has no group."""
    groups: dict[tuple[str, str], list[Resource]] = {}
    for _, local in sorted(local_codes().items()):
        concept = fhir_id(local.concept)
        target: Resource = {"code": concept, "equivalence": "equivalent"}
        if told := _told(local.unit, str(local.strength_mg) if local.strength_mg is not None else None):
            target["comment"] = told
        groups.setdefault((local.system, concept), []).append({"code": local.code, "target": [target]})
    head = header(
        "ConceptMap",
        id="local",
        url=canonical("ConceptMap", "local"),
        version=version,
        name="OsteonLocalCodes",
        title="Local codes",
        description="What codes of this hospital mean, as read at start from the folder of OSTEON_LOCAL_CODES.",
    )
    if not groups:
        return head
    return head | {
        "group": [
            {"source": system, "target": canonical("ValueSet", concept), "element": elements}
            for (system, concept), elements in groups.items()
        ]
    }


def _told(unit: str | None, strength: str | None) -> str:
    said = [f"unit {unit} where none is sent"] if unit else []
    return "; ".join([*said, *([f"{strength} mg"] if strength else [])])
