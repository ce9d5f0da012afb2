"""What every kind of record needs: its reference, its notes of what was set aside, and the settings of the reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from app.chart import UNNAMED, UNREADABLE, DateRange, SetAside, UnusableValue
from app.fhir.dates import read_moment, seconds_of
from app.fhir.references import References, kind_and_id
from app.fhir.remembered import Remembered
from app.terminology.word_lists import Sense
from app.wire.elements import CodeableConcept, Reference
from app.wire.record import Record

T = TypeVar("T")

ENTERED_IN_ERROR = "entered-in-error"
REFUTED = "refuted"
OTHER_PATIENT = "other patient"
STATUS = "status does not count"
NOT_DONE = "not done"
NOT_CURRENT = "no longer current"
NOT_R4 = "not R4"
NOT_RECOGNISED = "drug not recognised"
NOT_UNDERSTOOD = "text not understood"
NOT_IDENTIFIED = "drug could not be identified"
DENIED_IN_WORDS = "denied in words"
ABOUT_RELATIVE = "about a relative"
NOT_YET = "planned or asked for, not done"
SOMETHING_ELSE = "words mean something else"
IN_FUTURE = "dated in the future"
BEFORE_BIRTH = "date before birth"
DATE_IN_FUTURE = "date in the future"
ONSET_NOT_READ = "onset not readable"
"""As with a date before birth: the record is used, without this date."""
"""The record is used, without this date: it is a filler, or a mistake."""
MODIFIED = "modified by an extension that is not known"
OTHER_FOCUS = "about somebody or something else"
NOT_THE_VALUE = "of an earlier examination, or a difference"
NO_SITE = "site of the score not named"
MEMBERS_UNREADABLE = "members not readable"
"""Followed by the paths of these members."""
REASONS = frozenset(
    {
        ENTERED_IN_ERROR,
        REFUTED,
        UNREADABLE,
        OTHER_PATIENT,
        STATUS,
        NOT_DONE,
        NOT_CURRENT,
        NOT_R4,
        NOT_RECOGNISED,
        NOT_UNDERSTOOD,
        NOT_IDENTIFIED,
        DENIED_IN_WORDS,
        ABOUT_RELATIVE,
        NOT_YET,
        SOMETHING_ELSE,
        IN_FUTURE,
        BEFORE_BIRTH,
        DATE_IN_FUTURE,
        ONSET_NOT_READ,
        MODIFIED,
        OTHER_FOCUS,
        NOT_THE_VALUE,
        NO_SITE,
        MEMBERS_UNREADABLE,
    }
)
"""Every reason of a SetAside that reading gives."""
SENSE_REASONS = {
    Sense.DENIED: DENIED_IN_WORDS,
    Sense.FAMILY: ABOUT_RELATIVE,
    Sense.PLANNED: NOT_YET,
    Sense.OTHER: SOMETHING_ELSE,
}
"""Why a record is no fact about the patient, by how its words qualify the names in them (decisions 58 and 62)."""

_PLAIN = frozenset({"final", "active", "completed", "amended", "corrected", "confirmed", "preliminary"})
_NO_HYPHEN = re.compile(r"[\s_\u2010-\u2015]+")
_VERIFICATIONS = {
    **dict.fromkeys(
        ("entered-in-error", "entered-in-error-status", "error", "723510000"),
        ENTERED_IN_ERROR,
    ),
    **dict.fromkeys(
        (
            "refuted",
            "known-absent",
            "definitely-not-present",
            "not-present",
            "absent",
            "ruled-out",
            "excluded",
            "disproved",
            "410516002",
            "410594000",
        ),
        REFUTED,
    ),
    **dict.fromkeys(
        (
            "unconfirmed",
            "provisional",
            "differential",
            "suspected",
            "probable",
            "possible",
            "known-possible",
            "probably-present",
            "probably-not-present",
            "preliminary",
            "working",
            "415684004",
            "410590009",
            "410592001",
            "410593006",
            "47965005",
        ),
        "unconfirmed",
    ),
    **dict.fromkeys(("confirmed", "confirmed-present", "known-present", "410605003", "410515003"), "confirmed"),
}
"""Forms of Condition.verificationStatus: HL7 codes, their names, and SNOMED CT finding context values."""

_is_id = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_NO_MOMENT: tuple[DateRange | None, int] = (None, 0)
_IMPOSSIBLE: tuple[DateRange | None, int] = (None, -1)
"""Marks a date before the patient's birth."""


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Readings that a hospital can change.

    `active_record_months`: decision 34. `same_fracture_days`: contract, section 2.
    """

    active_record_months: int = 15
    same_fracture_days: int = 90


@dataclass(slots=True)
class Reading:
    """One reading of one chart: what is fixed, and what is noted on the way."""

    patient_id: str
    today: date
    tz: ZoneInfo
    settings: ReadSettings
    birth: DateRange | None = None
    references: References = field(default_factory=lambda: References((), {}))
    set_aside: list[SetAside] = field(default_factory=list)
    unusable: list[UnusableValue] = field(default_factory=list)
    before_birth: bool = False  # the record at hand has a date before the patient's birth
    dosages: dict[tuple[object, ...], Any] = field(default_factory=dict)  # instructions in words, as they were read
    incomplete: set[type[Record]] = field(default_factory=set)  # kinds of records of which not all were understood
    # A panel's results share their times, and a visit's records their day: each is read once.
    _moments: dict[str, tuple[DateRange | None, int]] = field(default_factory=dict)
    _seconds: dict[str, int] = field(default_factory=dict)
    _remembered: dict[Callable[[CodeableConcept | None], Any], Remembered[Any]] = field(default_factory=dict)
    own: str = field(init=False)  # the reference to the patient as it is nearly always written
    _future: datetime = field(init=False)  # the first moment that is later than tomorrow, without a zone and with one
    _future_in_zone: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Work out what is the same for each record."""
        self.own = f"Patient/{self.patient_id}"
        self._future = datetime.combine(self.today + timedelta(days=2), time())
        self._future_in_zone = self._future.replace(tzinfo=self.tz).astimezone(UTC)

    def date(self, value: str | None) -> DateRange | None:
        """A FHIR date in the time zone of the service."""
        return self.moment(value)[0]

    def moment(self, value: str | None) -> tuple[DateRange | None, int]:
        """The day of a FHIR date in the time zone of the service, and its moment in seconds: 0 without time of day.

        A date before the patient's birth is none, and noted in `before_birth`.
        """
        if value is None:
            return _NO_MOMENT
        moment = self._moments.get(value)
        if moment is None:
            moment = read_moment(value, self.tz)
            if moment[0] is not None and self.birth is not None and moment[0].latest < self.birth.earliest:
                moment = _IMPOSSIBLE
            self._moments[value] = moment
        if moment is _IMPOSSIBLE:
            self.before_birth = True
            return _NO_MOMENT
        return moment

    def seconds(self, value: str | None) -> int:
        """The moment of a FHIR instant in seconds; 0 without time of day. Cheaper than `moment`: no day is needed."""
        if value is None:
            return 0
        seconds = self._seconds.get(value)
        if seconds is None:
            seconds = self._seconds[value] = seconds_of(value)
        return seconds

    def has_been(self, moment: datetime) -> bool:
        """Whether a moment is not later than tomorrow, and not before the patient's birth.

        A day ahead can be a clock in another time zone.
        """
        if self.birth is not None and moment.date() < self.birth.earliest:
            return False
        return moment < (self._future if moment.tzinfo is None else self._future_in_zone)

    def is_future(self, when: DateRange) -> bool:
        """Whether a date is certainly later than tomorrow."""
        return when.earliest >= self._future.date()

    def recall(self, work: Callable[[CodeableConcept | None], T], concept: CodeableConcept | None) -> T:
        """The result of a function (always the same object) for a CodeableConcept, computed once in this reading."""
        memory = self._remembered.get(work)
        if memory is None:
            memory = self._remembered[work] = Remembered(work)
        found: T = memory(concept)
        return found

    def recalled(self, work: Callable[[CodeableConcept | None], Any]) -> Collection[CodeableConcept | None]:
        """The concepts that a function was recalled for in this reading."""
        memory = self._remembered.get(work)
        return () if memory is None else memory.concepts()

    def leave_out(self, resource: Record, reason: str) -> None:
        """Note that a record is not used."""
        self.set_aside.append(SetAside(ref_of(resource), reason))

    def not_understood(self, resource: Record, reason: str) -> None:
        """Note that a record is not used and could have told something: its list is incomplete (decision 56)."""
        self.leave_out(resource, reason)
        self.incomplete.add(type(resource))


def ref_of(resource: Record) -> str:
    """The reference Type/id of a record; an id that is absent or no FHIR id is shown as "?"."""
    identifier = resource.id
    if identifier is None or not _is_id(identifier):
        identifier = UNNAMED
    return f"{resource.kind}/{identifier}"


def status_of(code: str | None) -> str:
    """A status code, in lower case and with hyphens ("Entered in error" too); "" where there is none."""
    if code is None:
        return ""
    return code if code in _PLAIN else _NO_HYPHEN.sub("-", code.strip().lower())


def coded_status(status: CodeableConcept | str | None) -> str:
    """The code of a status that is a CodeableConcept (R4) or a code (STU3); "" where there is none."""
    if status is None or isinstance(status, str):
        return status_of(status)
    for coding in status.coding:
        if coding.code is not None and coding.code.strip():
            return status_of(coding.code)
    return status_of(status.text) or next((status_of(coding.display) for coding in status.coding), "")


def verification_of(status: CodeableConcept | str | None) -> str:
    """A verificationStatus as FHIR codes it, whatever code or words express it; else as it was sent."""
    if status is None or isinstance(status, str):
        return _VERIFICATIONS.get(status_of(status), status_of(status))
    said = [coding.code for coding in status.coding] + [coding.display for coding in status.coding] + [status.text]
    for meant in (ENTERED_IN_ERROR, REFUTED):
        if any(_VERIFICATIONS.get(status_of(one), "") == meant for one in said):
            return meant
    return next((known for one in said if (known := _VERIFICATIONS.get(status_of(one)))), coded_status(status))


def reference_id(value: Reference | None) -> str | None:
    """The id that a Reference points to (relative or absolute, without version), or None."""
    if value is None or value.reference is None or not value.reference.strip():
        return None
    return kind_and_id(value.reference)[1]
