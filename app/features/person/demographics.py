"""Who the patient is: age, sex, menopause, pregnancy, frailty of age."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.chart import DateRange, Sex
from app.dates import newest_first, within_months, years_between
from app.features.catalogue import feature
from app.features.history.diagnoses import condition_evidence, confirmed
from app.features.model import (
    Evidence,
    Feature,
    Features,
    Kind,
    any_of,
    below,
    interval,
    known,
    negated,
    observed,
    unknown,
)
from app.features.notes import NoteCode, note
from app.features.readings import number, says, words_of

FULL_AGE = 18
PREGNANCY_NOT_ASKED_FROM = 60
"""From this age on a missing pregnancy record is read as "not pregnant"; a rule of the product."""
MONTHS_WITHOUT_PERIOD = 12
"""Menopause is defined by a year without a period (WHO Technical Report Series 866, 1996)."""


@feature("age_years", Kind.NUMBER, "years", meaning="Age in whole years today.", reads=("patient",))
def age_years(context: Features) -> Feature:
    """Completed calendar years; a partial birth date gives an interval."""
    born = context.chart.patient.birth_date
    if born is None:
        return unknown("birth date not recorded", "age")
    low, high = (Decimal(years_between(day, context.today)) for day in (born.latest, born.earliest))
    ref = f"Patient/{context.chart.patient.id}"
    shown = [Evidence("age", low if low == high else f"{low}-{high}", "years", born, ref)]
    return interval(low, high, shown, missing=("age",), why="birth date known only in part")


@feature("sex", Kind.WORD, words=("female", "male"), meaning="Sex as it selects a rule.", reads=("patient",))
def sex(context: Features) -> Feature:
    """Administrative gender, female or male; anything else is unknown."""
    value = context.chart.patient.sex
    if value is None:
        return unknown("sex not recorded as female or male", "sex")
    return known(value.value, [Evidence("sex", value.value, None, None, f"Patient/{context.chart.patient.id}")])


@feature("under_18", Kind.TRUTH, meaning="Younger than 18 years.", reads=("patient",))
def under_18(context: Features) -> Feature:
    """Not of full age: no drug is suggested (contract section 3, a rule of the product)."""
    return below(context.feature("age_years"), FULL_AGE)


@feature("elderly", Kind.TRUTH, meaning="Elderly as the guideline for the elderly means it.", reads=("patient",))
def elderly(context: Features) -> Feature:
    """At least settings.elderly_from_age years (decision 6)."""
    return negated(below(context.feature("age_years"), context.settings.elderly_from_age))


@feature(
    "orthogeriatric", Kind.TRUTH, meaning="Orthogeriatric patient: old or frail.", reads=("patient", "observations")
)
def orthogeriatric(context: Features) -> Feature:
    """At least settings.orthogeriatric_from_age years, or stated as frail (inventory 000: the source names no age)."""
    old = negated(below(context.feature("age_years"), context.settings.orthogeriatric_from_age))
    return any_of([old, context.feature("frail")])


def _sex(context: Features) -> Sex | None:
    return context.chart.patient.sex


@feature(
    "pregnant_or_breastfeeding",
    Kind.TRUTH,
    meaning="Pregnant or breastfeeding.",
    reads=("patient", "observations", "conditions"),
)
def pregnant_or_breastfeeding(context: Features) -> Feature:
    """A present record of pregnancy or lactation, not older than the age limit of laboratory values.

    Men, women with recorded menopause and women from 60 without a record: false. Younger without a record: unknown.
    """
    if _sex(context) is Sex.MALE:
        return known(False)
    limit = context.settings.max_age_months["laboratory"]
    stated = [
        condition_evidence("pregnancy", fact)
        for fact in context.conditions("pregnancy_positive", "lactation")
        if confirmed(fact, present_only=True)
        and within_months(fact.onset or fact.recorded, limit, context.today) is not False
    ]
    if stated:
        return known(True, stated)
    denied: list[Evidence] = []
    for concept in ("pregnancy_status", "pregnancy_positive", "lactation"):
        for fact in context.observations(concept)[:1]:
            if within_months(fact.effective, limit, context.today) is not True:
                continue
            answer = _pregnancy_answer(words_of(fact), says(fact, concept))
            if answer:
                return known(True, [observed("pregnancy", fact)])
            if answer is False and concept != "lactation":
                denied.append(observed("pregnancy", fact))
    if denied or any(
        within_months(f.effective, limit, context.today) for f in context.observations("pregnancy_negative")
    ):
        return known(False, denied)
    status = context.feature("menopausal_status")
    if status.value == "post" and any(item.resource for item in status.evidence):
        return known(False, status.evidence)
    return _unasked_pregnancy(context)


@feature("pregnant", Kind.TRUTH, meaning="Pregnant.", reads=("patient", "observations", "conditions"))
def pregnant(context: Features) -> Feature:
    """A present record of pregnancy, not older than the age limit of laboratory values, that no newer one denies."""
    either = context.feature("pregnant_or_breastfeeding")
    if either.value is not True:
        return either
    limit = context.settings.max_age_months["laboratory"]
    stated = [
        condition_evidence("pregnancy", fact)
        for fact in context.conditions("pregnancy_positive")
        if confirmed(fact, present_only=True)
        and within_months(fact.onset or fact.recorded, limit, context.today) is not False
    ]
    for concept in ("pregnancy_status", "pregnancy_positive"):
        for fact in context.observations(concept)[:1]:
            recent = within_months(fact.effective, limit, context.today) is True
            if recent and _pregnancy_answer(words_of(fact), says(fact, concept)):
                stated.append(observed("pregnancy", fact))
    return known(bool(stated), stated or either.evidence)


def _pregnancy_answer(answers: frozenset[str], said: bool | None) -> bool | None:
    if "pregnancy_positive" in answers:
        return True
    if "pregnancy_negative" in answers:
        return False
    return said


def _unasked_pregnancy(context: Features) -> Feature:
    young = below(context.feature("age_years"), PREGNANCY_NOT_ASKED_FROM)
    if young.value is False:
        return known(False)
    return unknown("not recorded", "pregnancy")


@feature("menopause_age_years", Kind.NUMBER, "years", meaning="Age at menopause as recorded.", reads=("observations",))
def menopause_age_years(context: Features) -> Feature:
    """The newest recorded age at menopause; it does not age."""
    return number(context, ("menopause_age",), "menopause_age")


@feature(
    "menopausal_status",
    Kind.WORD,
    words=("pre", "peri", "post"),
    meaning="Menopausal status of a woman.",
    reads=("patient", "observations", "conditions"),
)
def menopausal_status(context: Features) -> Feature:
    """The newest statement: finding, coded state, age at menopause reached, or a year without a period.

    Women from settings.postmenopausal_from_age without one, or with "pre" or "peri" recorded before that age, count as
    postmenopausal, said in the evidence (decision 1). Below: unknown. Men: unknown, nothing to ask for.
    """
    if _sex(context) is Sex.MALE:
        return unknown("does not apply to men")
    if _sex(context) is None:
        return unknown("sex not recorded", "sex")
    statements = _statements(context)
    if statements:
        _, word, evidence = min(statements, key=lambda item: (item[0], _RANK[item[1]], item[2].resource or ""))
        if word == "post" or not _before_assumed_age(context, evidence.date):
            return known(word, [evidence])
    return _assumed(context)


_RANK = {"post": 0, "peri": 1, "pre": 2}  # of statements of the same day the one that cannot turn back
Statement = tuple[tuple[int, int, int], str, Evidence]


def _statements(context: Features) -> list[Statement]:
    found: list[Statement] = []
    for fact in context.observations("menopausal_status", "menopausal_status_post", "menopausal_status_pre"):
        word = _word(words_of(fact) | (fact.concepts if fact.boolean is True else frozenset()))
        if word:
            shown = observed("menopausal_status", fact)
            evidence = Evidence(shown.feature, word, None, shown.date, shown.resource, shown.notes)
            found.append((newest_first(fact.effective), word, evidence))
    for concept, word in (
        ("menopausal_status_post", "post"),
        ("menopause_premature_early", "post"),
        ("menopausal_status_pre", "pre"),
    ):
        for condition in context.conditions(concept):
            if confirmed(condition, present_only=word == "pre"):
                early = (note(NoteCode.EARLY_MENOPAUSE),) if concept == "menopause_premature_early" else ()
                stated = condition_evidence("menopausal_status", condition, *early)
                evidence = Evidence("menopausal_status", word, None, stated.date, stated.resource, stated.notes)
                found.append((newest_first(condition.onset or condition.recorded), word, evidence))
    return found + _derived(context)


def _word(answers: frozenset[str]) -> str | None:
    for word in ("post", "peri", "pre"):
        if answers & {word, f"menopausal_status_{word}", f"menopausal-status-{word}"}:
            return word
    return None


def _derived(context: Features) -> list[Statement]:
    """The status "post" from the age at menopause, or from the last period a year ago or more."""
    found: list[Statement] = []
    at = context.feature("menopause_age_years")
    age = context.feature("age_years")
    lowest_age = age.value if isinstance(age.value, Decimal) else age.low
    if isinstance(at.value, Decimal) and lowest_age is not None and lowest_age >= at.value:
        shown = at.evidence[0]
        notes = (note(NoteCode.AGE_AT_MENOPAUSE, at.value),)
        found.append(
            (
                newest_first(shown.date),
                "post",
                Evidence("menopausal_status", "post", None, shown.date, shown.resource, notes),
            )
        )
    for fact in context.observations("last_menstrual_period")[:1]:
        day = _iso_day(fact.text)
        if day is not None and within_months(DateRange(day, day), MONTHS_WITHOUT_PERIOD, context.today) is False:
            notes = (note(NoteCode.LAST_MENSTRUAL_PERIOD, day),)
            found.append(
                (
                    newest_first(fact.effective),
                    "post",
                    Evidence("menopausal_status", "post", None, fact.effective, fact.ref, notes),
                )
            )
    return found


def _iso_day(text: str | None) -> date | None:
    """The day that the chart reader put down for a date answer; a partial date does not tell a year without period."""
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _before_assumed_age(context: Features, stated: DateRange | None) -> bool:
    """Whether a statement was made before the age from which menopause is assumed, which the woman has reached now."""
    born, limit = context.chart.patient.birth_date, context.settings.postmenopausal_from_age
    if born is None or years_between(born.latest, context.today) < limit:
        return False
    return stated is None or years_between(born.earliest, stated.earliest) < limit


def _assumed(context: Features) -> Feature:
    limit = context.settings.postmenopausal_from_age
    young = below(context.feature("age_years"), limit)
    if young.value is False:
        notes = (note(NoteCode.ASSUMED_FROM_AGE, limit),)
        return known("post", [Evidence("menopausal_status", "post", None, None, None, notes)])
    return unknown("not recorded", "menopausal_status")


@feature(
    "postmenopausal", Kind.TRUTH, meaning="Woman after menopause.", reads=("patient", "observations", "conditions")
)
def postmenopausal(context: Features) -> Feature:
    """Menopausal status is "post"; men: false."""
    return _status_is(context, "post")


@feature(
    "premenopausal", Kind.TRUTH, meaning="Woman before menopause.", reads=("patient", "observations", "conditions")
)
def premenopausal(context: Features) -> Feature:
    """Menopausal status is "pre" ("peri" is neither); men: false."""
    return _status_is(context, "pre")


def _status_is(context: Features, word: str) -> Feature:
    if _sex(context) is Sex.MALE:
        return known(False)
    status = context.feature("menopausal_status")
    return known(status.value == word, status.evidence) if status.known else status
