"""How many codes of a chart were not recognised, by kind of record and code system: never a code or a word of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from app.fhir.medications.product import named_drug, named_intolerance
from app.fhir.resource import Reading
from app.terminology.codes import canonical_system, meaning_of, named_condition, named_procedure
from app.wire.elements import CodeableConcept

Unrecognised = Mapping[tuple[str, str], int]
"""Numbers of different codes by (kind, system)."""

OTHER = "other"
"""Stands for every code system that the tables do not list."""
_KINDS = {
    named_drug: "medication",
    named_condition: "condition",
    named_procedure: "procedure",
    named_intolerance: "allergy",
}


def unrecognised_codes(reading: Reading, results: Iterable[CodeableConcept | None]) -> Unrecognised:
    """What a reading did not recognise. `results`: the different codes of its Observations.

    A concept counts once however many records carry it, and not at all where another code of it is recognised.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for work, kind in _KINDS.items():
        _count(counts, kind, reading.recalled(work))
    _count(counts, "observation", results)
    return counts


def _count(counts: Counter[tuple[str, str]], kind: str, concepts: Iterable[CodeableConcept | None]) -> None:
    for concept in concepts:
        if concept is None or any(meaning_of(one.system, one.code) is not None for one in concept.coding):
            continue
        for coding in concept.coding:
            if coding.system and coding.code:
                system = canonical_system(coding.system)
                counts[kind, system[0] if system is not None else OTHER] += 1
