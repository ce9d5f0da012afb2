"""Records that lack members which could not be read: which of them are named, and which lists are incomplete for it.

Decision 56: what came and was not understood never counts as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.chart import SOURCES_BY_TYPE, Source
from app.fhir.medications.product import drug_match, is_coded, product_of
from app.fhir.observations.values import question_of
from app.fhir.resource import MEMBERS_UNREADABLE, Reading
from app.terminology.codes import Match, named_condition, named_procedure
from app.wire.conditions import AllergyIntolerance, Condition
from app.wire.medications import (
    MedicationDispense,
    MedicationRecord,
)
from app.wire.observations import DiagnosticReport, Observation
from app.wire.procedures import Procedure
from app.wire.record import Record
from app.wire.resources import Damaged

_SOURCES: dict[str, Source] = {**SOURCES_BY_TYPE, MedicationDispense.__name__: Source.MEDICATION_REQUESTS}
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


def note_damage(damaged: Iterable[Damaged], reading: Reading) -> None:
    """Name each record that lacks members with what of it could not be read.

    A record that is certainly about nothing that matters here is left alone: what it lacks answers no question.
    """
    for item in damaged:
        record = item.record
        if record is not None and not is_of_no_concern(record, reading, item.members):
            reading.not_understood(record, f"{MEMBERS_UNREADABLE}: {', '.join(item.members)}")


def sources_of(kinds: Iterable[type[Record]]) -> set[Source]:
    """The lists in which records of these kinds come."""
    return {_SOURCES[kind.__name__] for kind in kinds if kind.__name__ in _SOURCES}


def is_of_no_concern(record: Record, reading: Reading, members: Sequence[str] = ()) -> bool:
    """Whether a record names its topic, and that is nothing known here. `members`: what it lacks."""
    if any(member.startswith(_WHAT_IT_IS) for member in members):
        return False
    match record:
        case Observation():
            return not record.component and reading.recall(question_of, record.code) is None
        case Condition():
            return _names_nothing(reading.recall(named_condition, record.code))
        case Procedure() | DiagnosticReport():
            return _names_nothing(reading.recall(named_procedure, record.code))
        case MedicationRecord():
            found = product_of(record, reading).found
            return _names_nothing(found) and (bool(found.text) or is_coded(record, reading))
        case AllergyIntolerance():
            return not record.reaction and _names_nothing(drug_match(record.code))
        case _:
            return False


def _names_nothing(found: Match) -> bool:
    """Whether neither a code nor words name anything that matters here."""
    return not (found.concepts or found.unclear or found.named)
