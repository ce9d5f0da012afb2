"""The history of drug courses: ends, last doses, successors, number of doses."""

from __future__ import annotations

from decimal import Decimal

from app.chart import CourseFact, CourseStatus, DateRange
from app.dates import months_between, months_since, on_or_after
from app.features.catalogue import family
from app.features.drugs.exposure import (
    BEGUN,
    CLASS,
    asked,
    course_evidence,
    courses,
    end_evidence,
    end_of,
    interval_days,
    last_ended_chain,
    none_listed,
    not_asked,
    taken,
)
from app.features.model import Evidence, Feature, Features, Kind, any_of, interval, known, never, truth, unknown
from app.features.notes import NoteCode, Notes, note
from app.terminology.drug_classes import substance_of

READS = ("medications", "medicationRequests", "medicationAdministrations")


def _last_end(context: Features, drug_class: str) -> tuple[DateRange | None, list[Evidence]]:
    """The latest end of the courses of a class; None if one of them ended at an unknown time."""
    ended = [c for c in taken(context, drug_class) if c.status is CourseStatus.PAST]
    ends = [end_of(course) for course in ended]
    evidence = [one for course in ended for one in end_evidence(drug_class, course)]
    known_ends = [end for end in ends if end is not None]
    if not known_ends or len(known_ends) < len(ends):
        return None, evidence
    return max(known_ends, key=lambda end: (end.latest, end.earliest)), evidence


@family(
    "months_since_end",
    CLASS,
    kind=Kind.NUMBER,
    unit="months",
    meaning="Months since the last course ended: {}.",
    reads=READS,
)
def months_since_end(context: Features, drug_class: str) -> Feature:
    """Months since the effect of the last course ended; for depot drugs the last dose plus its interval.

    Known bone metastasis does not matter here, as for `stopped`.

    Running at present: 0 with the course as evidence. Never taken: longer ago than every limit.
    """
    stop = context.feature(f"stopped.{drug_class}")
    if stop.value is None:
        return unknown(stop.why_unknown or "use not known", *stop.missing, evidence=stop.evidence)
    if stop.value is False:
        running = [c for c in taken(context, drug_class) if c.status is CourseStatus.CURRENT]
        return known(Decimal(0), [course_evidence(drug_class, c) for c in running]) if running else never()
    end, evidence = _last_end(context, drug_class)
    if end is None:
        return unknown("end not recorded", "end_date", evidence=evidence)
    low, high = months_since(end, context.today)
    return interval(max(low, Decimal(0)), max(high, Decimal(0)), evidence, missing=("end_date",))


def _days_ago(context: Features, course: CourseFact) -> Notes:
    """How many days ago the last dose was given (decision 31), where its date is known to the day."""
    given = course.last_given
    if given is None or not given.exact or given.latest > context.today:
        return ()
    return (note(NoteCode.DAYS_AGO, (context.today - given.latest).days),)


@family(
    "months_since_last_dose",
    CLASS,
    kind=Kind.NUMBER,
    unit="months",
    meaning="Months since the last dose: {}.",
    reads=READS,
)
def months_since_last_dose(context: Features, drug_class: str) -> Feature:
    """Months since the last given dose, from administrations or the latest dated record of a dose (decision 13b).

    Known bone metastasis does not matter here: a late dose is a matter of safety. Never taken: beyond every limit.
    """
    begun = taken(context, drug_class)
    if not begun:
        return never() if asked(context) else not_asked(drug_class)
    given = [course for course in begun if course.last_given is not None]
    if not given:
        shown = [course_evidence(drug_class, course) for course in begun]
        return unknown("last dose not recorded", "last_dose_date", evidence=shown)
    last = max(given, key=lambda c: (c.last_given.latest, c.last_given.earliest, c.refs) if c.last_given else ())
    name, what = f"{drug_class}_last_dose", substance_of(last.drugs)
    shown = [Evidence(name, last.name, None, last.last_given, last.refs[0], _days_ago(context, last), what)]
    if last.last_given is None:
        return unknown("last dose not recorded", "last_dose_date", evidence=shown)
    low, high = months_since(last.last_given, context.today)
    undated = [c for c in begun if c.last_given is None and c.status is CourseStatus.CURRENT]
    if undated:
        shown += [course_evidence(drug_class, course, note(NoteCode.LAST_DOSE_NOT_RECORDED)) for course in undated]
        why = "a running course has no recorded dose"
        return interval(Decimal(0), high, shown, missing=("last_dose_date",), why=why)
    return interval(low, high, shown, missing=("last_dose_date",))


@family("infusions", CLASS, kind=Kind.NUMBER, meaning="Number of doses given: {}.", reads=READS)
def infusions(context: Features, drug_class: str) -> Feature:
    """How many doses were given: recorded administrations, or what fits between first and last dose, if that is more.

    Unit: count. Without administrations and dates unknown (last_dose_date).
    """
    begun = [course for course in courses(context, drug_class) if course.status in BEGUN]
    if not begun:
        return known(Decimal(0)) if asked(context) else not_asked(drug_class)
    evidence = [course_evidence(drug_class, course) for course in begun]
    counts = [_doses(course) for course in begun]
    if any(count is None for count in counts):
        return unknown("doses not recorded one by one", "last_dose_date", evidence=evidence)
    return known(Decimal(sum(count for count in counts if count is not None)), evidence)


@family("recorded_doses", CLASS, kind=Kind.NUMBER, meaning="Number of doses on record one by one: {}.", reads=READS)
def recorded_doses(context: Features, drug_class: str) -> Feature:
    """How many administrations are on record, the least that was given. Unit: count. Nothing is counted from dates."""
    begun = [course for course in courses(context, drug_class) if course.status in BEGUN]
    if not begun and not asked(context):
        return not_asked(drug_class)
    given = [ref for course in begun for ref in course.refs if ref.startswith("MedicationAdministration/")]
    return known(Decimal(len(given)), [course_evidence(drug_class, course) for course in begun])


def _doses(course: CourseFact) -> int | None:
    given = sum(ref.startswith("MedicationAdministration/") for ref in course.refs)
    first, last = course.started, course.last_given or course.ended
    if first is None or last is None or not (first.exact and last.exact):
        return given or None
    # A chart that holds only the last administrations must not hide the earlier doses.
    return max(given, _fitting(course, first, last))


def _fitting(course: CourseFact, first: DateRange, last: DateRange) -> int:
    """How many doses fit between the first and the last one at the interval of the course."""
    return int(Decimal((last.latest - first.earliest).days) / interval_days(course) + Decimal("0.5")) + 1


@family("started_after_end_of", CLASS, CLASS, kind=Kind.TRUTH, meaning="{} begun after the end of {}.", reads=READS)
def started_after_end_of(context: Features, started_class: str, ended_class: str) -> Feature:
    """A course of the first class begun on or after the end (or last dose) of the second, which no longer runs."""
    begun = taken(context, started_class)
    before = context.feature(f"stopped.{ended_class}")
    if not begun:
        return none_listed(context, started_class)
    if before.value is not True:
        return before
    ended = [c for c in taken(context, ended_class) if c.status is CourseStatus.PAST]
    ends = [course.last_given or course.ended for course in ended]
    answers: list[Feature] = []
    for course in begun:
        evidence = [course_evidence(started_class, course)]
        dated = [end for end in ends if end is not None]
        if course.started is None or not dated:
            missing = "start_date" if course.started is None else "end_date"
            answers.append(unknown("dates not recorded", missing, evidence=evidence))
            continue
        last = max(dated, key=lambda end: (end.latest, end.earliest))
        answers.append(
            truth(on_or_after(course.started, last), "dates known only in part", "start_date", evidence=evidence)
        )
    return any_of(answers)


@family(
    "last_course_months",
    CLASS,
    kind=Kind.NUMBER,
    unit="months",
    meaning="Length of the last ended use of: {}.",
    reads=READS,
)
def last_course_months(context: Features, drug_class: str) -> Feature:
    """From the start to the end of the last ended use, courses without a break being one; never ended: 0.

    For depot drugs the end is that of the last dose's effect. Start or end not recorded: unknown.
    """
    ended = last_ended_chain(context, drug_class)
    if not ended:
        ever = context.feature(f"ever_took.{drug_class}")
        return known(Decimal(0)) if ever.known else ever
    evidence = [course_evidence(drug_class, course) for course in ended]
    starts = [course.started for course in ended if course.started is not None]
    ends = [end for end in (end_of(course) for course in ended) if end is not None]
    if len(starts) < len(ended) or not ends:
        missing = "end_date" if not ends else "start_date"
        return unknown("start or end not recorded", missing, evidence=evidence)
    start, end = min(starts), max(ends, key=lambda when: (when.latest, when.earliest))
    low, high = months_between(start.latest, end.earliest), months_between(start.earliest, end.latest)
    return interval(low, high, evidence, missing=("start_date", "end_date"))
