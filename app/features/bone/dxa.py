"""When bone density was measured, and whether that answers a reason to measure it (decision 25).

What the sources ask for is a measurement of lumbar spine and hip: one of the forearm alone does not answer it.
"""

from __future__ import annotations

from app.chart import CourseStatus, DateRange, DensityFact, DensityKind, DensitySite, ObservationCategory, Source
from app.dates import after, months_since, newest_first, on_or_after, shifted, within_months
from app.features.catalogue import FeatureName, WholeNumber, family, feature
from app.features.drugs.exposure import CLASS, course_evidence, courses, current_start, end_of
from app.features.model import Evidence, Feature, Features, Kind, Memo, interval, known, never, none_on_record, unknown
from app.features.notes import NoteCode, note
from app.features.readings import observations_provided

READS = ("observations", "diagnosticReports", "procedures")
DXA_CONCEPTS = ("dxa_report", "dxa_scan")
METAL = ("hip_prosthesis", "spinal_instrumentation")
"""What keeps spine or hip from being scanned: then the distal radius serves (source 001, line 136)."""
FOLLOW_UP_AFTER_MONTHS = 12
"""A DXA in the first year of a course is its baseline; a later one is a follow-up."""


_MEASUREMENTS: Memo[None, list[Evidence]] = Memo()
_RECENT: Memo[int | None, list[bool | None]] = Memo()  # by the number of months


def measurements(context: Features) -> list[Evidence]:
    """Every DXA on record: result, report or completed procedure; newest first, undated last."""
    kept = _MEASUREMENTS.of(context)
    if None not in kept:
        kept[None] = _measurements(context)
    return kept[None]


def _recent(context: Features, limit: int | None) -> list[bool | None]:
    """For each measurement whether it is at most so many months old; kept for the patient, as many rules use it."""
    kept = _RECENT.of(context)
    if limit not in kept:
        today = context.today
        kept[limit] = [
            True if limit is None else within_months(item.date, limit, today) for item in measurements(context)
        ]
    return kept[limit]


def _measurements(context: Features) -> list[Evidence]:
    forearm_serves = any(context.feature(f"condition.{name}").value is True for name in METAL)
    found = {
        fact.ref: Evidence("dxa", True, None, fact.effective, fact.ref, (note(NoteCode.RESULT),))
        for fact in context.chart.densities
        if _is_dxa(fact) and (fact.site is not DensitySite.FOREARM or forearm_serves)
    }
    for report in context.observations(*DXA_CONCEPTS):
        found.setdefault(
            report.ref, Evidence("dxa", True, None, report.effective, report.ref, (note(NoteCode.REPORT),))
        )
    for procedure in context.procedures(*DXA_CONCEPTS):
        if not procedure.planned:
            found.setdefault(
                procedure.ref, Evidence("dxa", True, None, procedure.when, procedure.ref, (note(NoteCode.PROCEDURE),))
            )
    return sorted(found.values(), key=lambda item: (newest_first(item.date), item.resource or ""))


def _is_dxa(fact: DensityFact) -> bool:
    """Whether a result is of a DXA of a site that counts (decision 55); a contradictory site was one of them."""
    if fact.kind is DensityKind.QCT or fact.site is DensitySite.OTHER:
        return False
    return fact.site is not DensitySite.UNKNOWN or fact.kind is DensityKind.BMD or fact.conflict is not None


def _none(context: Features) -> Feature:
    """No DXA is on record: none, where the lists came complete and nothing in them can have been one."""
    if unclear := context.unusable(*DXA_CONCEPTS):
        shown = [
            Evidence("dxa", item.shown, None, None, item.ref, (note(NoteCode.TEXT_NOT_UNDERSTOOD),)) for item in unclear
        ]
        return unknown("text not understood", "t_score", evidence=shown)
    if observations_provided(context, ObservationCategory.IMAGING, ObservationCategory.EXAM):
        return none_on_record()
    return unknown("observations not provided", "t_score")


@feature("dxa_done", Kind.TRUTH, meaning="Bone density has been measured by DXA at some time.", reads=READS)
def dxa_done(context: Features) -> Feature:
    """A result, report or completed procedure, of any age. None: false where the observations came complete."""
    found = measurements(context)
    return known(True, found[:1]) if found else _none(context)


@feature("months_since_dxa", Kind.NUMBER, "months", meaning="Months since the last DXA.", reads=READS)
def months_since_dxa(context: Features) -> Feature:
    """Months since the newest dated DXA; never measured: beyond every limit; only undated ones: unknown."""
    found = measurements(context)
    if not found:
        done = _none(context)
        return never() if done.known else done
    newest = found[0]
    if newest.date is None:
        return unknown("date not recorded", "t_score", evidence=found)
    low, high = months_since(newest.date, context.today)
    return interval(low, high, [newest], missing=("t_score",))


@feature("dxa_ordered", Kind.TRUTH, meaning="A DXA is ordered and not yet done.", reads=("serviceRequests",))
def dxa_ordered(context: Features) -> Feature:
    """An open ServiceRequest for a DXA, or a procedure in preparation."""
    open_orders = [
        Evidence("open_orders", "DXA", None, service.authored, service.ref)
        for service in sorted(context.chart.services, key=lambda service: service.ref)
        if not service.concepts.isdisjoint(DXA_CONCEPTS)
    ]
    open_orders += [
        Evidence("open_orders", "DXA", None, procedure.when, procedure.ref, (note(NoteCode.PLANNED),))
        for procedure in context.procedures(*DXA_CONCEPTS)
        if procedure.planned
    ]
    if open_orders:
        return known(True, open_orders)
    if context.chart.provided(Source.SERVICE_REQUESTS):
        return none_on_record()
    return unknown("orders not provided", "open_orders")


def _answered(context: Features, answers: list[tuple[bool | None, Evidence]]) -> Feature:
    """True if one DXA answers, unknown if one may, else false."""
    yes = [item for answer, item in answers if answer]
    if yes:
        return known(True, yes)
    maybe = [item for answer, item in answers if answer is None]
    if maybe:
        return unknown("date does not tell", "t_score", evidence=maybe)
    return _none(context)


def _both(first: bool | None, second: bool | None) -> bool | None:
    if first is False or second is False:
        return False
    return True if first and second else None


def since(context: Features, event: DateRange | None, *, strictly: bool = False, limit: int | None = None) -> Feature:
    """Whether a DXA is dated on or after (strictly: after) an event and not older than a number of months."""
    answers: list[tuple[bool | None, Evidence]] = []
    for item, recent in zip(measurements(context), _recent(context, limit), strict=True):
        if item.date is None:
            answers.append((None, item))
            continue
        later = True if event is None else (after if strictly else on_or_after)(item.date, event)
        answers.append((_both(later, recent), item))
    return _answered(context, answers)


@family(
    "dxa_since",
    FeatureName(),
    kind=Kind.TRUTH,
    meaning="A DXA, not too old, has been done since the event behind: {}.",
    reads=READS,
)
def dxa_since(context: Features, name: str) -> Feature:
    """A DXA on or after the latest date in the evidence of another feature and within the age limit of T-scores.

    An event without a date: any DXA within the limit answers (decision 25).
    """
    dates = [item.date for item in context.feature(name).evidence if item.date is not None]
    event = max(dates, key=lambda when: (when.latest, when.earliest)) if dates else None
    return since(context, event, limit=context.settings.max_age_months["t_score"])


@family("dxa_in_last_months", WholeNumber("n"), kind=Kind.TRUTH, meaning="A DXA in the last {} months.", reads=READS)
def dxa_in_last_months(context: Features, months: str) -> Feature:
    """A DXA at most so many months old."""
    return since(context, None, limit=int(months))


@family(
    "dxa_since_start_of",
    CLASS,
    kind=Kind.TRUTH,
    meaning="A follow-up DXA in the current course of: {}.",
    reads=(*READS, "medications"),
)
def dxa_since_start_of(context: Features, drug_class: str) -> Feature:
    """A DXA more than 12 months after the start of the current course; not taken: false."""
    return _in_course(context, drug_class, FOLLOW_UP_AFTER_MONTHS, strictly=True)


def _in_course(context: Features, drug_class: str, months: int, *, strictly: bool) -> Feature:
    taking = context.feature(f"takes.{drug_class}")
    if taking.value is not True:
        return taking
    start = current_start(context, drug_class)
    if start is None:
        found = _none(context) if not measurements(context) else None
        return found or unknown("start not recorded", "start_date", evidence=taking.evidence)
    return since(context, shifted(start, months=months), strictly=strictly)


@family(
    "dxa_after_months_on",
    CLASS,
    WholeNumber("n"),
    kind=Kind.TRUTH,
    meaning="A DXA in the current course of {} from month {} on.",
    reads=(*READS, "medications"),
)
def dxa_after_months_on(context: Features, drug_class: str, months: str) -> Feature:
    """A DXA so many calendar months or more after the start of the current course; not taken: false."""
    return _in_course(context, drug_class, int(months), strictly=False)


@family(
    "dxa_since_end_of",
    CLASS,
    kind=Kind.TRUTH,
    meaning="A DXA since the last course ended: {}.",
    reads=(*READS, "medications"),
)
def dxa_since_end_of(context: Features, drug_class: str) -> Feature:
    """A DXA on or after the end of the last course; a class that runs or was never taken: false."""
    stop = context.feature(f"stopped.{drug_class}")
    if stop.value is not True:
        return stop
    past = [c for c in courses(context, drug_class) if c.status is CourseStatus.PAST]
    ends = [end for end in (course.ended or end_of(course) for course in past) if end is not None]
    if not ends or len(ends) < len(past):
        shown = [course_evidence(drug_class, course) for course in past]
        return unknown("end not recorded", "end_date", evidence=shown)
    return since(context, max(ends, key=lambda end: (end.latest, end.earliest)))
