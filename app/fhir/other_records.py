"""Procedures, relatives, intolerances, orders of examinations and reports: the records with few rules of their own."""

from __future__ import annotations

from functools import cache
from typing import Any

from app.chart import (
    DateRange,
    FamilyFact,
    IntoleranceFact,
    ProcedureFact,
    RequestedService,
    UnusableReason,
    UnusableValue,
)
from app.fhir.conditions.family import family_fact
from app.fhir.medications.product import named_intolerance
from app.fhir.resource import (
    ENTERED_IN_ERROR,
    IN_FUTURE,
    NOT_CURRENT,
    NOT_DONE,
    NOT_UNDERSTOOD,
    REFUTED,
    SENSE_REASONS,
    STATUS,
    Reading,
    coded_status,
    ref_of,
    status_of,
    verification_of,
)
from app.terminology.code_sets import TextPattern, terminology
from app.terminology.codeable_concept import name_of, words
from app.terminology.codes import Match, concepts_below, named_condition, named_procedure, tells_nothing
from app.terminology.density_words import says_not_done
from app.terminology.drug_classes import classes_of, route_of, with_members
from app.terminology.word_lists import Sense
from app.wire.conditions import AllergyIntolerance, FamilyMemberHistory
from app.wire.elements import CodeableConcept
from app.wire.observations import DiagnosticReport
from app.wire.procedures import Procedure, ServiceRequest
from app.wire.record import Record

DXA = "dxa_report"
_SHOWN = 60


def read_procedure(resource: Procedure, reading: Reading) -> ProcedureFact | None:
    """A procedure that was done, or is planned (status preparation)."""
    status = status_of(resource.status)
    if status in {"not-done", ENTERED_IN_ERROR, "stopped", "unknown"}:
        reasons = {"not-done": NOT_DONE, ENTERED_IN_ERROR: ENTERED_IN_ERROR}
        reading.leave_out(resource, reasons.get(status, STATUS))
        return None
    found = reading.recall(named_procedure, resource.code)
    concepts = with_dxa(found.concepts)
    if not concepts:
        if tells_nothing(resource.code):
            reading.not_understood(resource, NOT_UNDERSTOOD)
        _note_words(resource, found, reading)
        return None
    if DXA in concepts and found.text and says_not_done(found.text):
        reading.leave_out(resource, NOT_DONE)
        return None
    when = _performed(resource, reading)
    if status != "preparation" and when is not None and reading.is_future(when):
        reading.leave_out(resource, IN_FUTURE)
        return None
    return ProcedureFact(
        ref=ref_of(resource),
        concepts=concepts,
        when=when,
        planned=status == "preparation",
        body_site=", ".join(filter(None, map(name_of, resource.body_site))) or None,
        matched_by_text=found.by_text,
    )


def _note_words(resource: Record, found: Match, reading: Reading) -> None:
    """Note a record whose words mean that nothing was done, or were not understood."""
    examined = with_dxa(found.unclear) & {DXA}
    if examined:  # it can have been done: whether it was is not known
        reading.unusable.append(
            UnusableValue(ref_of(resource), examined, UnusableReason.TEXT_NOT_UNDERSTOOD, found.text[:_SHOWN])
        )
    elif found.unclear:
        reading.leave_out(resource, NOT_UNDERSTOOD)
    elif found.named and found.sense in SENSE_REASONS:
        reading.leave_out(resource, SENSE_REASONS[found.sense])


def _performed(resource: Procedure, reading: Reading) -> DateRange | None:
    for when in (resource.performed_date_time, resource.occurrence_date_time):
        if when is not None:
            return reading.date(when)
    period = resource.performed_period or resource.occurrence_period
    return None if period is None else reading.date(period.end) or reading.date(period.start)


def with_dxa(concepts: frozenset[str]) -> frozenset[str]:
    """Every densitometry code names a DXA, whatever it measures."""
    return concepts | {DXA} if any(concept.startswith("dxa_") for concept in concepts) else concepts


def read_report(resource: DiagnosticReport, reading: Reading) -> ProcedureFact | None:
    """A DiagnosticReport of a bone density examination: a DXA that was done."""
    status = status_of(resource.status)
    if status in {"registered", "cancelled", "unknown", ENTERED_IN_ERROR}:
        reading.leave_out(resource, ENTERED_IN_ERROR if status == ENTERED_IN_ERROR else STATUS)
        return None
    found = reading.recall(named_procedure, resource.code)
    concepts = with_dxa(found.concepts)
    if DXA not in concepts:
        _note_words(resource, found, reading)
        return None
    if found.text and says_not_done(found.text):
        reading.leave_out(resource, NOT_DONE)
        return None
    period = resource.effective_period
    end = reading.date(period.end or period.start) if period is not None else None
    when = reading.date(resource.effective_date_time) or end or reading.date(resource.issued)
    if when is not None and reading.is_future(when):
        reading.leave_out(resource, IN_FUTURE)
        return None
    return ProcedureFact(
        ref=ref_of(resource),
        concepts=concepts,
        when=when,
        matched_by_text=found.by_text,
    )


def read_service(resource: ServiceRequest, reading: Reading, *, draft: bool = False) -> RequestedService | None:
    """An examination that is ordered and not yet done. `draft`: it is in the order basket of the hook."""
    status = status_of(resource.status)
    if resource.do_not_perform is True or status_of(resource.intent) == "proposal":
        reading.leave_out(resource, NOT_DONE)
        return None
    if status not in {"active", "on-hold", "draft"} and not (draft and not status):
        reading.leave_out(resource, ENTERED_IN_ERROR if status == ENTERED_IN_ERROR else NOT_CURRENT)
        return None
    code = None if resource.code is None else resource.code.named
    found = reading.recall(named_procedure, code)
    concepts = with_dxa(found.concepts)
    codes = frozenset(
        (coding.system.strip(), coding.code.strip())
        for coding in (code.coding if code is not None else ())
        if coding.system is not None and coding.code is not None
    )
    if not concepts and not codes:
        return None
    return RequestedService(
        ref=ref_of(resource),
        concepts=concepts,
        authored=reading.date(resource.authored_on),
        draft=draft,
        codes=codes,
        matched_by_text=found.by_text,
    )


def read_family(resource: FamilyMemberHistory, reading: Reading) -> list[FamilyFact]:
    """The conditions of one relative."""
    status = status_of(resource.status)
    if status in {ENTERED_IN_ERROR, "health-unknown"}:
        reading.leave_out(resource, ENTERED_IN_ERROR if status == ENTERED_IN_ERROR else STATUS)
        return []
    relationship = resource.relationship
    parent = is_parent(relationship)
    facts = []
    for condition in resource.condition:
        found = reading.recall(named_condition, condition.code)
        fact = family_fact(ref_of(resource), found, name_of(relationship) or None, parent)
        if fact is None:
            _note_words(resource, found, reading)
            continue
        facts.append(fact)
    return facts


def is_parent(relationship: CodeableConcept | None) -> bool | None:
    """Whether a relationship is mother, father or parent; None where it is not recorded."""
    table = _relatives()
    codes = [(coding.code or "").strip() for coding in (relationship.coding if relationship is not None else ())]
    if any(code in table["parent_codes"] for code in codes):
        return True
    texts = [text.strip().lower() for text in words(relationship).split(" | ") if text.strip()]
    if any(_parent_text().found_in(text) for text in texts):
        return True
    return False if any(codes) or texts else None


@cache
def _relatives() -> dict[str, Any]:
    table = terminology().raw["text-patterns"]["relatives"]
    return {"parent_codes": frozenset(table["parent_codes"]), "parent_text": table["parent_text"]}


@cache
def _parent_text() -> TextPattern:
    return TextPattern(_relatives()["parent_text"])


def _of_groups(concept: CodeableConcept | None) -> frozenset[str]:
    """The drugs of the ATC groups that an allergy names: it holds for every member (decision 54)."""
    groups = [concepts_below(coding.system or "", coding.code or "") for coding in (concept.coding if concept else ())]
    return frozenset().union(*groups)


def read_intolerance(resource: AllergyIntolerance, reading: Reading) -> list[IntoleranceFact]:
    """The drugs that one AllergyIntolerance names. Unconfirmed ones count: the doubt is on the side of safety."""
    verification = verification_of(resource.verification_status)
    if verification in {ENTERED_IN_ERROR, REFUTED}:
        reading.leave_out(resource, verification)
        return []
    if coded_status(resource.clinical_status) in {"inactive", "resolved"}:
        reading.leave_out(resource, NOT_CURRENT)
        return []
    found = reading.recall(named_intolerance, resource.code or resource.substance)
    reactions = resource.reaction
    # a text that is not wholly understood counts too: the doubt is on the side of safety
    drugs = set(found.concepts | (found.unclear if found.sense is not Sense.DENIED else frozenset()))
    for reaction in reactions:
        drugs |= named_intolerance(reaction.substance).concepts
    drugs |= _of_groups(resource.code or resource.substance)
    if not drugs:
        if tells_nothing(resource.code or resource.substance) and all(
            tells_nothing(reaction.substance) for reaction in reactions
        ):
            reading.not_understood(resource, NOT_UNDERSTOOD)
        return []
    drugs = set(with_members(frozenset(drugs)))
    manifestations = [entry.named for reaction in reactions for entry in reaction.manifestation]
    concepts: frozenset[str] = frozenset().union(
        *(reading.recall(named_condition, entry).concepts for entry in manifestations), frozenset()
    )
    named = [name_of(entry) for entry in manifestations] + [reaction.description or "" for reaction in reactions]
    route = next((r for r in (route_of(entry.exposure_route, found.text) for entry in reactions) if r), None)
    route = route or route_of(None, found.text)
    return [
        IntoleranceFact(
            ref=ref_of(resource),
            drugs=frozenset(drugs) | classes_of(frozenset(drugs), route=route),
            reaction=", ".join(dict.fromkeys(text for text in named if text)) or None,
            reaction_concepts=concepts,
            recorded=reading.date(resource.recorded_date or resource.asserted_date),
            route=route,
        )
    ]
