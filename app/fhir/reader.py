"""Reading a chart: resources as they came in, one by one, to the typed facts of `Chart`.

Tolerant entry by entry: a record of somebody else, one entered in error or one that cannot be read is set aside with a
reason, and the rest is read. Only errors that malformed data can cause are caught, and only here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from app.chart import (
    UNREADABLE,
    Availability,
    Chart,
    DensityFact,
    DraftOrder,
    FamilyFact,
    IntoleranceFact,
    Occasion,
    ProcedureFact,
    RequestedService,
    SetAside,
    Source,
    is_named,
)
from app.decoding.written import Result
from app.fhir.conditions.fractures import merge_fractures, with_external_causes
from app.fhir.conditions.read import ConditionFacts, read_condition
from app.fhir.medications.courses import merge_courses
from app.fhir.medications.draft_orders import read_draft
from app.fhir.medications.records import MEDICATION_RECORDS, CourseRecord, read_medication_record
from app.fhir.observations.read import ObservationFacts, read_observation, read_result
from app.fhir.observations.report_text import densities_in_report
from app.fhir.other_records import read_family, read_intolerance, read_procedure, read_report, read_service
from app.fhir.patient import read_patient
from app.fhir.resource import OTHER_PATIENT, Reading, ReadSettings, ref_of, reference_id
from app.terminology.codeable_concept import objects

__all__ = ["ChartInput", "ReadSettings", "read_chart"]

_ENTRY = (dict, Result)
_MALFORMED = (TypeError, KeyError, ValueError, AttributeError, ArithmeticError)
"""What badly formed JSON FHIR can raise in a parser; anything else is a fault of ours and stops the call."""


@dataclass(frozen=True)
class ChartInput:
    """What a request brought, unpacked from its Bundles.

    `entries`: every resource; results can stand as they were written. `availability`: per kind of record; a kind that
    is not named is absent. `selections`: of order-select, as references.
    """

    patient_id: str
    patient: dict[str, Any]
    entries: Sequence[dict[str, Any] | Result]
    availability: dict[Source, Availability]
    draft_orders: Sequence[dict[str, Any]] = ()
    occasion: Occasion = Occasion.CHART
    selections: frozenset[str] | None = None
    new_conditions: Sequence[dict[str, Any]] = ()
    new_intolerances: Sequence[dict[str, Any]] = ()
    already_set_aside: Sequence[SetAside] = ()


@dataclass(slots=True)
class _Facts:
    observations: ObservationFacts
    conditions: ConditionFacts
    new: ConditionFacts
    records: list[CourseRecord]
    procedures: list[ProcedureFact]
    family: list[FamilyFact]
    intolerances: list[IntoleranceFact]
    services: list[RequestedService]
    drafts: list[DraftOrder]
    new_intolerances: list[IntoleranceFact]


def read_chart(data: ChartInput, *, today: date, tz: ZoneInfo, settings: ReadSettings | None = None) -> Chart:
    """The chart of one patient on one day. Raises nothing for malformed records: they are in `Chart.set_aside`."""
    patient = read_patient(data.patient, data.patient_id, today, tz)
    reading = Reading(data.patient_id, today, tz, settings or ReadSettings(), birth=patient.birth_date)
    entries = [entry for entry in data.entries if isinstance(entry, _ENTRY)]
    reading.referred = (*entries, *data.draft_orders)
    facts = _Facts(ObservationFacts(), ConditionFacts(), ConditionFacts(), [], [], [], [], [], [], [])
    others = _read_all(entries, _READERS, reading, facts)
    others += _read_all((*data.new_conditions, *data.new_intolerances), _NEW_READERS, reading, facts)
    courses = merge_courses(facts.records, reading)
    others += _read_all(data.draft_orders, _draft_readers(data.selections, courses), reading, facts)
    if others:
        reading.set_aside.append(SetAside(None, OTHER_PATIENT, others))
    known = {fact.ref for fact in facts.new.conditions}
    conditions = [fact for fact in facts.conditions.conditions if fact.ref not in known]
    fractures = with_external_causes(
        [f for f in facts.conditions.fractures if not known & set(f.refs)] + facts.new.fractures,
        facts.conditions.high_energy_days | facts.new.high_energy_days,
    )
    return Chart(
        patient=patient,
        today=today,
        availability=dict(data.availability),
        observations=tuple(facts.observations.observations),
        densities=_without_repetitions(facts.observations.densities),
        conditions=(*conditions, *facts.new.conditions, *facts.observations.conditions),
        fractures=merge_fractures(fractures, reading.settings.same_fracture_days),
        courses=courses,
        procedures=tuple(facts.procedures),
        family=tuple(facts.family),
        intolerances=_with_new(facts.intolerances, facts.new_intolerances),
        services=tuple(facts.services),
        draft_orders=tuple(facts.drafts),
        occasion=data.occasion,
        about_orders=data.occasion.about_orders,
        new_conditions=tuple(facts.new.conditions),
        new_intolerances=tuple(facts.new_intolerances),
        set_aside=(*data.already_set_aside, *_counted(reading.set_aside)),
        unusable=tuple(dict.fromkeys(reading.unusable)),
    )


_Read = Callable[[dict[str, Any], Reading, _Facts], None]


def _read_all(
    records: Iterable[dict[str, Any] | Result],
    readers: Mapping[str, _Read],
    reading: Reading,
    facts: _Facts,
) -> int:
    """Read records one by one; how many were about another patient.

    The only place where malformed data is caught: such a record is set aside, whole.
    """
    others = 0
    for record in records:
        if not isinstance(record, Result):
            resource = record
        elif read_result(record, reading, facts.observations):
            continue
        else:
            resource = record.resource()
        try:
            read = readers.get(resource["resourceType"])
            if read is None:
                continue
            subject = resource.get("subject")
            plainly_own = isinstance(subject, dict) and subject.get("reference") == reading.own  # nearly always
            if not plainly_own and _of_another(resource, reading.patient_id):
                others += 1
            else:
                read(resource, reading, facts)
        except _MALFORMED:
            reading.leave_out(resource, UNREADABLE)
    return others


def _of_another(resource: dict[str, Any], patient_id: str) -> bool:
    """Whether a record says that it is about another patient.

    A reference is compared by its last part, so relative, absolute and versioned ones are alike. A reference that is
    missing, contained or has no id says nothing; a urn:uuid names an entry of the sender's Bundle and cannot be
    compared unless it is the patient's own id.
    """
    holder = resource.get("subject") or resource.get("patient")
    if not isinstance(holder, dict):
        return False
    text = holder.get("reference")
    if not isinstance(text, str) or not text.strip() or text.strip().startswith(("#", "urn:")):
        return False
    return reference_id(holder) != patient_id


def _observation(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
    read_observation(resource, reading, facts.observations)


def _condition(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
    read_condition(resource, reading, facts.conditions)


def _new_condition(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
    read_condition(resource, reading, facts.new, new=True)


def _medication(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
    record = read_medication_record(resource, reading)
    if record is not None:
        facts.records.append(record)


def _procedure(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
    procedure = read_procedure(resource, reading)
    if procedure is not None:
        facts.procedures.append(procedure)


def _report(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
    report = read_report(resource, reading)
    if report is None:
        return
    facts.procedures.append(report)
    facts.observations.densities.extend(densities_in_report(resource, ref=report.ref, effective=report.when))
    for contained in objects(resource.get("contained")):
        if contained.get("resourceType") == "Observation":
            read_observation({**_dated(resource), **contained}, reading, facts.observations, ref=ref_of(resource))


def _dated(report: dict[str, Any]) -> dict[str, Any]:
    """The date of a report, for results inside it that have none of their own."""
    return {key: report[key] for key in ("effectiveDateTime", "effectivePeriod") if key in report}


def _service(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
    service = read_service(resource, reading)
    if service is not None:
        facts.services.append(service)


def _family(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
    facts.family.extend(read_family(resource, reading))


def _intolerance(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
    facts.intolerances.extend(read_intolerance(resource, reading))


def _new_intolerance(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
    facts.new_intolerances.extend(read_intolerance(resource, reading))


def _draft_service(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
    service = read_service(resource, reading, draft=True)
    if service is not None:
        facts.services.append(service)


def _draft_readers(selections: frozenset[str] | None, courses: Sequence[Any]) -> Mapping[str, _Read]:
    def draft_medication(resource: dict[str, Any], reading: Reading, facts: _Facts) -> None:
        order = read_draft(resource, courses, selections, reading)
        if order is not None:
            facts.drafts.append(order)

    return {"MedicationRequest": draft_medication, "ServiceRequest": _draft_service}


_READERS: dict[str, _Read] = {
    "Observation": _observation,
    "Condition": _condition,
    "Procedure": _procedure,
    "DiagnosticReport": _report,
    "ServiceRequest": _service,
    "FamilyMemberHistory": _family,
    "AllergyIntolerance": _intolerance,
    **dict.fromkeys(MEDICATION_RECORDS, _medication),
}
"""What reads a record, by its kind; the others are not read."""
_NEW_READERS: dict[str, _Read] = {"Condition": _new_condition, "AllergyIntolerance": _new_intolerance}


def _with_new(known: Sequence[IntoleranceFact], new: Sequence[IntoleranceFact]) -> tuple[IntoleranceFact, ...]:
    """The intolerances on record and those that are being recorded; one that is sent in both places is the new one."""
    named = {fact.ref for fact in new if is_named(fact.ref)}
    return (*(fact for fact in known if fact.ref not in named), *new)


def _without_repetitions(densities: Sequence[DensityFact]) -> tuple[DensityFact, ...]:
    """Densities, without those read from a report's words where the same examination has them as Observations too."""
    coded = {(fact.kind, fact.effective) for fact in densities if not fact.from_text}
    return tuple(fact for fact in densities if not fact.from_text or (fact.kind, fact.effective) not in coded)


def _counted(noted: Iterable[SetAside]) -> list[SetAside]:
    """Records set aside, each once, with how often it came."""
    counts: Counter[tuple[str | None, str]] = Counter()
    for item in noted:
        counts[(item.resource, item.reason)] += item.count
    return [SetAside(resource, reason, count) for (resource, reason), count in counts.items()]
