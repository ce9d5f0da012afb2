"""Observations: measurements, scores, answers and findings."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.chart import (
    ConditionFact,
    DensityFact,
    DensityKind,
    DensitySite,
    FractureFact,
    ObservationFact,
    Presence,
    Recorded,
    UnusableValue,
)
from app.fhir.conditions.fractures import read_fracture
from app.fhir.observations.absent import absent_value
from app.fhir.observations.densities import read_density, text_of
from app.fhir.observations.lazy import lazy_result
from app.fhir.observations.values import Limits, Question, question_of, read_values, when
from app.fhir.remembered import Remembered
from app.fhir.resource import (
    ENTERED_IN_ERROR,
    IN_FUTURE,
    NO_SITE,
    NOT_DONE,
    NOT_THE_VALUE,
    OTHER_FOCUS,
    STATUS,
    Reading,
    ref_of,
    status_of,
)
from app.terminology.codeable_concept import words
from app.terminology.density_words import NO_DENSITY, DensityWords, Standing, density_in_words, says_not_done
from app.wire.conditions import Condition
from app.wire.elements import CodeableConcept
from app.wire.observations import Observation, Result

_COUNTING = frozenset({"final", "amended", "corrected", "preliminary", ""})


@dataclass(slots=True)
class ObservationFacts:
    """The facts of Observations, and what repeats in them: questions, and limits of normal ranges as written."""

    observations: list[Recorded] = field(default_factory=list)
    densities: list[DensityFact] = field(default_factory=list)
    conditions: list[ConditionFact] = field(default_factory=list)
    fractures: list[FractureFact] = field(default_factory=list)
    question: Remembered[Question | None] = field(default_factory=lambda: Remembered(question_of))
    limits: Limits = field(default_factory=dict)


def read_observation(resource: Observation, reading: Reading, facts: ObservationFacts, ref: str = "") -> None:
    """Add the facts of one Observation, its components included. `ref`: of the containing record, if contained."""
    status = resource.status
    if status != "final" and (status := status_of(status)) not in _COUNTING:
        reading.leave_out(resource, ENTERED_IN_ERROR if status == ENTERED_IN_ERROR else STATUS)
        return
    preliminary = status == "preliminary"
    if resource.focus and not _about_patient(resource, reading):
        reading.leave_out(resource, OTHER_FOCUS)
        return
    asked = facts.question(resource.code)
    if asked is None:
        if not resource.component:  # most of a chart: nothing else of it is looked at
            return
    elif not ref:
        unread = lazy_result(resource, asked, reading, facts.limits, preliminary=preliminary)
        if unread is not None:
            facts.observations.append(unread)
            return
    parts: list[tuple[Result, Question]] = [] if asked is None else [(resource, asked)]
    for component in resource.component:
        also_asked = facts.question(component.code)
        if also_asked is not None:
            parts.append((component, also_asked))
    if not parts:
        return
    ref = ref or ref_of(resource)
    effective, order = when(resource, reading)
    if effective is not None and reading.is_future(effective):
        reading.leave_out(resource, IN_FUTURE)
        return
    whole = reading.recall(_words_of_whole, resource.code) if resource.component else NO_DENSITY
    site_of_whole = whole.site
    if asked is not None and asked.density is not None and asked.density[1] is not DensitySite.UNKNOWN:
        site_of_whole = asked.density[1]
    for part, question in parts:
        found = question.found
        if part.data_absent_reason is not None:
            _note_absent(part, question, ref, reading)
            continue
        if question.density is not None:
            refused = question.refused
            if refused is None and whole.standing is Standing.NOT_THE_VALUE:
                refused = NOT_THE_VALUE
            if refused is not None:
                reading.leave_out(resource, refused)
                continue
            density = read_density(
                question.density,
                found,
                part,
                resource,
                site_of_whole=site_of_whole if part is not resource else None,
                ref=ref,
                effective=effective,
                preliminary=preliminary,
                reading=reading,
            )
            if density is not None:
                facts.densities.append(density)
                if density.site is DensitySite.UNKNOWN and not found.meanings and density.kind is not DensityKind.BMD:
                    reading.leave_out(resource, NO_SITE)
                continue
        if question.is_dxa and says_not_done(text_of(part) or found.text):
            reading.leave_out(resource, NOT_DONE)
            continue
        if found.concepts:
            fact = read_values(part, resource, question, ref, effective, order, preliminary, reading, facts.limits)
            if fact is not None:
                facts.observations.append(fact)
                if fact.boolean is True:
                    facts.conditions.append(_as_condition(fact))
                    fracture = _as_fracture(part, resource, question, fact, reading)
                    if fracture is not None:
                        facts.fractures.append(fracture)


def _about_patient(resource: Observation, reading: Reading) -> bool:
    """Whether the focus of an Observation is the patient: else it is a child, a tooth, a device."""
    is_patient = reading.references.is_patient
    return all(is_patient(resource, focus, reading.patient_id) for focus in resource.focus)


def _note_absent(part: Result, question: Question, ref: str, reading: Reading) -> None:
    """A value marked as absent. A value given all the same contradicts that, and is not used."""
    refused = absent_value(part)
    if refused is not None:
        reading.unusable.append(UnusableValue(ref, question.concepts, *refused))


def _words_of_whole(code: CodeableConcept | None) -> DensityWords:
    """The meaning of an Observation's words for its components. For `Reading.recall`."""
    text = words(code)
    return density_in_words(text) if text else NO_DENSITY


def _as_fracture(
    part: Result, whole: Observation, question: Question, fact: ObservationFact, reading: Reading
) -> FractureFact | None:
    """A fracture that an Observation states. Its date is that of the statement, as for a Condition without onset."""
    if not question.is_finding:
        return None
    body_site = part.body_site or whole.body_site
    stated = Condition(code=part.code, body_site=(body_site,) if body_site is not None else ())
    return read_fracture(stated, question.found, reading, ref=fact.ref, when=fact.effective, suspected=False)


def _as_condition(fact: ObservationFact) -> ConditionFact:
    """A finding that was looked for and is there, as a condition too."""
    return ConditionFact(
        ref=fact.ref,
        concepts=fact.concepts,
        presence=Presence.PRESENT,
        onset=None,
        recorded=fact.effective,
        body_site=fact.body_site,
        matched_by_text=fact.matched_by_text,
    )
