"""References: which resource one names, and whether it names the patient.

Relative, absolute and versioned references are compared by type and id; the `fullUrl` of an entry (a `urn:uuid`) and a
contained resource are looked up. A reference to another person or thing with the id of the patient (RelatedPerson,
Group, Device) does not name the patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.wire.elements import Reference
from app.wire.medications import Medication
from app.wire.record import ClinicalRecord, Record

_PATIENT = "Patient"


def kind_and_id(address: str) -> tuple[str, str]:
    """Type and id of a reference; "" for a type that it does not name."""
    *before, identifier = address.strip().partition("/_history/")[0].rstrip("/").split("/")
    kind = before[-1] if before else ""
    return kind if kind.isalpha() else "", identifier.removeprefix("urn:uuid:").removeprefix("urn:oid:")


class References:
    """The resources of a call to which others can refer. `addresses`: those with another address than type and id."""

    def __init__(self, records: Iterable[Record], addresses: Mapping[str, Record]) -> None:
        self._records = records
        self._addresses = addresses
        self._medications: dict[str, Medication] | None = None

    def medication(self, holder: ClinicalRecord, reference: Reference) -> Medication | None:
        """The Medication that a record refers to; None where it did not come."""
        address = (reference.reference or "").strip()
        if not address:
            return None
        if address.startswith("#"):
            found = _contained(holder, address)
        else:
            found = self._addresses.get(address) or self._by_id(address)
        return found if isinstance(found, Medication) else None

    def _by_id(self, address: str) -> Medication | None:
        kind, identifier = kind_and_id(address)
        if kind not in {"", "Medication"}:
            return None
        if self._medications is None:  # looked for at the first question, because most charts never ask
            medications = (record for record in self._records if isinstance(record, Medication))
            self._medications = {record.id: record for record in medications if record.id is not None}
        return self._medications.get(identifier)

    def is_patient(self, holder: ClinicalRecord, reference: Reference, patient_id: str) -> bool | None:
        """Whether a reference names the patient; None where it does not tell.

        It does not tell where it is missing, has no id, is a search, or is an address in a Bundle that nothing has.
        """
        if reference.type and reference.type.rpartition("/")[2] != _PATIENT:
            return False
        address = (reference.reference or "").strip()
        if not address or "?" in address:
            return None
        if address.startswith("#"):
            found = _contained(holder, address)
            return False if found is not None and found.kind != _PATIENT else None
        found = self._addresses.get(address)
        if found is not None:
            return found.kind == _PATIENT and found.id == patient_id
        kind, identifier = kind_and_id(address)
        if address.startswith("urn:"):
            return True if identifier == patient_id else None
        return kind in {"", _PATIENT} and identifier == patient_id


def _contained(holder: ClinicalRecord, address: str) -> Record | None:
    return next((record for record in holder.contained if record.id == address[1:]), None)
