"""Prefetch: what the service asks for, and what the values that came back mean.

A key can come back in six ways: not at all, null, as an OperationOutcome, as one resource, as a Bundle, or as a Bundle
with further pages. `resolve` turns each into the records that are there and into how far their absence can be trusted
(`Availability`). Records are recognised later by their resourceType, never by the key that they came under.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from app.cds_hooks.errors import DataUnavailable, MalformedRequest
from app.chart import Availability, SetAside, Source
from app.decoding.written import Result

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

_MEDICATION_TYPES = frozenset(
    {"MedicationStatement", "MedicationRequest", "MedicationAdministration", "MedicationDispense"}
)
# Only for a single resource under a search key: whether it is what was asked for.
_TYPES: dict[Source, frozenset[str]] = {
    Source.OBSERVATIONS: frozenset({"Observation"}),
    Source.MEDICATIONS: _MEDICATION_TYPES,
    Source.MEDICATION_REQUESTS: _MEDICATION_TYPES,
    Source.MEDICATION_ADMINISTRATIONS: _MEDICATION_TYPES,
    Source.CONDITIONS: frozenset({"Condition"}),
    Source.PROCEDURES: frozenset({"Procedure"}),
    Source.FAMILY_HISTORY: frozenset({"FamilyMemberHistory"}),
    Source.ALLERGIES: frozenset({"AllergyIntolerance"}),
    Source.DIAGNOSTIC_REPORTS: frozenset({"DiagnosticReport"}),
    Source.SERVICE_REQUESTS: frozenset({"ServiceRequest"}),
}


def queries_for(patient_id: str) -> dict[str, str]:
    """All queries of the service for a patient, by prefetch key."""
    # The id stands in a URL; an id with odd characters must stay one value of one parameter.
    return {key: template.replace(_PATIENT_ID, quote(patient_id, safe="")) for key, template in TEMPLATES.items()}


_FAILED_SEVERITIES = frozenset({"error", "fatal"})

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Records:
    """What came for one patient.

    `entries`: every resource, also those that only serve a reference (search.mode `include`); results can stand as they
    were written. `availability` has every `Source`. `patient` is None where it did not come; `patient_absent` says
    whether its key was left out (or its query failed), so that it can still be fetched. `next_pages`: for each key that
    is incomplete for want of further pages only, the address of the next one.
    """

    patient: Resource | None = field(repr=False)
    entries: tuple[Resource | Result, ...] = field(repr=False)
    availability: dict[Source, Availability]
    patient_absent: bool = False
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


def resolve(prefetch: Mapping[str, Any], *, patient_id: str) -> Records:
    """The records of a prefetch object.

    Raises MalformedRequest where a value is no JSON object, or where the patient is somebody else than
    `context.patientId`. Keys that were not asked for are ignored.
    """
    collected = _Collected()
    availability = {source: _collect(prefetch, source, collected) for source in Source}
    patient, patient_absent = _patient(prefetch, patient_id, collected)
    return Records(
        patient=patient,
        entries=tuple(collected.entries),
        availability=availability,
        patient_absent=patient_absent,
        set_aside=tuple(SetAside(None, reason, count) for reason, count in collected.set_aside.items()),
        next_pages=collected.next_pages,
    )


def supplement(records: Records, fetched: Mapping[str, Any], *, patient_id: str) -> Records:
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
        set_aside=(*records.set_aside, *more.set_aside),
    )


class _Collected:
    """Entries and set-aside counts over all keys of one call."""

    def __init__(self) -> None:
        self.entries: list[Resource | Result] = []
        self.patients: list[Resource] = []
        self.set_aside: dict[str, int] = {}
        self.next_pages: dict[str, str] = {}

    def add(self, resource: Resource) -> None:
        (self.patients if resource["resourceType"] == "Patient" else self.entries).append(resource)

    def skip(self, reason: str) -> None:
        self.set_aside[reason] = self.set_aside.get(reason, 0) + 1


def _value(prefetch: Mapping[str, Any], key: str) -> Resource | None:
    value = prefetch[key]
    if value is not None and not isinstance(value, dict):
        path = f"prefetch.{key}"
        raise MalformedRequest(f"{path} must be a FHIR resource, a Bundle or null", expression=path)
    return value


def _collect(prefetch: Mapping[str, Any], source: Source, collected: _Collected) -> Availability:
    if source.value not in prefetch:
        return Availability.ABSENT
    value = _value(prefetch, source.value)
    if value is None:
        return Availability.PROVIDED  # the client looked and found nothing
    kind = value.get("resourceType")
    if kind == "Bundle":
        return _collect_list(value, source, collected)
    if kind == "OperationOutcome":
        return Availability.FAILED
    if not isinstance(kind, str) or not kind:
        collected.skip("unreadable")
        return Availability.FAILED
    collected.add(value)
    return Availability.PROVIDED if kind in _TYPES[source] else Availability.FAILED


def _collect_list(bundle: Resource, source: Source, collected: _Collected) -> Availability:
    availability = _collect_bundle(bundle, collected)
    has_next, address = _next_page(bundle)
    if not has_next or availability is Availability.FAILED:
        return availability
    if availability is Availability.PROVIDED and address:
        collected.next_pages[source.value] = address
    return Availability.PARTIAL


def _collect_bundle(bundle: Resource, collected: _Collected) -> Availability:
    """Take the entries of one page; PARTIAL where entries of it are missing, FAILED where nothing came."""
    entries = bundle.get("entry")
    if entries is None:
        return Availability.PROVIDED
    complete, found, failed = True, False, False
    for entry in entries if isinstance(entries, list) else (None,):
        if isinstance(entry, Result):
            collected.entries.append(entry)
            found = True
        elif (
            not isinstance(entry, dict)
            or not isinstance(resource := entry.get("resource"), dict)
            or not isinstance(kind := resource.get("resourceType"), str)
        ):
            collected.skip("unreadable")
            complete = False
        elif kind == "OperationOutcome":
            if _is_failure(resource):
                failed = True
            else:
                collected.skip("operation-outcome")
        elif isinstance(search := entry.get("search"), dict) and search.get("mode") == "outcome":
            collected.skip("operation-outcome")  # never a match, whatever it holds
        else:
            collected.add(resource if resource.get("id") else _identified(resource, entry.get("fullUrl")))
            found = True
    if failed and not found:
        return Availability.FAILED
    return Availability.PROVIDED if complete and not failed else Availability.PARTIAL


def _identified(resource: Resource, full_url: object) -> Resource:
    """A resource without an id with the one that its fullUrl gives it."""
    if not isinstance(full_url, str) or not full_url.startswith("urn:uuid:"):
        return resource
    return {**resource, "id": full_url.removeprefix("urn:uuid:")}


def _next_page(bundle: Resource) -> tuple[bool, str | None]:
    """Whether there is a further page, and its address where the link has one."""
    links = bundle.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next":
            url = link.get("url")
            return True, url if isinstance(url, str) and url else None
    return False, None


def _is_failure(outcome: Resource) -> bool:
    issues = outcome.get("issue")
    if not isinstance(issues, list):
        return True  # an OperationOutcome that says nothing cannot be taken for a harmless note
    return any(_is_grave(issue) for issue in issues)


def _is_grave(issue: object) -> bool:
    """Whether an issue says, or may say, that the query failed: what cannot be read is not taken for harmless."""
    if not isinstance(issue, dict):
        return True
    severity = issue.get("severity")
    return severity in _FAILED_SEVERITIES if isinstance(severity, str) else severity is not None


def _patient(prefetch: Mapping[str, Any], patient_id: str, collected: _Collected) -> tuple[Resource | None, bool]:
    """The patient of the call, and whether it is absent in a way that a FHIR server may still answer."""
    # A patient that came with the records of another key (an $everything Bundle) serves where the key is absent.
    among_records = _matching(collected.patients, patient_id, collected)
    if PATIENT_KEY not in prefetch:
        return among_records, among_records is None
    value = _value(prefetch, PATIENT_KEY)
    if value is None:
        return None, False  # looked and found nobody
    own = _Collected()
    kind = value.get("resourceType")
    if kind == "Patient":
        own.add(value)
    elif kind == "Bundle":
        _collect_bundle(value, own)
        collected.entries.extend(own.entries)
    else:
        return among_records, among_records is None  # a failed query, or no patient: as if the key had not come
    patient = _matching(own.patients, patient_id, collected)
    if own.patients and patient is None:
        path = f"prefetch.{PATIENT_KEY}"
        raise MalformedRequest(f"{path} is not the patient of context.patientId", expression=path)
    return patient, False


def _matching(patients: list[Resource], patient_id: str, collected: _Collected) -> Resource | None:
    """The patient of the call among these; the others are counted."""
    matching = [patient for patient in patients if patient.get("id") == patient_id]
    for _ in range(len(patients) - len(matching)):
        collected.skip("other-patient")
    return matching[0] if matching else None
