"""Conditions: diagnoses and problems, present, past or only suspected."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.chart import ConditionFact, DateRange, FamilyFact, FractureFact, Presence
from app.dates import earliest
from app.fhir.conditions.family import family_fact
from app.fhir.conditions.fractures import read_fracture
from app.fhir.dates import age_to_dates
from app.fhir.resource import (
    DATE_IN_FUTURE,
    ENTERED_IN_ERROR,
    NOT_UNDERSTOOD,
    ONSET_NOT_READ,
    REFUTED,
    SENSE_REASONS,
    Reading,
    coded_status,
    ref_of,
    verification_of,
)
from app.terminology.codeable_concept import name_of
from app.terminology.codes import Match, named_condition, tells_nothing
from app.terminology.relatives import parent_in_words
from app.terminology.word_lists import Sense
from app.wire.conditions import Condition

_SUSPECTED = frozenset({"unconfirmed", "provisional", "differential"})
_PRESENT = frozenset({"active", "recurrence", "relapse"})
_PAST = frozenset({"inactive", "remission", "resolved"})


@dataclass(slots=True)
class ConditionFacts:
    """The facts of the Conditions."""

    conditions: list[ConditionFact] = field(default_factory=list)
    fractures: list[FractureFact] = field(default_factory=list)
    family: list[FamilyFact] = field(default_factory=list)
    high_energy_days: set[DateRange] = field(default_factory=set)  # external causes recorded apart


def read_condition(resource: Condition, reading: Reading, facts: ConditionFacts, *, new: bool = False) -> None:
    """Add the facts of one Condition. `new`: it is one of those that the hook is about."""
    verification = verification_of(resource.verification_status)
    if verification in {ENTERED_IN_ERROR, REFUTED}:
        reading.leave_out(resource, verification)
        return
    found = reading.recall(named_condition, resource.code)
    if not found.concepts:
        _note_words(resource, found, reading, facts)
        return
    onset, ended = _onset(resource, reading), _end(resource, reading)
    if onset is None and (resource.onset_string or resource.onset_age or resource.onset_range):
        reading.leave_out(resource, ONSET_NOT_READ)
    recorded = None  # no onset where the record tells one that cannot be read (decision 57)
    if onset is not None or not _tells_onset(resource):
        recorded = _not_ahead(reading.date(resource.recorded_date or resource.asserted_date), resource, reading)
    presence = _presence(verification, coded_status(resource.clinical_status), _has_ended(resource), found.history)
    if found.sense is Sense.SUSPECTED:
        presence = Presence.SUSPECTED
    facts.conditions.append(
        ConditionFact(
            ref=ref_of(resource),
            concepts=found.concepts,
            presence=presence,
            onset=onset,
            recorded=recorded,
            ended=ended,
            body_site=", ".join(filter(None, map(name_of, resource.body_site))) or None,
            matched_by_text=found.by_text,
        )
    )
    if "high_energy_trauma" in found.concepts and presence is not Presence.SUSPECTED:
        day = onset or recorded
        if day is not None and day.exact:
            facts.high_energy_days.add(day)
    # A "history of" code of a fracture is often entered with the day of the entry as its onset: no date of the event.
    fracture = read_fracture(
        resource,
        found,
        reading,
        ref=ref_of(resource),
        when=None if found.history else onset or recorded,
        suspected=presence is Presence.SUSPECTED,
        new=new,
    )
    if fracture is not None:
        facts.fractures.append(fracture)


def _note_words(resource: Condition, found: Match, reading: Reading, facts: ConditionFacts) -> None:
    """Note a Condition whose words are no fact: understood and saying so, or not understood (decisions 56 and 62)."""
    if tells_nothing(resource.code):
        reading.not_understood(resource, NOT_UNDERSTOOD)
    elif found.unclear:
        reading.leave_out(resource, NOT_UNDERSTOOD)
        facts.conditions.append(
            ConditionFact(ref_of(resource), found.unclear, presence=Presence.UNCLEAR, matched_by_text=True)
        )
    elif found.named and found.sense in SENSE_REASONS:
        if found.sense is Sense.FAMILY:  # a fact about a relative, and none about the patient
            fact = family_fact(ref_of(resource), found, None, parent_in_words(found.text))
            facts.family.extend([fact] if fact is not None else [])
        reading.leave_out(resource, SENSE_REASONS[found.sense])


def _presence(verification: str, clinical: str, ended: bool, history: bool) -> Presence:
    if verification in _SUSPECTED:
        return Presence.SUSPECTED
    if history or clinical in _PAST:
        return Presence.PAST
    if clinical in _PRESENT:
        return Presence.PRESENT
    return Presence.PAST if ended else Presence.UNKNOWN


def _onset(resource: Condition, reading: Reading) -> DateRange | None:
    period = resource.onset_period
    return _not_ahead(
        reading.date(resource.onset_date_time)
        or (reading.date(period.start) if period is not None else None)
        or age_to_dates(reading.birth, resource.onset_age)
        or _between_ages(resource, reading)
        or reading.date(resource.onset_string),
        resource,
        reading,
    )


def _between_ages(resource: Condition, reading: Reading) -> DateRange | None:
    ages = resource.onset_range
    first = age_to_dates(reading.birth, ages.low) if ages is not None else None
    last = age_to_dates(reading.birth, ages.high) if ages is not None else None
    return DateRange(first.earliest, last.latest) if first and last and first.earliest <= last.latest else None


def _tells_onset(resource: Condition) -> bool:
    """Whether any onset[x] gives its beginning, readable or not."""
    said = (resource.onset_date_time, resource.onset_string)
    other = (resource.onset_period, resource.onset_age, resource.onset_range)
    return any(text and text.strip() for text in said) or any(value is not None for value in other)


def _not_ahead(when: DateRange | None, resource: Condition, reading: Reading) -> DateRange | None:
    """A date that can be: the diagnosis of a record dated in the future stands, its date is named and not used."""
    if when is None or not reading.is_future(when):
        return when
    reading.leave_out(resource, DATE_IN_FUTURE)
    return None


def _end(resource: Condition, reading: Reading) -> DateRange | None:
    period = resource.abatement_period
    if period is not None:
        return earliest(reading.date(period.start), reading.date(period.end))
    return reading.date(resource.abatement_date_time) or age_to_dates(reading.birth, resource.abatement_age)


def _has_ended(resource: Condition) -> bool:
    """Whether any abatement[x] marks it as over, with a date or without."""
    return (
        resource.abatement_boolean is True
        or bool(resource.abatement_date_time or resource.abatement_string)
        or any((resource.abatement_age, resource.abatement_period, resource.abatement_range))
    )
