"""Prefetch: what the service asks for, and what the values that came back mean.

A key can come back in six ways: not at all, null, as an OperationOutcome, as one resource, as a Bundle, or as a Bundle
with further pages. `resolve` turns each into the records that are there and into how far their absence can be trusted
(`Availability`). Records are recognised later by their resourceType, never by the key that they came under.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from msgspec.structs import replace

from app.cds_hooks.errors import DataUnavailable, MalformedRequest
from app.chart import Availability, SetAside, Source
from app.wire.bundle import Bundle, Entry, Issue, OperationOutcome
from app.wire.conditions import AllergyIntolerance, Condition, FamilyMemberHistory
from app.wire.medications import MedicationRecord
from app.wire.observations import DiagnosticReport, Observation
from app.wire.patient import Patient
from app.wire.procedures import Procedure, ServiceRequest
from app.wire.record import Record
from app.wire.resources import Damaged

PATIENT_KEY = "patient"

# Observations are asked for without a list of codes: the codes of all sources together make a query of several
# kilobytes, which servers and proxies refuse; a category filter would lose the many charts that have no category.
TEMPLATES: dict[str, str] = {
    PATIENT_KEY: "Patient/{{context.patientId}}",
    Source.OBSERVATIONS.value: "Observation?patient={{context.patientId}}",
    Source.MEDICATIONS.value: "MedicationStatement?patient={{context.patientId}}",
    Source.MEDICATION_REQUESTS.value: "MedicationRequest?patient={{context.patientId}}",
    Source.MEDICATION_ADMINISTRATIONS.value: "MedicationAdministration?patient={{context.patientId}}",
    Source.CONDITIONS.value: "Condition?patient={{context.patientId}}",
    Source.PROCEDURES.value: "Procedure?patient={{context.patientId}}",
    Source.FAMILY_HISTORY.value: "FamilyMemberHistory?patient={{context.patientId}}",
    Source.ALLERGIES.value: "AllergyIntolerance?patient={{context.patientId}}",
    Source.DIAGNOSTIC_REPORTS.value: "DiagnosticReport?patient={{context.patientId}}",
    Source.SERVICE_REQUESTS.value: "ServiceRequest?patient={{context.patientId}}",
}

_PATIENT_ID = "{{context.patientId}}"

# Only for a single resource under a search key: whether it is what was asked for.
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


def queries_for(patient_id: str) -> dict[str, str]:
    """All queries of the service for a patient, by prefetch key."""
    # The id stands in a URL; an id with odd characters must stay one value of one parameter.
    return {key: template.replace(_PATIENT_ID, quote(patient_id, safe="")) for key, template in TEMPLATES.items()}


_FAILED_SEVERITIES = frozenset({"error", "fatal"})


@dataclass(frozen=True, slots=True)
class Records:
    """What came for one patient.

    `entries`: every resource, also those that only serve a reference (search.mode `include`). `damaged`: those of them
    that lack members which could not be read. `availability` has every `Source`. `patient` is None where it did not
    come; `patient_absent` says whether its key was left out (or its query failed), so that it can still be fetched.
    `next_pages`: for each key that is incomplete for want of further pages only, the address of the next one.
    """

    patient: Patient | None = field(repr=False)
    entries: tuple[Record, ...] = field(repr=False)
    availability: dict[Source, Availability]
    patient_absent: bool = False
    damaged: tuple[Damaged, ...] = field(default=(), repr=False)
    set_aside: tuple[SetAside, ...] = ()
    next_pages: Mapping[str, str] = field(default_factory=dict, repr=False)
    not_fetched: Mapping[str, str] = field(default_factory=dict)  # by key: why a FHIR server did not give it

    def queries(self, patient_id: str) -> dict[str, str]:
        """What is worth asking a FHIR server for: by key, the query of a key that was left out, or its next page.

        A key whose query failed at the client is not asked again (PFD-4), except the patient, without whom nothing
        goes.
        """
        absent = [source.value for source in Source if self.availability[source] is Availability.ABSENT]
        keys = [PATIENT_KEY, *absent] if self.patient_absent else absent
        every = queries_for(patient_id)
        return {**{key: every[key] for key in keys}, **self.next_pages}

    def require(self) -> None:
        """Raise DataUnavailable (412) where data is missing that no advice can do without (contract, section 2)."""
        missing = []
        if self.patient is None:
            missing.append(PATIENT_KEY)
        if not self._came(Source.OBSERVATIONS):
            missing.append(Source.OBSERVATIONS.value)
        if not self._came(Source.MEDICATIONS) and not self._came(Source.MEDICATION_REQUESTS):
            missing.append(f"{Source.MEDICATIONS.value} (or {Source.MEDICATION_REQUESTS.value})")
        if missing:
            keys = ", ".join(self._with_reason(key) for key in missing)
            raise DataUnavailable(f"required data came neither by prefetch nor from a FHIR server: {keys}")

    def _with_reason(self, said: str) -> str:
        """A missing key with why it could not be fetched, where that was tried."""
        reason = self.not_fetched.get(said.partition(" ")[0])
        return f"{said} ({reason})" if reason else said

    def _came(self, source: Source) -> bool:
        return self.availability[source] in (Availability.PROVIDED, Availability.PARTIAL)


def resolve(prefetch: Mapping[str, Record | None], *, patient_id: str, wrong: Collection[str] = frozenset()) -> Records:
    """The records of a prefetch object.

    `wrong`: paths of values that are no JSON object. Raises MalformedRequest where one of them stands under a key that
    was asked for, or where the patient is somebody else than `context.patientId`. Other keys are ignored.
    """
    for key in TEMPLATES:
        if (path := f"prefetch.{key}") in wrong:
            raise MalformedRequest(f"{path} must be a FHIR resource, a Bundle or null", expression=path)
    collected = Collected()
    availability = {source: _collect(prefetch, source, collected) for source in Source}
    patient, patient_absent = _patient(prefetch, patient_id, collected)
    return Records(
        patient=patient,
        entries=tuple(collected.entries),
        availability=availability,
        patient_absent=patient_absent,
        damaged=tuple(collected.damaged),
        set_aside=tuple(SetAside(None, reason, count) for reason, count in collected.set_aside.items()),
        next_pages=collected.next_pages,
    )


def supplement(records: Records, fetched: Mapping[str, Record | None], *, patient_id: str) -> Records:
    """The records with what a FHIR server answered to `Records.queries`, by key; a failed query is an OperationOutcome.

    A further page completes its key where it is the last one; one that could not be had leaves the key incomplete.
    """
    more = resolve(fetched, patient_id=patient_id)
    availability = dict(records.availability)
    for source in Source:
        if source.value in records.next_pages:
            if more.availability[source] is Availability.PROVIDED:
                availability[source] = Availability.PROVIDED
        elif source.value in fetched:
            availability[source] = more.availability[source]
    patient = records.patient or more.patient
    return Records(
        patient=patient,
        entries=(*records.entries, *more.entries),
        availability=availability,
        patient_absent=patient is None and records.patient_absent,
        damaged=(*records.damaged, *more.damaged),
        set_aside=(*records.set_aside, *more.set_aside),
    )


class Collected:
    """The resources of one or several Bundles, and what of them could not be used."""

    def __init__(self) -> None:
        self.entries: list[Record] = []
        self.patients: list[Patient] = []
        self.damaged: list[Damaged] = []
        self.set_aside: dict[str, int] = {}
        self.next_pages: dict[str, str] = {}

    def add(self, record: Record) -> None:
        """Take a resource; one that is damaged without the members that could not be read."""
        if isinstance(record, Damaged):
            if record.record is None:
                self.skip("unreadable")
                return
            self.damaged.append(record)
            record = record.record
        if isinstance(record, Patient):
            self.patients.append(record)
        else:
            self.entries.append(record)

    def skip(self, reason: str) -> None:
        """Count an entry that is not used."""
        self.set_aside[reason] = self.set_aside.get(reason, 0) + 1

    def take_all(self, bundle: Bundle) -> Availability:
        """Take the entries of one page; PARTIAL where entries of it are missing, FAILED where nothing came."""
        complete, found, failed = True, False, False
        for entry in bundle.entry:
            resource = entry.resource
            if resource is None:
                self.skip("unreadable")
                complete = False
            elif isinstance(outcome := _whole(resource), OperationOutcome):
                if outcome is not resource or _is_failure(outcome):
                    failed = True
                else:
                    self.skip("operation-outcome")
            elif entry.search is not None and entry.search.mode == "outcome":
                self.skip("operation-outcome")  # never a match, whatever it holds
            else:
                self.add(resource if resource.id else _identified(resource, entry))
                found = True
        if failed and not found:
            return Availability.FAILED
        return Availability.PROVIDED if complete and not failed else Availability.PARTIAL


def _whole(value: Record) -> Record | None:
    """The resource itself, whether or not members of it could be read."""
    return value.record if isinstance(value, Damaged) else value


def _identified(resource: Record, entry: Entry) -> Record:
    """A resource without an id with the one that its fullUrl gives it."""
    if entry.full_url is None or not entry.full_url.startswith("urn:uuid:"):
        return resource
    return replace(resource, id=entry.full_url.removeprefix("urn:uuid:"))


def _collect(prefetch: Mapping[str, Record | None], source: Source, collected: Collected) -> Availability:
    if source.value not in prefetch:
        return Availability.ABSENT
    value = prefetch[source.value]
    if value is None:
        return Availability.PROVIDED  # the client looked and found nothing
    whole = _whole(value)
    if isinstance(whole, Bundle):
        availability = _collect_list(whole, source, collected)
        damaged = whole is not value and availability is Availability.PROVIDED
        return Availability.PARTIAL if damaged else availability
    if isinstance(whole, OperationOutcome):
        return Availability.FAILED
    collected.add(value)
    return Availability.PROVIDED if isinstance(whole, _TYPES[source]) else Availability.FAILED


def _collect_list(bundle: Bundle, source: Source, collected: Collected) -> Availability:
    availability = collected.take_all(bundle)
    has_next, address = _next_page(bundle)
    if not has_next or availability is Availability.FAILED:
        return availability
    if availability is Availability.PROVIDED and address:
        collected.next_pages[source.value] = address
    return Availability.PARTIAL


def _next_page(bundle: Bundle) -> tuple[bool, str | None]:
    """Whether there is a further page, and its address where the link has one."""
    for link in bundle.link:
        if link.relation == "next":
            return True, link.url or None
    return False, None


def _is_failure(outcome: OperationOutcome) -> bool:
    """Whether a query failed. An outcome that says nothing cannot be taken for a harmless note."""
    return not outcome.issue or any(_is_grave(issue) for issue in outcome.issue)


def _is_grave(issue: Issue) -> bool:
    """Whether an issue says that the query failed."""
    return issue.severity in _FAILED_SEVERITIES


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
        return None, False  # looked and found nobody
    own = Collected()
    whole = _whole(value)
    if isinstance(whole, Patient):
        own.add(value)
    elif isinstance(whole, Bundle):
        own.take_all(whole)
        collected.entries.extend(own.entries)
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
