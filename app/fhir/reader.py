"""Reading a chart: resources as they came in, one by one, to the typed facts of `Chart`.

A record of another person, one entered in error or one that cannot be read is set aside with a reason, and the rest is
read. A record that lacks members which could not be read is read without them; they are named, and the list is
incomplete for what they could have told (decision 56).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from app.chart import (
    UNREADABLE,
    Availability,
    Chart,
    DensityFact,
    DraftOrder,
    FamilyFact,
    IntoleranceFact,
    ObservationCategory,
    Occasion,
    ProcedureFact,
    RequestedService,
    SetAside,
    Source,
    is_named,
)
from app.fhir.conditions.fractures import merge_fractures, with_external_causes
from app.fhir.conditions.read import ConditionFacts, read_condition
from app.fhir.damage import is_of_no_concern, note_damage, sources_of, without_undecided
from app.fhir.local_records import records_with_local_codes
from app.fhir.medications.courses import merge_courses
from app.fhir.medications.draft_orders import read_draft
from app.fhir.medications.records import MEDICATION_RECORDS, CourseRecord, read_medication_record
from app.fhir.observations.read import ObservationFacts, read_observation
from app.fhir.observations.report_text import densities_in_report, texts_of
from app.fhir.other_records import read_family, read_intolerance, read_procedure, read_report, read_service
from app.fhir.patient import read_patient, unclear_members
from app.fhir.references import References
from app.fhir.resource import (
    BEFORE_BIRTH,
    MEMBERS_UNREADABLE,
    MODIFIED,
    NOT_DONE,
    OTHER_PATIENT,
    Reading,
    ReadSettings,
    ref_of,
)
from app.fhir.unrecognised import unrecognised_codes
from app.terminology.density_words import says_not_done
from app.wire.conditions import AllergyIntolerance, Condition, FamilyMemberHistory
from app.wire.medications import MedicationRecord, MedicationRequest
from app.wire.observations import DiagnosticReport, Observation
from app.wire.patient import Patient
from app.wire.procedures import Procedure, ServiceRequest
from app.wire.record import ClinicalRecord, Record
from app.wire.resources import Damaged

__all__ = ["ChartInput", "ReadSettings", "read_chart"]


@dataclass(frozen=True)
class ChartInput:
    """What a request brought, unpacked from its Bundles.

    `entries`: every resource. `damaged`: those of all resources here that lack members which could not be read.
    `availability`: per kind of record; a kind that is not named is absent. `selections`: of order-select, as
    references.
    """

    patient_id: str
    patient: Patient
    entries: Sequence[Record]
    availability: dict[Source, Availability]
    categories: frozenset[ObservationCategory] = frozenset()
    by_category: Mapping[ObservationCategory, Availability] = field(default_factory=dict)
    draft_orders: Sequence[Record] = ()
    occasion: Occasion = Occasion.CHART
    selections: frozenset[str] | None = None
    new_conditions: Sequence[Record] = ()
    new_intolerances: Sequence[Record] = ()
    damaged: Sequence[Damaged] = ()
    addresses: Mapping[str, Record] = field(default_factory=dict)
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
    reading.references = References((*data.entries, *data.draft_orders), data.addresses)
    facts = _Facts(ObservationFacts(), ConditionFacts(), ConditionFacts(), [], [], [], [], [], [], [])
    others = _read_all(without_undecided(data.entries, data.damaged), _READERS, reading, facts)
    others += _read_all((*data.new_conditions, *data.new_intolerances), _NEW_READERS, reading, facts)
    courses = merge_courses(facts.records, reading)
    others += _read_all(data.draft_orders, _draft_readers(data.selections, courses), reading, facts)
    note_damage(data.damaged, reading)
    if unclear := unclear_members(data.patient):
        reading.leave_out(data.patient, f"{MEMBERS_UNREADABLE}: {', '.join(unclear)}")
    if others:
        reading.set_aside.append(SetAside(None, OTHER_PATIENT, others))
    known = {fact.ref for fact in facts.new.conditions}
    conditions = [fact for fact in facts.conditions.conditions if fact.ref not in known]
    fractures = with_external_causes(
        [f for f in facts.conditions.fractures if not known & set(f.refs)]
        + facts.new.fractures
        + facts.observations.fractures,
        facts.conditions.high_energy_days | facts.new.high_energy_days,
    )
    availability, categories = _completeness(data, reading)
    return Chart(
        patient=patient,
        today=today,
        availability=availability,
        categories=categories,
        by_category=data.by_category,
        observations=tuple(facts.observations.observations),
        densities=_without_repetitions(facts.observations.densities),
        conditions=(*conditions, *facts.new.conditions, *facts.observations.conditions),
        fractures=merge_fractures(fractures, reading.settings.same_fracture_days),
        courses=courses,
        procedures=tuple(facts.procedures),
        family=(*facts.family, *facts.conditions.family, *facts.new.family),
        intolerances=_with_new(facts.intolerances, facts.new_intolerances),
        services=tuple(facts.services),
        draft_orders=tuple(facts.drafts),
        occasion=data.occasion,
        about_orders=data.occasion.about_orders,
        new_conditions=tuple(facts.new.conditions),
        new_intolerances=tuple(facts.new_intolerances),
        set_aside=(*data.already_set_aside, *_counted(reading.set_aside)),
        unusable=tuple(dict.fromkeys(reading.unusable)),
        by_local_codes=records_with_local_codes((*data.entries, *data.draft_orders), reading.references),
        unrecognised=unrecognised_codes(reading, facts.observations.question.concepts()),
    )


_Read = Callable[[Any, Reading, _Facts], None]


def _read_all(records: Iterable[Record], readers: Mapping[type[Record], _Read], reading: Reading, facts: _Facts) -> int:
    """Read records one by one; how many were about another patient."""
    others = 0
    own = reading.own
    for record in records:
        read = readers.get(type(record))
        if read is None or not isinstance(record, ClinicalRecord):
            continue
        subject = record.subject
        plainly_own = subject is not None and subject.reference == own  # nearly always
        if not plainly_own and not _is_own(record, reading):
            others += 1
            continue
        if record.modifier_extension and _is_left_out(record, reading, on_record=readers is _READERS):
            continue
        try:
            read(record, reading, facts)
        except ArithmeticError:  # numbers of a size that nothing measured has
            reading.leave_out(record, UNREADABLE)
        if reading.before_birth:
            reading.before_birth = False
            reading.leave_out(record, BEFORE_BIRTH)
    return others


def _is_own(record: ClinicalRecord, reading: Reading) -> bool:
    """Whether a record is about the patient, as far as it names its subject."""
    holder = record.subject or record.patient
    return holder is None or reading.references.is_patient(record, holder, reading.patient_id) is not False


def _is_left_out(record: ClinicalRecord, reading: Reading, *, on_record: bool) -> bool:
    """Whether a record is not used because an extension that is not known can change its meaning. It is named.

    What the call is about (`on_record` is False), and intolerances, are read all the same: the doubt is on the side of
    safety.
    """
    if not is_of_no_concern(record, reading):
        reading.not_understood(record, MODIFIED)
    return on_record and not isinstance(record, AllergyIntolerance)


def _observation(resource: Observation, reading: Reading, facts: _Facts) -> None:
    read_observation(resource, reading, facts.observations)


def _condition(resource: Condition, reading: Reading, facts: _Facts) -> None:
    read_condition(resource, reading, facts.conditions)


def _new_condition(resource: Condition, reading: Reading, facts: _Facts) -> None:
    read_condition(resource, reading, facts.new, new=True)


def _medication(resource: MedicationRecord, reading: Reading, facts: _Facts) -> None:
    record = read_medication_record(resource, reading)
    if record is not None:
        facts.records.append(record)


def _procedure(resource: Procedure, reading: Reading, facts: _Facts) -> None:
    procedure = read_procedure(resource, reading)
    if procedure is not None:
        facts.procedures.append(procedure)


def _report(resource: DiagnosticReport, reading: Reading, facts: _Facts) -> None:
    report = read_report(resource, reading)
    if report is None:
        return
    in_words = densities_in_report(resource, ref=report.ref, effective=report.when, reading=reading)
    if not in_words and not resource.contained and any(says_not_done(text) for text in texts_of(resource)):
        reading.leave_out(resource, NOT_DONE)
        return
    facts.procedures.append(report)
    facts.observations.densities.extend(in_words)
    for contained in resource.contained:
        if isinstance(contained, Observation):
            read_observation(_dated(contained, resource), reading, facts.observations, ref=ref_of(resource))


def _dated(result: Observation, report: DiagnosticReport) -> Observation:
    """A result inside a report, with the date of the report where it has none of its own."""
    return replace(
        result,
        effective_date_time=result.effective_date_time or report.effective_date_time,
        effective_period=result.effective_period or report.effective_period,
    )


def _service(resource: ServiceRequest, reading: Reading, facts: _Facts) -> None:
    service = read_service(resource, reading)
    if service is not None:
        facts.services.append(service)


def _family(resource: FamilyMemberHistory, reading: Reading, facts: _Facts) -> None:
    facts.family.extend(read_family(resource, reading))


def _intolerance(resource: AllergyIntolerance, reading: Reading, facts: _Facts) -> None:
    facts.intolerances.extend(read_intolerance(resource, reading))


def _new_intolerance(resource: AllergyIntolerance, reading: Reading, facts: _Facts) -> None:
    facts.new_intolerances.extend(read_intolerance(resource, reading))


def _draft_service(resource: ServiceRequest, reading: Reading, facts: _Facts) -> None:
    service = read_service(resource, reading, draft=True)
    if service is not None:
        facts.services.append(service)


def _draft_readers(selections: frozenset[str] | None, courses: Sequence[Any]) -> Mapping[type[Record], _Read]:
    def draft_medication(resource: MedicationRequest, reading: Reading, facts: _Facts) -> None:
        order = read_draft(resource, courses, selections, reading)
        if order is not None:
            facts.drafts.append(order)

    return {MedicationRequest: draft_medication, ServiceRequest: _draft_service}


_READERS: dict[type[Record], _Read] = {
    Observation: _observation,
    Condition: _condition,
    Procedure: _procedure,
    DiagnosticReport: _report,
    ServiceRequest: _service,
    FamilyMemberHistory: _family,
    AllergyIntolerance: _intolerance,
    **dict.fromkeys(MEDICATION_RECORDS, _medication),
}
"""What reads a record, by its kind; the others are not read."""
_NEW_READERS: dict[type[Record], _Read] = {Condition: _new_condition, AllergyIntolerance: _new_intolerance}


def _with_new(known: Sequence[IntoleranceFact], new: Sequence[IntoleranceFact]) -> tuple[IntoleranceFact, ...]:
    """The intolerances on record and those that are being recorded; one that is sent in both places is the new one."""
    named = {fact.ref for fact in new if is_named(fact.ref)}
    return (*(fact for fact in known if fact.ref not in named), *new)


def _completeness(
    data: ChartInput, reading: Reading
) -> tuple[dict[Source, Availability], frozenset[ObservationCategory]]:
    """How complete the lists are, records that were not understood considered.

    The category of an Observation is one of its members: one that could not be read can be of any.
    """
    availability, categories = dict(data.availability), data.categories
    for source in sources_of(reading.incomplete):
        if availability.get(source) is Availability.PROVIDED:
            availability[source] = Availability.PARTIAL
        if source is Source.OBSERVATIONS:
            categories = frozenset()
    return availability, categories


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
