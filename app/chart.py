"""The chart: one patient's resources reduced to typed facts.

A `Chart` is what every later layer sees of a patient. It is frozen, shows no raw FHIR JSON, and can be built
by hand in a test. Reading is tolerant and happens elsewhere (`app.fhir.reader`): what could not be used is
listed in `Chart.set_aside` with a reason, never silently dropped.

Dates: a FHIR date can be partial ("2015", "2015-03"). It is kept as the closed interval of the calendar days that
it can mean (`DateRange`), in the time zone of the service. Numbers are `Decimal`, exactly as they were written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, field

UNREADABLE = "unreadable"
"""The reason for setting aside a record in an unreadable form."""
UNNAMED = "?"
"""In the place of an id that is absent or no FHIR id."""


def is_named(reference: str) -> bool:
    """Whether a reference has the id of its record, so that others can refer to it."""
    return not reference.endswith(f"/{UNNAMED}")


class Source(StrEnum):
    """The kinds of records a client can provide; the prefetch keys of the contract."""

    OBSERVATIONS = "observations"
    MEDICATIONS = "medications"
    MEDICATION_REQUESTS = "medicationRequests"
    MEDICATION_ADMINISTRATIONS = "medicationAdministrations"
    CONDITIONS = "conditions"
    PROCEDURES = "procedures"
    FAMILY_HISTORY = "familyHistory"
    ALLERGIES = "allergies"
    DIAGNOSTIC_REPORTS = "diagnosticReports"
    SERVICE_REQUESTS = "serviceRequests"


SOURCES_BY_TYPE: Mapping[str, Source] = MappingProxyType(
    {
        "Observation": Source.OBSERVATIONS,
        "MedicationStatement": Source.MEDICATIONS,
        "MedicationRequest": Source.MEDICATION_REQUESTS,
        "MedicationAdministration": Source.MEDICATION_ADMINISTRATIONS,
        "Condition": Source.CONDITIONS,
        "Procedure": Source.PROCEDURES,
        "FamilyMemberHistory": Source.FAMILY_HISTORY,
        "AllergyIntolerance": Source.ALLERGIES,
        "DiagnosticReport": Source.DIAGNOSTIC_REPORTS,
        "ServiceRequest": Source.SERVICE_REQUESTS,
    }
)
"""The resource type that each kind of records is queried by."""


class ObservationCategory(StrEnum):
    """The categories by which Observations are queried (HL7 observation-category)."""

    LABORATORY = "laboratory"
    VITAL_SIGNS = "vital-signs"
    SOCIAL_HISTORY = "social-history"
    IMAGING = "imaging"
    EXAM = "exam"
    SURVEY = "survey"


class Availability(StrEnum):
    """What is known about the completeness of one kind of records."""

    PROVIDED = "provided"  # a list came (perhaps empty): no such record means none on record
    PARTIAL = "partial"  # a list came, but pages or entries of it are missing: absence proves nothing
    ABSENT = "absent"  # not sent: every question to it is unknown
    FAILED = "failed"  # the query failed: unknown


class Occasion(StrEnum):
    """What a call is about: the moment in the clinician's work. One vocabulary for all layers."""

    CHART = "chart"  # patient-view
    VISIT = "visit"  # encounter-start
    ORDERS = "orders"  # order-select, order-sign
    REFILL = "refill"  # medication-refill
    DISCHARGE = "discharge"
    PROBLEM = "problem"  # problem-list-item-create
    INTOLERANCE = "intolerance"  # allergyintolerance-create

    @property
    def about_orders(self) -> bool:
        """Whether the call is about orders at hand, also where there are none in it."""
        return self in (Occasion.ORDERS, Occasion.REFILL)


class Sex(StrEnum):
    """Administrative gender, as far as it can select a sex-specific rule."""

    FEMALE = "female"
    MALE = "male"


class DateRange(Struct, frozen=True, gc=False, order=True):
    """A closed interval of the calendar days that a date can mean; both ends equal for a full date."""

    earliest: date
    latest: date

    @property
    def exact(self) -> bool:
        """Whether the date is known to the day."""
        return self.earliest == self.latest

    def __str__(self) -> str:
        """The date as a reader expects it: 2015, 2015-03 or 2015-03-07."""
        if self.exact:
            return self.earliest.isoformat()
        first, last = self.earliest, self.latest
        if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
            return str(first.year) if first.year == last.year else f"{first.year}/{last.year}"
        if first.year == last.year and first.month == last.month and first.day == 1:
            return f"{first.year:04d}-{first.month:02d}"
        return f"{first.isoformat()}/{last.isoformat()}"


class SetAside(Struct, frozen=True, gc=False):
    """A record that was not used, and why. `resource` is None for records of another patient (only counted)."""

    resource: str | None
    reason: str  # a fixed vocabulary: see app.fhir.reader.REASONS
    count: int = 1


class Patient(Struct, frozen=True, gc=False):
    """Who the chart is about."""

    id: str
    sex: Sex | None = None
    birth_date: DateRange | None = None
    deceased: bool = False


class Interpretation(StrEnum):
    """How the laboratory itself judged a result (Observation.interpretation, reduced)."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    ABNORMAL = "abnormal"


class ObservationFact(Struct, frozen=True, gc=False):
    """One measurement or recorded answer.

    `concepts`: concept ids of guidelines/concepts (several where codings agree). `value` is in `unit`, the canonical
    unit of the concept (docs/data.md); a value whose unit is not known is not here but in `Chart.unusable`.
    `answer`: concept ids or finding codes of a coded value ("post", "poor", "smoking_status_current").
    """

    ref: str
    concepts: frozenset[str]
    effective: DateRange | None = None
    value: Decimal | None = None
    unit: str | None = None
    comparator: str | None = None  # "<", "<=", ">=", ">" or None
    boolean: bool | None = None
    answer: frozenset[str] = frozenset()
    text: str | None = None
    interpretation: Interpretation | None = None
    reference_low: Decimal | None = None
    reference_high: Decimal | None = None
    body_site: str | None = None
    preliminary: bool = False
    matched_by_text: bool = False
    order: int = 0  # position within the day (time of day, then issued): the later of two same-day values is larger


class UnreadObservation(Struct, gc=False):
    """A measurement that is read on first use.

    It is certain that it can be used: what cannot is noted while the chart is read, whether or not it is used.
    `moment`: when it was measured, without fractions of a second; without a zone as it was written. `about`: its number
    in the unit of its kind, as exact as a float can be. `read` makes the fact from `record`.
    """

    concepts: frozenset[str]
    moment: datetime
    about: float
    read: Callable[..., ObservationFact]
    record: tuple[object, ...]
    _fact: ObservationFact | None = None

    @property
    def fact(self) -> ObservationFact:
        """The fact; read once."""
        if self._fact is None:
            self._fact = self.read(*self.record)
        return self._fact


Recorded = ObservationFact | UnreadObservation
"""One measurement or recorded answer of a chart."""


def fact_of(record: Recorded) -> ObservationFact:
    """The fact of a record, read now if it was not read before."""
    return record.fact if isinstance(record, UnreadObservation) else record


class DensityKind(StrEnum):
    """What a bone densitometry number is."""

    T_SCORE = "t_score"
    Z_SCORE = "z_score"
    BMD = "bmd"  # areal density, g/cm2
    QCT = "qct"  # volumetric density of lumbar trabecular bone, mg/cm3


class DensitySite(StrEnum):
    """Where density was measured. `HIP` and `FEMUR` are codes that do not name the part of it."""

    LUMBAR_SPINE = "lumbar_spine"
    TOTAL_HIP = "total_hip"
    FEMORAL_NECK = "femoral_neck"
    HIP = "hip"
    FEMUR = "femur"
    FOREARM = "forearm"
    OTHER = "other"
    UNKNOWN = "unknown"


class DensityFact(Struct, frozen=True, gc=False):
    """One bone density result. `value`: SD for scores, g/cm2 for BMD, mg/cm3 for QCT."""

    ref: str
    kind: DensityKind
    site: DensitySite
    value: Decimal
    effective: DateRange | None = None
    side: str | None = None  # "left" | "right"
    device: str | None = None
    comparator: str | None = None  # "<", "<=", ">=", ">": the number is a limit
    from_text: bool = False  # read from a report's text or table
    preliminary: bool = False
    conflict: tuple[DensitySite, DensitySite] | None = None  # the sites of the code and of the words, where they differ


class Presence(StrEnum):
    """The present state of a recorded condition."""

    PRESENT = "present"
    PAST = "past"
    SUSPECTED = "suspected"  # unconfirmed, provisional, differential: never counts as confirmed
    UNKNOWN = "unknown"  # no clinical status: present unless an abatement is recorded
    UNCLEAR = "unclear"  # the text was not understood: it could be about this, and leaves the answer open


class ConditionFact(Struct, frozen=True, gc=False):
    """One diagnosis, problem or finding recorded as a Condition (or a finding Observation that says "yes")."""

    ref: str
    concepts: frozenset[str]
    presence: Presence = Presence.PRESENT
    onset: DateRange | None = None  # when it began, as recorded; not guessed from other dates
    recorded: DateRange | None = None
    ended: DateRange | None = None
    body_site: str | None = None
    matched_by_text: bool = False


class FractureSite(StrEnum):
    """Sites of fractures as the guidelines distinguish them."""

    HIP = "hip"
    VERTEBRA = "vertebra"
    DISTAL_FOREARM = "distal_forearm"
    PROXIMAL_HUMERUS = "proximal_humerus"
    HUMERUS = "humerus"
    PELVIS = "pelvis"
    FEMUR_SHAFT = "femur_shaft"
    RIB = "rib"
    CLAVICLE = "clavicle"
    PATELLA = "patella"
    METATARSAL = "metatarsal"
    NOSE = "nose"
    SKULL_FACE = "skull_face"
    FINGER = "finger"
    TOE = "toe"
    OTHER = "other"
    UNKNOWN = "unknown"


class Energy(StrEnum):
    """Energy of the trauma behind a fracture."""

    LOW = "low"
    HIGH = "high"
    NOT_RECORDED = "not_recorded"


class FractureFact(Struct, frozen=True, gc=False):
    """One fracture event; records that tell the same event are one fact (contract, section 2)."""

    refs: tuple[str, ...]
    site: FractureSite
    when: DateRange | None = None
    energy: Energy = Energy.NOT_RECORDED
    suspected: bool = False
    side: str | None = None
    level: str | None = None  # vertebral level, "T12", "L1"
    pathological_tumour: bool = False  # coded as fracture in neoplastic disease
    atypical_femoral: bool = False
    subtrochanteric: bool = False  # below the lesser trochanter: where atypical fractures are, counted with the hip
    periprosthetic: bool = False
    stress: bool = False
    new_in_context: bool = False  # one of the conditions that the hook is about
    healing_only: bool = False  # status after a fracture without a date of its own (history code)


class CourseStatus(StrEnum):
    """Whether a drug course is running."""

    CURRENT = "current"
    PAST = "past"
    PLANNED = "planned"
    ON_HOLD = "on_hold"
    UNKNOWN = "unknown"  # "active" without a sign of life within the limit of decision 34
    UNCLEAR = "unclear"  # current, but which drug it is was not understood: one of these, or another one


class Route(StrEnum):
    """Route of administration, as far as a rule depends on it."""

    ORAL = "oral"
    INTRAVENOUS = "intravenous"
    SUBCUTANEOUS = "subcutaneous"
    INTRAMUSCULAR = "intramuscular"
    NASAL = "nasal"
    INHALED = "inhaled"
    TOPICAL = "topical"  # skin, eye, ear, vaginal, rectal foam, intra-articular: no systemic dose
    OTHER = "other"


class DoseUnknown(StrEnum):
    """Why the daily dose of a course is not known."""

    AS_NEEDED = "as needed"
    NO_DOSAGE = "no dosage"
    FREE_TEXT_ONLY = "free text only"
    NO_PERIOD = "no period"
    NO_AMOUNT = "no amount"
    TAPERING = "tapering"
    A_RANGE = "a range"
    TIMING_CONTRADICTORY = "timing contradictory"
    TIMING_NOT_READABLE = "timing not readable"
    SEVERAL_DOSES = "several doses"
    RATE_WITHOUT_DURATION = "a rate without duration"
    TOO_MANY_INSTRUCTIONS = "too many instructions"
    DOSAGE_NOT_READABLE = "dosage not readable"
    UNIT_NOT_KNOWN = "unit not known"
    NO_DOSE_FOR_LONG = "no dose on record for a year, no stop recorded"
    SINGLE_ADMINISTRATION = "a single administration"


class Dose(Struct, frozen=True, gc=False):
    """How much of a drug is given.

    `daily_mg`: average per calendar day in mg of the drug's own substance (elemental mg where `elemental`).
    A dose that changes over time is that of today. `single_mg` and `interval_days` as ordered. Unknown parts are None
    and `unknown_because` gives the reason. A daily
    dose that is not known lies between `least_mg` (None: 0) and `most_mg` (None: no upper end is known).
    """

    daily_mg: Decimal | None = None
    single_mg: Decimal | None = None
    interval_days: Decimal | None = None
    elemental: bool = False
    as_needed: bool = False
    unknown_because: DoseUnknown | None = None
    least_mg: Decimal | None = None
    most_mg: Decimal | None = None


class DosePeriod(Struct, frozen=True, gc=False):
    """The dose of a course from one day to another, both included; None: from its start, until its end.

    Average mg per calendar day: at least `least_mg`, at most `most_mg` (None: no upper end is known). The two are the
    same where the dose is known.
    """

    first: date | None
    last: date | None
    least_mg: Decimal
    most_mg: Decimal | None
    unknown_because: DoseUnknown | None = None


class CourseFact(Struct, frozen=True, gc=False):
    """One course of one drug: overlapping records of one ingredient, route and dose merged (contract, section 2).

    `drugs`: concept ids of guidelines/concepts (group medication) plus the classes that they belong to.
    """

    refs: tuple[str, ...]
    drugs: frozenset[str]
    name: str  # as the record names it, for people
    status: CourseStatus
    started: DateRange | None = None
    ended: DateRange | None = None
    last_given: DateRange | None = None  # administrations; else the latest dated record of a dose
    last_seen: DateRange | None = None  # latest sign of life: assertion, refill, authoredOn, administration
    planned_days: Decimal | None = None  # duration ordered or announced
    route: Route | None = None
    dose: Dose = field(default_factory=Dose)
    stop_reason: str | None = None
    reason_concepts: frozenset[str] = frozenset()  # indication, where coded
    matched_by_text: bool = False
    code_text_conflict: bool = False
    doses: tuple[DosePeriod, ...] = ()  # where the dose changes over time: all doses, the earliest first
    given: tuple[date, ...] = ()  # the days on which single doses were given, in order


class ProcedureFact(Struct, frozen=True, gc=False):
    """One procedure: done, planned (status preparation) or ordered elsewhere."""

    ref: str
    concepts: frozenset[str]
    when: DateRange | None = None
    planned: bool = False
    body_site: str | None = None
    matched_by_text: bool = False


class FamilyFact(Struct, frozen=True, gc=False):
    """A condition of a relative. `parent` is None where the relationship is unknown."""

    ref: str
    concepts: frozenset[str]
    relationship: str | None = None
    parent: bool | None = None
    fracture_site: FractureSite | None = None


class IntoleranceFact(Struct, frozen=True, gc=False):
    """An allergy or intolerance to a drug, or a drug stopped for an adverse effect."""

    ref: str
    drugs: frozenset[str]
    reaction: str | None = None
    reaction_concepts: frozenset[str] = frozenset()
    recorded: DateRange | None = None
    route: Route | None = None


class RequestedService(Struct, frozen=True, gc=False):
    """An examination that is ordered and not yet done (ServiceRequest)."""

    ref: str
    concepts: frozenset[str]
    authored: DateRange | None = None
    draft: bool = False  # one of the drafts of an order hook
    codes: frozenset[tuple[str, str]] = frozenset()  # system and code as sent: tests have no concept of their own
    matched_by_text: bool = False


class OrderAction(StrEnum):
    """What signing a medication order would do."""

    START = "start"
    CHANGE = "change"
    STOP = "stop"


class DraftOrder(Struct, frozen=True, gc=False):
    """A medication order of an order hook, as the course that it would begin, change or stop."""

    ref: str  # "MedicationRequest/x" as in draftOrders
    course: CourseFact  # status PLANNED; drugs may be empty where the drug is not recognised
    action: OrderAction = OrderAction.START
    selected: bool = True  # order-select: in `selections`; other hooks: always
    recognised: bool = True  # a drug that is known, or a code that identifies another one
    replaces: str | None = None  # priorPrescription
    ingredients: frozenset[str] = frozenset()  # of the course that it would begin, change or stop


class UnusableReason(StrEnum):
    """Why a recorded number cannot be used."""

    UNIT_OF_VALUE_NOT_KNOWN = "unit not known for this value"
    NO_UNIT = "no unit"
    IMPOSSIBLE = "physically impossible in the stated unit"
    SAID_ABSENT = "said to be absent beside a value"
    AS_TEXT_ONLY = "value given as text only"
    IN_WORDS = "value in words, not read"
    TEXT_NOT_UNDERSTOOD = "text not understood"
    REPORT_NOT_READ = "score in the words of a report, not read"


class UnusableValue(Struct, frozen=True, gc=False):
    """A value of a known concept that could not be used: unknown unit, physically impossible, ambiguous."""

    ref: str
    concepts: frozenset[str]
    reason: UnusableReason
    shown: str  # value and unit as sent, bounded length


class Chart(Struct, frozen=True, gc=False):
    """Everything that is known about one patient at one moment."""

    patient: Patient
    today: date
    availability: dict[Source, Availability]
    categories: frozenset[ObservationCategory] = frozenset()  # of Observations, that came complete
    by_category: Mapping[ObservationCategory, Availability] = field(default_factory=dict)  # as they were asked for
    observations: tuple[Recorded, ...] = ()
    densities: tuple[DensityFact, ...] = ()
    conditions: tuple[ConditionFact, ...] = ()
    fractures: tuple[FractureFact, ...] = ()
    courses: tuple[CourseFact, ...] = ()
    procedures: tuple[ProcedureFact, ...] = ()
    family: tuple[FamilyFact, ...] = ()
    intolerances: tuple[IntoleranceFact, ...] = ()
    services: tuple[RequestedService, ...] = ()
    draft_orders: tuple[DraftOrder, ...] = ()
    occasion: Occasion = Occasion.CHART
    about_orders: bool = False  # `occasion.about_orders`: what features look at
    new_conditions: tuple[ConditionFact, ...] = ()  # problem-list-item-create: also in conditions/fractures
    new_intolerances: tuple[IntoleranceFact, ...] = ()  # allergyintolerance-create: also in intolerances
    set_aside: tuple[SetAside, ...] = ()
    unusable: tuple[UnusableValue, ...] = ()
    by_local_codes: frozenset[str] = frozenset()  # records that only codes of the hospital explain, as Type/id
    unrecognised: Mapping[tuple[str, str], int] = {}  # numbers of codes by kind of record and code system

    def provided(self, source: Source) -> bool:
        """Whether a source came complete: only then does absence of a record mean "none"."""
        return self.availability.get(source) is Availability.PROVIDED

    def observed(self, *categories: ObservationCategory) -> bool:
        """Whether the Observations of these categories came complete, by themselves or with all others."""
        return self.provided(Source.OBSERVATIONS) or self.categories.issuperset(categories)
