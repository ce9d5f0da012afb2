"""Which records tell something by a code that only the hospital explains (OSTEON_LOCAL_CODES): cards say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.fhir.references import References
from app.fhir.resource import ref_of
from app.terminology.codes import is_local, local_codes
from app.wire.elements import CodeableConcept
from app.wire.medications import MedicationRecord
from app.wire.record import Record


def records_with_local_codes(records: Iterable[Record], references: References) -> frozenset[str]:
    """References, as Type/id, of the records that carry such a code; nothing is looked at where there are none."""
    if not local_codes():
        return frozenset()
    return frozenset(
        ref_of(record)
        for record in records
        if any(is_local(one.system, one.code) for concept in _concepts(record, references) for one in concept.coding)
    )


def _concepts(record: Record, references: References) -> Iterator[CodeableConcept]:
    """The concepts that say what a record is about."""
    if isinstance(record, MedicationRecord):
        either, reference = record.medication, record.medication_reference
        found = [record.medication_codeable_concept, either.concept if either is not None else None]
        reference = reference or (either.reference if either is not None else None)
        medication = references.medication(record, reference) if reference is not None else None
        found.append(medication.code if medication is not None else None)
    else:
        code = getattr(record, "code", None)
        found = [code.named if isinstance(code, CodeableConcept) else None]
        found += [part.code for part in getattr(record, "component", ())]
        found.append(getattr(record, "value_codeable_concept", None))
    yield from (concept for concept in found if concept is not None)
