"""Every resource that a suggestion can hold: each orderable and each drug order, in every language."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from app.cards.orders import OrderContext, medication_request, service_request
from app.engine.linker import load_knowledge
from app.engine.loader import default_folder, load
from app.engine.schema import DoseOrder, Drug, Orderable
from app.vocabulary import Language

CALL: dict[str, Any] = {
    "patient_id": "anna-berg",
    "reason_text": "T-score -2.7 in the lumbar spine",
    "reason_refs": ["Condition/fx-1", "Observation/t-1", "Condition/fx-1"],
    "authored": date(2026, 5, 4),
    "encounter_id": "enc-1",
    "requester": "Practitioner/dr-1",
}


def context(language: str = "en", **changed: Any) -> OrderContext:
    """For whom, when and why."""
    return OrderContext(**{"locale": load_knowledge().locale(language), **CALL, **changed})


@cache
def orderables() -> dict[str, Orderable]:
    """All orderables, straight from the files: their texts and codes need no compiled knowledge."""
    return {item.id: item for file in load(default_folder()).files for item in file.content.orderables}


@cache
def drug_orders() -> dict[tuple[str, str], tuple[Drug, DoseOrder]]:
    """All dose orders by drug and source."""
    drugs = load_knowledge().drugs.values()
    return {(drug.id, source): (drug, order) for drug in drugs for source, order in drug.orders.items()}


def all_suggested() -> list[dict[str, Any]]:
    """All of them."""
    made = [service_request(item, context(lang)) for item in orderables().values() for lang in Language]
    return made + [
        medication_request(drug, source, context(lang), prior="MedicationRequest/m1")
        for (_, source), (drug, _) in drug_orders().items()
        for lang in Language
    ]
