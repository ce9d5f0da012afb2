"""What every kind of record needs: its reference, its notes of what was set aside, and the settings of the reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from app.chart import UNNAMED, UNREADABLE, DateRange, SetAside, UnusableValue
from app.decoding.written import Result
from app.fhir.dates import read_moment, seconds_of
from app.fhir.remembered import Remembered
from app.terminology.codeable_concept import codings

Resource = Mapping[str, Any]
T = TypeVar("T")

ENTERED_IN_ERROR = "entered-in-error"
REFUTED = "refuted"
OTHER_PATIENT = "other patient"
STATUS = "status does not count"
NOT_DONE = "not done"
NOT_CURRENT = "no longer current"
NOT_R4 = "not R4"
NOT_RECOGNISED = "drug not recognised"
IN_FUTURE = "dated in the future"
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
        IN_FUTURE,
    }
)
"""Every reason of a SetAside that reading gives."""

_is_id = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_NO_MOMENT = (None, 0)


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
    referred: Iterable[Resource | Result] = ()  # among them the records that others can refer to
    set_aside: list[SetAside] = field(default_factory=list)
    unusable: list[UnusableValue] = field(default_factory=list)
    _medications: dict[str, Resource] | None = None
    # A panel's results share their times, and a visit's records their day: each is read once.
    _moments: dict[str, tuple[DateRange | None, int]] = field(default_factory=dict)
    _seconds: dict[str, int] = field(default_factory=dict)
    _remembered: dict[Callable[[object], Any], Remembered[Any]] = field(default_factory=dict)
    own: str = field(init=False)  # the reference to the patient as it is nearly always written
    _future: datetime = field(init=False)  # the first moment that is later than tomorrow, without a zone and with one
    _future_in_zone: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Work out what is the same for each record."""
        self.own = f"Patient/{self.patient_id}"
        self._future = datetime.combine(self.today + timedelta(days=2), time())
        self._future_in_zone = self._future.replace(tzinfo=self.tz).astimezone(UTC)

    def date(self, value: object) -> DateRange | None:
        """A FHIR date in the time zone of the service."""
        return self.moment(value)[0]

    def moment(self, value: object) -> tuple[DateRange | None, int]:
        """The day of a FHIR date in the time zone of the service, and its moment in seconds: 0 without time of day."""
        if not isinstance(value, str):
            return _NO_MOMENT
        moment = self._moments.get(value)
        if moment is None:
            moment = self._moments[value] = read_moment(value, self.tz)
        return moment

    def seconds(self, value: object) -> int:
        """The moment of a FHIR instant in seconds; 0 without time of day. Cheaper than `moment`: no day is needed."""
        if not isinstance(value, str):
            return 0
        seconds = self._seconds.get(value)
        if seconds is None:
            seconds = self._seconds[value] = seconds_of(value)
        return seconds

    def has_been(self, moment: datetime) -> bool:
        """Whether a moment is not later than tomorrow: a day ahead can be a clock in another time zone."""
        return moment < (self._future if moment.tzinfo is None else self._future_in_zone)

    def is_future(self, when: DateRange) -> bool:
        """Whether a date is certainly later than tomorrow."""
        return when.earliest >= self._future.date()

    def recall(self, work: Callable[[object], T], concept: object) -> T:
        """What a function (always the same object) says of a CodeableConcept, worked out once in this reading."""
        memory = self._remembered.get(work)
        if memory is None:
            memory = self._remembered[work] = Remembered(work)
        found: T = memory(concept)
        return found

    def medication(self, identifier: str) -> Resource | None:
        """The Medication of this id; looked for at the first question, because in most charts nobody asks."""
        if self._medications is None:
            self._medications = {
                record["id"]: record
                for record in self.referred
                if isinstance(record, dict)
                and record.get("resourceType") == "Medication"
                and isinstance(record.get("id"), str)
            }
        return self._medications.get(identifier)

    def leave_out(self, resource: Resource, reason: str) -> None:
        """Note that a record is not used."""
        self.set_aside.append(SetAside(ref_of(resource), reason))


def ref_of(resource: Resource) -> str:
    """The reference Type/id of a record; an id that is absent or no FHIR id is shown as "?"."""
    identifier = resource.get("id")
    if not isinstance(identifier, str) or not _is_id(identifier):
        identifier = UNNAMED
    kind = resource.get("resourceType")
    return f"{kind if isinstance(kind, str) and kind.isalpha() else UNNAMED}/{identifier}"


def status_of(resource: Resource, key: str = "status") -> str:
    """A status code, trimmed and in lower case; "" where there is none."""
    value = resource.get(key)
    return value.strip().lower() if isinstance(value, str) else ""


def coded_status(resource: Resource, key: str) -> str:
    """The code of a status that is a CodeableConcept (R4) or a code (STU3); "" where there is none."""
    value = resource.get(key)
    if isinstance(value, str):
        return value.strip().lower()
    for coding in codings(value):
        code = coding.get("code")
        if isinstance(code, str) and code.strip():
            return code.strip().lower()
    text = value.get("text") if isinstance(value, dict) else None
    return text.strip().lower() if isinstance(text, str) else ""


def reference_id(value: object) -> str | None:
    """The id that a Reference points to (relative or absolute, without version), or None."""
    if not isinstance(value, dict):
        return None
    text = value.get("reference")
    if not isinstance(text, str) or not text.strip():
        return None
    path = text.strip().split("/_history/")[0]
    return path.rsplit("/", 1)[-1].removeprefix("urn:uuid:").removeprefix("urn:oid:")
