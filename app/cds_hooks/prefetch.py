"""Prefetch: the meaning of the values that came back. The queries are in `app.cds_hooks.queries`.

A key can come back in six ways: not at all, null, as an OperationOutcome, as one resource, as a Bundle, or as a Bundle
with further pages. `resolve` turns each into the records that are there and into how far their absence can be trusted
(`Availability`). Records are recognised later by their resourceType, never by the key that they came under.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from app.cds_hooks.bundles import Collected, next_page, whole_of
from app.cds_hooks.errors import DataUnavailable, MalformedRequest
from app.cds_hooks.queries import CATEGORY_KEYS, DEFAULT_QUERIES, PATIENT_KEY, Covered, Queries
from app.chart import Availability, ObservationCategory, SetAside, Source
from app.wire.bundle import Bundle, OperationOutcome
from app.wire.conditions import AllergyIntolerance, Condition, FamilyMemberHistory
from app.wire.medications import MedicationAdministration, MedicationRecord, MedicationRequest, MedicationStatement
from app.wire.observations import DiagnosticReport, Observation
from app.wire.patient import Patient
from app.wire.procedures import Procedure, ServiceRequest
from app.wire.record import Record
from app.wire.resources import Damaged

# Only for a single resource under a search key: whether it is the requested one.
_TYPES: dict[Source, type[Record]] = {
    Source.OBSERVATIONS: Observation,
    Source.MEDICATIONS: MedicationRecord,
    Source.MEDICATION_REQUESTS: MedicationRecord,
    Source.MEDICATION_ADMINISTRATIONS: MedicationRecord,
    Source.CONDITIONS: Condition,
    Source.PROCEDURES: Procedure,
    Source.FAMILY_HISTORY: FamilyMemberHistory,
    Source.ALLERGIES: AllergyIntolerance,
    Source.DIAGNOSTIC_REPORTS: DiagnosticReport,
    Source.SERVICE_REQUESTS: ServiceRequest,
}

_KINDS: dict[Source, type[Record]] = {
    **_TYPES,
    Source.MEDICATIONS: MedicationStatement,
    Source.MEDICATION_REQUESTS: MedicationRequest,
    Source.MEDICATION_ADMINISTRATIONS: MedicationAdministration,
}


@dataclass(frozen=True, slots=True)
class Records:
    """What came for one patient.

    `entries`: every resource, also those that only serve a reference (search.mode `include`). `damaged`: those of them
    that lack members which could not be read. `addresses`: those of them that have another address than their type and
    id, by that address. `availability` has every `Source`. `patient` is None where it did not come; `patient_absent`
    shows whether its key was left out (or its query failed), so that it can still be fetched.
    `next_pages`: for each key that is incomplete for want of further pages only, the address of the next one.
    `by_key`: how complete the list under each key is that came, for the keys that are known. `others`: the kinds of
    records that came under other keys; how complete they are is not known. `categories`: those of Observations whose
    list is complete. `not_fetched`: by key, why a FHIR server did not give it.
    """

    patient: Patient | None = field(repr=False)
    entries: tuple[Record, ...] = field(repr=False)
    availability: dict[Source, Availability]
    patient_absent: bool = False
    damaged: tuple[Damaged, ...] = field(default=(), repr=False)
    addresses: Mapping[str, Record] = field(default_factory=dict, repr=False)
    set_aside: tuple[SetAside, ...] = ()
    next_pages: Mapping[str, str] = field(default_factory=dict, repr=False)
    by_key: Mapping[str, Availability] = field(default_factory=dict)
    others: frozenset[Source] = frozenset()
    categories: frozenset[ObservationCategory] = frozenset()
    by_category: Mapping[ObservationCategory, Availability] = field(default_factory=dict)
    asked: Queries = field(default=DEFAULT_QUERIES, repr=False)
    not_fetched: Mapping[str, str] = field(default_factory=dict)

    def queries(self, patient_id: str) -> dict[str, str]:
        """What is worth asking a FHIR server for: by key, the query of a key that was left out, or its next page.

        A key whose query failed at the client is not queried again (PFD-4), except the patient, without whom nothing
        goes.
        """
        by_category = not self.by_key.keys().isdisjoint(CATEGORY_KEYS)
        every = self.asked.of(patient_id) if by_category else self.asked.to_fetch(patient_id)
        wanted = [key for key in every if key != PATIENT_KEY and key not in self.by_key and not self._answered(key)]
        keys = [PATIENT_KEY, *wanted] if self.patient_absent else wanted
        return {**{key: every[key] for key in keys}, **self.next_pages}

    def _answered(self, key: str) -> bool:
        """Whether the data of a key came under another key, whole or in part, or failed there."""
        if key in CATEGORY_KEYS and Source.OBSERVATIONS.value in self.by_key:
            return True  # the client has queried all Observations at once
        covered = self.asked.covers[key]
        return bool(covered) and all(
            part in self.categories
            if isinstance(part, ObservationCategory)
            else self.availability[part] is not Availability.ABSENT
            for part in covered
        )

    def require(self) -> None:
        """Raise DataUnavailable (412) where data is missing that no advice can do without (contract, section 2)."""
        missing = []
        if self.patient is None:
            missing.append(PATIENT_KEY)
        if not self._observations_came():
            missing.append(Source.OBSERVATIONS.value)
        if not self._came(Source.MEDICATIONS) and not self._came(Source.MEDICATION_REQUESTS):
            missing.append(f"{Source.MEDICATIONS.value} (or {Source.MEDICATION_REQUESTS.value})")
        if missing:
            keys = ", ".join(self._with_reason(key) for key in missing)
            raise DataUnavailable(f"required data came neither by prefetch nor from a FHIR server: {keys}")

    def _with_reason(self, said: str) -> str:
        """A missing key with why it could not be fetched, where that was tried; the first reason of several keys."""
        key = said.partition(" ")[0]
        keys = (key, *CATEGORY_KEYS) if key == Source.OBSERVATIONS else (key,)
        reason = next((self.not_fetched[one] for one in keys if one in self.not_fetched), None)
        return f"{said} ({reason})" if reason else said

    def _observations_came(self) -> bool:
        """Whether any key with Observations came; an empty list is one."""
        asked = (key for key, parts in self.asked.covers.items() if any(map(_is_of_observations, parts)))
        return Source.OBSERVATIONS in self.others or any(self.by_key.get(key) in _CAME for key in asked)

    def _came(self, source: Source) -> bool:
        return source in self.others or self.availability[source] in _CAME


_CAME = (Availability.PROVIDED, Availability.PARTIAL)


def _is_of_observations(part: Covered) -> bool:
    return part is Source.OBSERVATIONS or isinstance(part, ObservationCategory)


def resolve(
    prefetch: Mapping[str, Record | None],
    *,
    patient_id: str,
    wrong: Collection[str] = frozenset(),
    queries: Queries = DEFAULT_QUERIES,
) -> Records:
    """The records of a prefetch object, those of unrequested keys included.

    `wrong`: paths of values that are no JSON object. Raises MalformedRequest where one of them is under a key that
    is known, or where the patient is another than `context.patientId`; under another key it is set aside.
    """
    collected, by_key, others = Collected(), dict[str, Availability](), set[Source]()
    for key, value in prefetch.items():
        known = key in queries.covers or key == PATIENT_KEY
        if (path := f"prefetch.{key}") in wrong:
            if known:
                raise MalformedRequest(f"{path} must be a FHIR resource, a Bundle or null", expression=path)
            collected.skip("unreadable")
        elif key in queries.covers:
            by_key[key] = _collect(value, key, _type_of(queries.covers[key]), collected)
        elif not known:
            before = len(collected.entries)
            _collect(value, key, Record, collected)
            others |= {source for record in collected.entries[before:] if (source := _source_of(record))}
    patient, patient_absent = _patient(prefetch, patient_id, collected)
    found = Records(
        patient=patient,
        entries=tuple(collected.entries),
        availability={},
        patient_absent=patient_absent,
        damaged=tuple(collected.damaged),
        addresses=collected.addresses,
        set_aside=tuple(SetAside(None, reason, count) for reason, count in collected.set_aside.items()),
        next_pages={key: page for key, page in collected.next_pages.items() if key in by_key},
        by_key=by_key,
        others=frozenset(others),
        asked=queries,
    )
    return _judged(found)


def supplement(records: Records, fetched: Mapping[str, Record | None], *, patient_id: str) -> Records:
    """The records with what a FHIR server answered to `Records.queries`, by key; a failed query is an OperationOutcome.

    A further page completes its key where it is the last one; one that could not be had leaves the key incomplete.
    """
    more = resolve(fetched, patient_id=patient_id, queries=records.asked)
    by_key = dict(records.by_key)
    for key, availability in more.by_key.items():
        if key not in records.next_pages or availability is Availability.PROVIDED:
            by_key[key] = availability
    patient = records.patient or more.patient
    found = Records(
        patient=patient,
        entries=(*records.entries, *more.entries),
        availability={},
        patient_absent=patient is None and records.patient_absent,
        damaged=(*records.damaged, *more.damaged),
        addresses={**records.addresses, **more.addresses},
        set_aside=(*records.set_aside, *more.set_aside),
        by_key=by_key,
        others=records.others | more.others,
        asked=records.asked,
    )
    return _judged(found)


def _judged(records: Records) -> Records:
    """The records with how complete each kind of them is, from the lists under all keys that answer for it.

    Observations of all six categories are all Observations; where some of them came, the others are not provided.
    """
    best: dict[Covered, Availability] = {}
    for key, availability in records.by_key.items():
        for part in records.asked.covers[key]:
            known = best.get(part, Availability.ABSENT)
            best[part] = min(known, availability, key=_ORDER.index)
    whole = best.get(Source.OBSERVATIONS, Availability.ABSENT)
    parts = [best.get(category, Availability.ABSENT) for category in ObservationCategory]
    if whole is not Availability.PROVIDED:
        worst = max(parts, key=_ORDER.index)
        failed = Availability.FAILED if Availability.FAILED in parts else Availability.ABSENT
        together = Availability.PARTIAL if Availability.PARTIAL in parts else failed
        whole = min(whole, worst if worst is Availability.PROVIDED else together, key=_ORDER.index)
    availability_of = {source: best.get(source, Availability.ABSENT) for source in Source}
    return dataclasses.replace(
        records,
        availability={**availability_of, Source.OBSERVATIONS: whole},
        by_category={category: best.get(category, Availability.ABSENT) for category in ObservationCategory},
        categories=frozenset(c for c in ObservationCategory if best.get(c) is Availability.PROVIDED),
    )


_ORDER = (Availability.PROVIDED, Availability.PARTIAL, Availability.FAILED, Availability.ABSENT)
"""What is known of a list, the best first."""


def _type_of(covered: Collection[Covered]) -> type[Record]:
    """What a single resource under a key must be to count as its list."""
    kinds = {_TYPES[Source.OBSERVATIONS if isinstance(part, ObservationCategory) else part] for part in covered}
    return kinds.pop() if len(kinds) == 1 else Record


def _source_of(record: Record) -> Source | None:
    """The kind of a record, by its type."""
    return next((source for source, kind in _KINDS.items() if isinstance(record, kind)), None)


def _collect(value: Record | None, key: str, expected: type[Record], collected: Collected) -> Availability:
    if value is None:
        return Availability.PROVIDED  # the client looked and found nothing
    whole = whole_of(value)
    if isinstance(whole, Bundle):
        availability = _collect_list(whole, key, collected)
        damaged = whole is not value and availability is Availability.PROVIDED
        return Availability.PARTIAL if damaged else availability
    if isinstance(whole, OperationOutcome):
        return Availability.FAILED
    collected.add(value)
    return Availability.PROVIDED if isinstance(whole, expected) else Availability.FAILED


def _collect_list(bundle: Bundle, key: str, collected: Collected) -> Availability:
    availability = collected.take_all(bundle)
    has_next, address = next_page(bundle)
    if not has_next or availability is Availability.FAILED:
        return availability
    if availability is Availability.PROVIDED and address:
        collected.next_pages[key] = address
    return Availability.PARTIAL


def _patient(
    prefetch: Mapping[str, Record | None], patient_id: str, collected: Collected
) -> tuple[Patient | None, bool]:
    """The patient of the call, and whether it is absent in a way that a FHIR server may still answer."""
    # A patient that came with the records of another key (an $everything Bundle) serves where the key is absent.
    among_records = _matching(collected.patients, patient_id, collected)
    if PATIENT_KEY not in prefetch:
        return among_records, among_records is None
    value = prefetch[PATIENT_KEY]
    if value is None:
        return None, False  # queried, no such patient
    own = Collected()
    whole = whole_of(value)
    if isinstance(whole, Patient):
        own.add(value)
    elif isinstance(whole, Bundle):
        own.take_all(whole)
        collected.entries.extend(own.entries)
        collected.addresses.update(own.addresses)
    else:
        return among_records, among_records is None  # a failed query, or no patient: as if the key had not come
    collected.damaged.extend(own.damaged)
    patient = _matching(own.patients, patient_id, collected)
    if own.patients and patient is None:
        path = f"prefetch.{PATIENT_KEY}"
        raise MalformedRequest(f"{path} is not the patient of context.patientId", expression=path)
    return patient, False


def _matching(patients: Sequence[Patient], patient_id: str, collected: Collected) -> Patient | None:
    """The patient of the call among these; the others are counted."""
    matching = [patient for patient in patients if patient.id == patient_id]
    for _ in range(len(patients) - len(matching)):
        collected.skip("other-patient")
    return matching[0] if matching else None
