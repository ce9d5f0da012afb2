"""What one Observation, or one component of it, says: its question, its day, its number or answer, its normal range."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from app.chart import DateRange, DensityKind, DensitySite, Interpretation, ObservationFact, UnusableValue
from app.fhir.observations.densities import density_concept, density_in_text, number_of
from app.fhir.resource import Reading, Resource
from app.terminology.code_sets import TextPattern, terminology
from app.terminology.codeable_concept import codings, name_of, objects, words
from app.terminology.codes import Match, named_result
from app.terminology.units import QuantityRule, Unusable, factor_of, measure, rule_for, to_decimal

Limits = dict[tuple[object, ...], Decimal | None]
"""Limits of normal ranges as written, with what they are in the canonical unit."""

_INTERPRETATIONS = {
    "L": Interpretation.LOW,
    "LL": Interpretation.LOW,
    "LU": Interpretation.LOW,
    "<": Interpretation.LOW,
    "N": Interpretation.NORMAL,
    "H": Interpretation.HIGH,
    "HH": Interpretation.HIGH,
    "HU": Interpretation.HIGH,
    ">": Interpretation.HIGH,
    "A": Interpretation.ABNORMAL,
    "AA": Interpretation.ABNORMAL,
}
_ANSWER_WORDS = {
    "menopausal_status_post": "post",
    "menopausal_status_pre": "pre",
    "smoking_status_current": "current",
    "smoking_status_former": "former",
    "smoking_status_never": "never",
}
_YES, _NO = "answer_yes", "answer_no"
_ANSWERS = frozenset({"valueBoolean", "valueCodeableConcept", "valueString"})
_NO_ANSWER: frozenset[str] = frozenset()
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Question:
    """What Observation.code asks: its concepts, the density that it measures if any, the rule for its numbers."""

    found: Match
    density: tuple[DensityKind, DensitySite] | None
    rule: QuantityRule | None


def question_of(code: object) -> Question | None:
    """The question of an Observation or component; None where neither code nor words are known."""
    found = named_result(code)
    density = density_concept(found)
    if not found.concepts:
        density = density_in_text(found.text) if found.text and not found.meanings else None
        if density is None:
            return None
    return Question(found, density, rule_for(found.concepts))


def when(resource: Resource, reading: Reading) -> tuple[DateRange | None, int]:
    """The day of a measurement, and its place among those of the day.

    The place grows with the moment of the measurement, then of its issue; 0 where neither has a time of day.
    """
    written = resource.get("effectiveDateTime")
    if written is None:
        written = resource.get("effectiveInstant")
    effective, seconds = reading.moment(written)
    period = resource.get("effectivePeriod") if written is None else None
    if isinstance(period, dict):
        effective = reading.date(period.get("end")) or reading.date(period.get("start"))
    return effective, seconds * 10**12 + reading.seconds(resource.get("issued"))


def read_values(
    part: dict[str, Any],
    whole: dict[str, Any],
    question: Question,
    ref: str,
    effective: DateRange | None,
    order: int,
    preliminary: bool,
    reading: Reading,
    limits: Limits,
) -> ObservationFact | None:
    """The fact; None where the value cannot be used, which is noted in `reading.unusable`.

    `part`: the Observation or its component; `whole`: the Observation.
    """
    found, rule = question.found, question.rule
    value, unit, comparator = None, None, None
    low, high = None, None
    quantity = number_of(part)
    text = part.get("valueString")
    if not isinstance(text, str):
        text = None
    if part.get("valueDateTime") is not None:
        text = str(part["valueDateTime"])
    if text is None and part.get("method"):  # "FRAX with BMD": how a number was obtained can decide what it means
        text = words(part["method"]) or None
    if quantity is not None and rule is not None:
        result = measure(rule, quantity)
        if isinstance(result, Unusable):
            reading.unusable.append(UnusableValue(ref, found.concepts, result.reason, result.shown))
            return None
        if result is not None:
            value, unit, comparator = result.value, result.unit, result.comparator
            low, high = _reference_range(part, quantity, rule, limits)
    answer, boolean = _answer(part, found, reading) if not _ANSWERS.isdisjoint(part) else (_NO_ANSWER, None)
    body_site = part.get("bodySite") or whole.get("bodySite")
    return ObservationFact(  # by place: naming sixteen members takes longer than reading the number
        ref,
        found.concepts,
        effective,
        value,
        unit,
        comparator,
        boolean,
        answer,
        text[:_MAX_TEXT] if text else None,
        _interpretation(part),
        low,
        high,
        name_of(body_site) or None if body_site else None,
        preliminary,
        found.by_text,
        order,
    )


def _answer(part: dict[str, Any], found: Match, reading: Reading) -> tuple[frozenset[str], bool | None]:
    """The coded answer, and whether it says yes or no."""
    boolean = part.get("valueBoolean")
    if isinstance(boolean, bool):
        return frozenset(), boolean
    concept = part.get("valueCodeableConcept")
    if isinstance(concept, dict):
        answer = set(reading.recall(named_result, concept).concepts)
        text = words(concept)
    elif isinstance(part.get("valueString"), str):
        concept, answer, text = None, set(), part["valueString"].strip()
    else:
        return frozenset(), None
    if not answer:
        answer = _word_of_list(text, found)
    answer |= {_ANSWER_WORDS[name] for name in answer if name in _ANSWER_WORDS}
    yes, no = _yes_no()
    single = [word.strip() for word in text.split(" | ")]
    if _YES in answer or (not answer and any(yes.found_in(word) for word in single)):
        return frozenset(answer), True
    if _NO in answer or (not answer and any(no.found_in(word) for word in single)):
        return frozenset(answer), False
    return frozenset(answer), None


def _word_of_list(text: str, found: Match) -> set[str]:
    """An answer that is only a word: taken where the closed list of the question has it."""
    terms = terminology()
    word = text.strip().lower().replace("-", "_").replace(" ", "_")
    allowed = {a for c in found.concepts if c in terms.findings for a in terms.findings[c].answers}
    return {word} if word in allowed else set()


@cache
def _yes_no() -> tuple[TextPattern, TextPattern]:
    table = terminology().raw["text-patterns"]
    return TextPattern(table["yes"]), TextPattern(table["no"])


def _interpretation(part: Resource) -> Interpretation | None:
    listed = part.get("interpretation")
    if not listed:
        return None
    for concept in objects(listed):
        for coding in codings(concept):
            code = coding.get("code")
            meant = _INTERPRETATIONS.get(code.strip().upper()) if isinstance(code, str) else None
            if meant is not None:
                return meant
    return None


def _reference_range(
    part: Resource, quantity: dict[str, Any], rule: QuantityRule, known: Limits
) -> tuple[Decimal | None, Decimal | None]:
    """The limits of the laboratory's normal range in the canonical unit; those of other ranges are not read.

    A limit without a unit of its own has the unit of the value.
    """
    for entry in objects(part.get("referenceRange")):
        if "type" in entry:
            kind = [str(coding.get("code")) for coding in codings(entry["type"])]
            if kind and "normal" not in kind:
                continue
        low = _limit(entry.get("low"), quantity, rule, known)
        high = _limit(entry.get("high"), quantity, rule, known)
        if low is not None or high is not None:
            return low, high
    return None, None


def _limit(limit: object, quantity: dict[str, Any], rule: QuantityRule, known: Limits) -> Decimal | None:
    """One limit. `known`: those that were worked out before; a laboratory writes the same range beside every result."""
    if not isinstance(limit, dict):
        return None
    holder = limit if limit.get("unit") or limit.get("code") else quantity
    written = limit.get("value")
    # the type as well: 70 and 70.0 are equal, and not the same Decimal
    key = (rule.name, written, type(written), holder.get("unit"), holder.get("code"))
    try:
        if key not in known:
            known[key] = _converted(written, holder, rule)
        return known[key]
    except TypeError:  # a list or object where a number or text belongs
        return _converted(written, holder, rule)


def _converted(written: object, holder: dict[str, Any], rule: QuantityRule) -> Decimal | None:
    value, factor = to_decimal(written), factor_of(rule, holder)
    return None if value is None or factor is None else value * factor
