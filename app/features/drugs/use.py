"""Drug classes: what a patient takes, took, stopped and does not tolerate, and for how long.

Records of planned or paused treatment are no current use; "active" without a sign of life (decision 34) makes current
use unknown. No record: false when a medication list came complete.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from app.chart import CourseFact, CourseStatus, Source
from app.dates import months_since
from app.features.catalogue import family, feature
from app.features.drugs.exposure import (
    BEGUN,
    CLASS,
    NOT_IDENTIFIED,
    asked,
    belongs,
    course_evidence,
    courses,
    current_chain,
    current_start,
    end_evidence,
    every_course,
    none_listed,
    not_asked,
    running_courses,
    stated_by,
    taken,
    use_name,
)
from app.features.model import (
    Evidence,
    Feature,
    Features,
    Kind,
    Memo,
    interval,
    known,
    none_on_record,
    observed,
    unknown,
)
from app.features.notes import NoteCode, note
from app.terminology.code_sets import terminology
from app.terminology.drug_classes import acts_months

READS = ("medications", "medicationRequests", "medicationAdministrations")
_DOUBTS = {
    CourseStatus.UNKNOWN: NoteCode.NO_RECENT_SIGN_OF_USE,
    CourseStatus.UNCLEAR: NoteCode.NOT_IDENTIFIED,
}


@family(
    "takes",
    CLASS,
    kind=Kind.TRUTH,
    meaning="Takes at present: {}.",
    reads=READS,
)
def takes(context: Features, drug_class: str) -> Feature:
    """Current use of a class; planned and paused courses are no use. Evidence carries the start of each course.

    Unknown where the only record is "active" without a sign of life within settings.active_record_months
    (decision 34), or a diagnosis code states the use that the drug list does not show.
    """
    if drug_class == "calcium_vitamin_d":
        return _calcium_with_vitamin_d(context)
    counted = courses(context, drug_class)
    current = [course for course in counted if course.status is CourseStatus.CURRENT]
    if current:
        return known(True, [course_evidence(drug_class, course) for course in current])
    return _not_current(context, drug_class, counted)


@family(
    "doubtful_use",
    CLASS,
    kind=Kind.TRUTH,
    meaning="On record as active, without a sign of life: {}.",
    reads=READS,
)
def doubtful_use(context: Features, drug_class: str) -> Feature:
    """A course of the class may or may not run (decision 34), and none surely does."""
    counted = courses(context, drug_class)
    doubtful = _doubtful(drug_class, counted)
    if doubtful and not any(course.status is CourseStatus.CURRENT for course in counted):
        return known(True, doubtful)
    return none_listed(context, drug_class)


def _doubtful(drug_class: str, counted: Iterable[CourseFact]) -> list[Evidence]:
    """The courses that may or may not run."""
    return [
        course_evidence(drug_class, course, note(_DOUBTS[course.status]))
        for course in counted
        if course.status in _DOUBTS
    ]


def _not_current(context: Features, drug_class: str, counted: tuple[CourseFact, ...]) -> Feature:
    doubtful = _doubtful(drug_class, counted)
    if doubtful:
        unidentified = all(course.status is not CourseStatus.UNKNOWN for course in counted)
        why = NOT_IDENTIFIED if unidentified else "active on record without a recent sign of use"
        return unknown(why, use_name(drug_class), evidence=doubtful)
    if not asked(context):
        return not_asked(drug_class)
    code = stated_by(drug_class)
    stated = context.conditions(code) if code else ()
    if stated:
        shown = [Evidence(drug_class, "long-term use coded", None, fact.recorded, fact.ref) for fact in stated]
        return unknown("long-term use is coded, the drug is not listed", use_name(drug_class), evidence=shown)
    return none_on_record()


def _calcium_with_vitamin_d(context: Features) -> Feature:
    """Both at present, in one product or in two."""
    combined = running_courses(context, "calcium_vitamin_d")
    if combined:
        return known(True, [course_evidence("calcium_vitamin_d", course) for course in combined])
    parts = (context.feature("takes.calcium"), context.feature("takes.vitamin_d"))
    if all(part.value is True for part in parts):
        return known(True, [item for part in parts for item in part.evidence])
    if any(part.value is False for part in parts):
        doubtful = [c for c in courses(context, "calcium_vitamin_d") if c.status is CourseStatus.UNKNOWN]
        return none_on_record() if not doubtful else unknown("not recently confirmed", "calcium_vitamin_d_use")
    missing = dict.fromkeys(name for part in parts for name in part.missing)
    return unknown("current use not known", *missing)


@family("ever_took", CLASS, kind=Kind.TRUTH, meaning="Takes or has taken: {}.", reads=READS)
def ever_took(context: Features, drug_class: str) -> Feature:
    """Any begun course of the class, running or not."""
    begun = [course for course in courses(context, drug_class) if course.status in BEGUN]
    if begun:
        return known(True, [course_evidence(drug_class, course) for course in begun])
    return none_listed(context, drug_class)


@family(
    "months_on",
    CLASS,
    kind=Kind.NUMBER,
    unit="months",
    meaning="Months of current use without a break: {}.",
    reads=READS,
)
def months_on(context: Features, drug_class: str) -> Feature:
    """Months since the start of the current use; courses with a gap up to one interval and 30 days are one use.

    Not taking the class: 0. Start not recorded: unknown (start_date).
    """
    taking = context.feature(f"takes.{drug_class}")
    if taking.value is False:
        return known(Decimal(0))
    if taking.value is None:
        return unknown(taking.why_unknown or "current use not known", *taking.missing, evidence=taking.evidence)
    chain = current_chain(context, drug_class)
    evidence = [course_evidence(drug_class, course) for course in chain] or list(taking.evidence)
    start = current_start(context, drug_class)
    if start is None:
        return unknown("start not recorded", "start_date", evidence=evidence)
    low, high = months_since(start, context.today)
    return interval(low, high, evidence, missing=("start_date",))


@family("stopped", CLASS, kind=Kind.TRUTH, meaning="Taken before and not at present: {}.", reads=READS)
def stopped(context: Features, drug_class: str) -> Feature:
    """A begun course has ended and none of the class runs.

    Known bone metastasis does not matter here: the warning about stopping denosumab stays (decision 10).
    """
    begun = taken(context, drug_class)
    current = [course for course in begun if course.status is CourseStatus.CURRENT]
    if current:
        return known(False, [course_evidence(drug_class, course) for course in current])
    doubtful = _doubtful(drug_class, begun)
    if doubtful:
        return unknown("active on record without a recent sign of use", use_name(drug_class), evidence=doubtful)
    ended = [course for course in begun if course.status is CourseStatus.PAST]
    if ended:
        return known(True, [one for course in ended for one in end_evidence(drug_class, course)])
    return none_listed(context, drug_class)


@family("intolerant", CLASS, kind=Kind.TRUTH, meaning="Does not tolerate: {}.", reads=("allergies", *READS))
def intolerant(context: Features, drug_class: str) -> Feature:
    """A recorded allergy or intolerance to the class, or a course of it stopped for an adverse effect."""
    evidence = [
        Evidence(f"{drug_class}_intolerance", fact.reaction or True, None, fact.recorded, fact.ref)
        for fact in sorted(context.chart.intolerances, key=lambda fact: fact.ref)
        if drug_class in fact.drugs
    ]
    evidence += [
        Evidence(
            f"{drug_class}_intolerance",
            course.stop_reason,
            None,
            course.ended,
            course.refs[0],
            (note(NoteCode.REASON_FOR_STOPPING),),
        )
        for course in _stopped_for_harm(context)
        if belongs(course, drug_class)
    ]
    if evidence:
        return known(True, evidence)
    if context.chart.provided(Source.ALLERGIES):
        return none_on_record()
    return unknown("allergies not provided", f"{drug_class}_intolerance")


_STOPPED_FOR_HARM: Memo[None, list[CourseFact]] = Memo()


def _stopped_for_harm(context: Features) -> list[CourseFact]:
    """The courses that were stopped for an adverse effect; used for each class, so kept for the patient."""
    kept = _STOPPED_FOR_HARM.of(context)
    if None not in kept:
        kept[None] = [course for course in every_course(context) if course.stop_reason and _adverse(course.stop_reason)]
    return kept[None]


def _adverse(reason: str) -> bool:
    text = reason.casefold().replace("-", " ").replace("_", " ")
    words: list[str] = terminology().raw["text-patterns"]["adverse_effects"]
    return any(word in text for word in words)


@feature(
    "poor_adherence", Kind.TRUTH, meaning="Takes the bone drug poorly, known or suspected.", reads=("observations",)
)
def poor_adherence(context: Features) -> Feature:
    """The newest recorded adherence to a bone drug is poor or suspected poor; no question on record = unknown."""
    for fact in context.observations("adherence"):
        words = {word.replace("-", "_") for word in fact.answer}
        if words & {"poor", "suspected_poor"}:
            return known(True, [observed("adherence", fact)])
        if "good" in words:
            return known(False, [observed("adherence", fact)])
    return unknown("not recorded", "adherence")


@feature("zoledronate_due", Kind.TRUTH, meaning="An infusion of zoledronate is due or ordered.", reads=READS)
def zoledronate_due(context: Features) -> Feature:
    """Zoledronate is ordered, or runs with its last infusion at least 11 months ago (yearly dose, one month ahead)."""
    ordered = context.feature("ordered.zoledronate")
    if ordered.value is True:
        return ordered
    running = context.feature("takes.zoledronate")
    if running.value is not True:
        return running
    since = context.feature("months_since_last_dose.zoledronate")
    due = (acts_months(frozenset({"zoledronate"})) or 0) - 1
    evidence = (*running.evidence, *since.evidence)
    if isinstance(since.value, Decimal):
        return known(since.value >= due, evidence)
    if since.low is not None and since.low >= due:
        return known(True, evidence)
    if since.high is not None and since.high < due:
        return known(False, evidence)
    return unknown(since.why_unknown or "last dose not known", "last_dose_date", evidence=evidence)


@feature("balance_affecting_drugs", Kind.WORDS, meaning="Names of current drugs that affect balance.", reads=READS)
def balance_affecting_drugs(context: Features) -> Feature:
    """The names, as recorded, of current drugs of the class `balance_affecting`; empty when none is listed."""
    taking = context.feature("takes.balance_affecting")
    if taking.value is None:
        return taking
    names = frozenset(str(item.value) for item in taking.evidence) if taking.value is True else frozenset()
    return known(names, taking.evidence)
