"""Records that lack members which could not be read: which of them are named, and which lists are incomplete for it.

Decision 56: what came and was not understood never counts as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from app.chart import Source
from app.fhir.medications.product import drug_match, product_of
from app.fhir.observations.values import question_of
from app.fhir.resource import MEMBERS_UNREADABLE, Reading
from app.terminology.codes import named_condition, named_procedure
from app.wire.conditions import AllergyIntolerance, Condition, FamilyMemberHistory
from app.wire.medications import (
    MedicationAdministration,
    MedicationDispense,
    MedicationRecord,
    MedicationRequest,
    MedicationStatement,
)
from app.wire.observations import DiagnosticReport, Observation
from app.wire.procedures import Procedure, ServiceRequest
from app.wire.record import Record
from app.wire.resources import Damaged

_SOURCES: dict[type[Record], Source] = {
    Observation: Source.OBSERVATIONS,
    MedicationStatement: Source.MEDICATIONS,
    MedicationRequest: Source.MEDICATION_REQUESTS,
    MedicationDispense: Source.MEDICATION_REQUESTS,
    MedicationAdministration: Source.MEDICATION_ADMINISTRATIONS,
    Condition: Source.CONDITIONS,
    Procedure: Source.PROCEDURES,
    FamilyMemberHistory: Source.FAMILY_HISTORY,
    AllergyIntolerance: Source.ALLERGIES,
    DiagnosticReport: Source.DIAGNOSTIC_REPORTS,
    ServiceRequest: Source.SERVICE_REQUESTS,
}
_WHAT_IT_IS = ("code", "component", "medication", "contained", "ingredient", "condition", "reaction")
"""Members that tell what a record is about."""


_WHETHER_IT_COUNTS = frozenset(
    {
        "status",
        "subject",
        "patient",
        "intent",
        "doNotPerform",
        "notGiven",
        "taken",
        "adherence",
        "verificationStatus",
        "modifierExtension",
    }
)
"""Members that tell whether a record counts, and for whom."""


def without_undecided(records: Sequence[Record], damaged: Sequence[Damaged]) -> Sequence[Record]:
    """The records without those of which it cannot be read whether they count.

    An intolerance whose verification cannot be read stays: the doubt is on the side of safety.
    """
    undecided = {id(item.record) for item in damaged if _is_undecided(item)}
    return [record for record in records if id(record) not in undecided] if undecided else records


def _is_undecided(item: Damaged) -> bool:
    deciding = {member.partition(".")[0] for member in item.members} & _WHETHER_IT_COUNTS
    return bool(deciding - ({"verificationStatus"} if isinstance(item.record, AllergyIntolerance) else set()))


def incomplete_for(damaged: Iterable[Damaged], reading: Reading) -> Iterator[Source]:
    """The kinds of records whose lists are incomplete; names each record with what of it could not be read.

    A record that is certainly about nothing that matters here is left alone: what it lacks answers no question.
    """
    for item in damaged:
        record = item.record
        if record is None or _is_of_no_concern(record, item.members, reading):
            continue
        reading.leave_out(record, f"{MEMBERS_UNREADABLE}: {', '.join(item.members)}")
        if (source := _SOURCES.get(type(record))) is not None:
            yield source


def _is_of_no_concern(record: Record, members: tuple[str, ...], reading: Reading) -> bool:
    """Whether a record says what it is about, and that is nothing known here."""
    if any(member.startswith(_WHAT_IT_IS) for member in members):
        return False
    match record:
        case Observation():
            return not record.component and reading.recall(question_of, record.code) is None
        case Condition():
            return not reading.recall(named_condition, record.code).concepts
        case Procedure() | DiagnosticReport():
            return not reading.recall(named_procedure, record.code).concepts
        case MedicationRecord():
            return not product_of(record, reading).found.concepts
        case AllergyIntolerance():
            return not record.reaction and not drug_match(record.code).concepts
        case _:
            return False
