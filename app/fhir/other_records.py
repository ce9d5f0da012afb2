"""Procedures, relatives, intolerances, orders of examinations and reports: the records with few rules of their own."""

from __future__ import annotations

from functools import cache
from typing import Any

from app.chart import (
    DateRange,
    FamilyFact,
    FractureSite,
    IntoleranceFact,
    ProcedureFact,
    RequestedService,
)
from app.fhir.conditions.fractures import fracture_site
from app.fhir.medications.product import drug_match
from app.fhir.resource import (
    ENTERED_IN_ERROR,
    NOT_CURRENT,
    NOT_DONE,
    REFUTED,
    STATUS,
    Reading,
    Resource,
    coded_status,
    ref_of,
    status_of,
)
from app.terminology.body_sites import fracture_site_in
from app.terminology.code_sets import TextPattern, terminology
from app.terminology.codeable_concept import codings, name_of, objects, words
from app.terminology.codes import named_condition, named_procedure
from app.terminology.drug_classes import classes_of, route_of

DXA = "dxa_report"


def read_procedure(resource: Resource, reading: Reading) -> ProcedureFact | None:
    """A procedure that was done, or is planned (status preparation)."""
    status = status_of(resource)
    if status in {"not-done", ENTERED_IN_ERROR, "stopped", "unknown"}:
        reasons = {"not-done": NOT_DONE, ENTERED_IN_ERROR: ENTERED_IN_ERROR}
        reading.leave_out(resource, reasons.get(status, STATUS))
        return None
    found = reading.recall(named_procedure, resource.get("code"))
    concepts = with_dxa(found.concepts)
    if not concepts:
        return None
    return ProcedureFact(
        ref=ref_of(resource),
        concepts=concepts,
        when=_performed(resource, reading),
        planned=status == "preparation",
        body_site=_sites(resource) or None,
        matched_by_text=found.by_text,
    )


def _performed(resource: Resource, reading: Reading) -> DateRange | None:
    for key in ("performedDateTime", "occurrenceDateTime"):  # R4, R5
        if resource.get(key) is not None:
            return reading.date(resource[key])
    for key in ("performedPeriod", "occurrencePeriod"):
        period = resource.get(key)
        if isinstance(period, dict):
            return reading.date(period.get("end")) or reading.date(period.get("start"))
    return None


def _sites(resource: Resource) -> str:
    return ", ".join(filter(None, (name_of(site) for site in objects(resource.get("bodySite")))))


def with_dxa(concepts: frozenset[str]) -> frozenset[str]:
    """Every densitometry code names a DXA, whatever it measures."""
    return concepts | {DXA} if any(concept.startswith("dxa_") for concept in concepts) else concepts


def read_report(resource: Resource, reading: Reading) -> ProcedureFact | None:
    """A DiagnosticReport of a bone density examination: a DXA that was done."""
    status = status_of(resource)
    if status in {"registered", "cancelled", "unknown", ENTERED_IN_ERROR}:
        reading.leave_out(resource, ENTERED_IN_ERROR if status == ENTERED_IN_ERROR else STATUS)
        return None
    found = reading.recall(named_procedure, resource.get("code"))
    concepts = with_dxa(found.concepts)
    if DXA not in concepts:
        return None
    period = resource.get("effectivePeriod")
    end = reading.date(period.get("end") or period.get("start")) if isinstance(period, dict) else None
    return ProcedureFact(
        ref=ref_of(resource),
        concepts=concepts,
        when=reading.date(resource.get("effectiveDateTime")) or end or reading.date(resource.get("issued")),
        matched_by_text=found.by_text,
    )


def read_service(resource: Resource, reading: Reading, *, draft: bool = False) -> RequestedService | None:
    """An examination that is ordered and not yet done. `draft`: it stands in the order basket of the hook."""
    status = status_of(resource)
    if resource.get("doNotPerform") is True or status_of(resource, "intent") == "proposal":
        reading.leave_out(resource, NOT_DONE)
        return None
    if status not in {"active", "on-hold", "draft"} and not (draft and not status):
        reading.leave_out(resource, ENTERED_IN_ERROR if status == ENTERED_IN_ERROR else NOT_CURRENT)
        return None
    code = resource.get("code")
    if isinstance(code, dict) and isinstance(code.get("concept"), dict):  # R5 CodeableReference
        code = code["concept"]
    found = reading.recall(named_procedure, code)
    concepts = with_dxa(found.concepts)
    codes = frozenset(
        (coding["system"].strip(), coding["code"].strip())
        for coding in codings(code)
        if isinstance(coding.get("system"), str) and isinstance(coding.get("code"), str)
    )
    if not concepts and not codes:
        return None
    return RequestedService(
        ref=ref_of(resource),
        concepts=concepts,
        authored=reading.date(resource.get("authoredOn")),
        draft=draft,
        codes=codes,
        matched_by_text=found.by_text,
    )


def read_family(resource: Resource, reading: Reading) -> list[FamilyFact]:
    """The conditions of one relative."""
    status = status_of(resource)
    if status in {ENTERED_IN_ERROR, "health-unknown"}:
        reading.leave_out(resource, ENTERED_IN_ERROR if status == ENTERED_IN_ERROR else STATUS)
        return []
    relationship = resource.get("relationship")
    parent = is_parent(relationship)
    facts = []
    for condition in objects(resource.get("condition")):
        found = reading.recall(named_condition, condition.get("code"))
        if not found.concepts:
            continue
        site = fracture_site(found)
        if site in {FractureSite.UNKNOWN, FractureSite.OTHER}:
            site = fracture_site_in(found.text) or site
        facts.append(
            FamilyFact(
                ref=ref_of(resource),
                concepts=found.concepts,
                relationship=name_of(relationship) or None,
                parent=parent,
                fracture_site=site,
            )
        )
    return facts


def is_parent(relationship: object) -> bool | None:
    """Whether a relationship is mother, father or parent; None where it is not told."""
    table = _relatives()
    codes = [str(coding.get("code") or "").strip() for coding in codings(relationship)]
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


def read_intolerance(resource: Resource, reading: Reading) -> list[IntoleranceFact]:
    """The drugs that one AllergyIntolerance names. Unconfirmed ones count: the doubt is on the side of safety."""
    verification = coded_status(resource, "verificationStatus")
    if verification in {ENTERED_IN_ERROR, REFUTED}:
        reading.leave_out(resource, verification)
        return []
    if coded_status(resource, "clinicalStatus") in {"inactive", "resolved"}:
        reading.leave_out(resource, NOT_CURRENT)
        return []
    found = drug_match(resource.get("code") or resource.get("substance"))  # DSTU2 has the substance
    reactions = list(objects(resource.get("reaction")))
    drugs = set(found.concepts)
    for reaction in reactions:
        drugs |= drug_match(reaction.get("substance")).concepts
    if not drugs:
        return []
    manifestations = [entry for reaction in reactions for entry in objects(reaction.get("manifestation"))]
    manifestations = [entry["concept"] if isinstance(entry.get("concept"), dict) else entry for entry in manifestations]
    concepts: frozenset[str] = frozenset().union(
        *(reading.recall(named_condition, entry).concepts for entry in manifestations), frozenset()
    )
    named = [name_of(entry) for entry in manifestations] + [str(r.get("description") or "") for r in reactions]
    route = next((r for r in (route_of(entry.get("exposureRoute"), found.text) for entry in reactions) if r), None)
    route = route or route_of(None, found.text)
    return [
        IntoleranceFact(
            ref=ref_of(resource),
            drugs=frozenset(drugs) | classes_of(frozenset(drugs), route=route),
            reaction=", ".join(dict.fromkeys(text for text in named if text)) or None,
            reaction_concepts=concepts,
            recorded=reading.date(resource.get("recordedDate") or resource.get("assertedDate")),
            route=route,
        )
    ]
