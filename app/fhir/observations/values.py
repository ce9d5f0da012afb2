"""One Observation, or one component of it: its question, its day, its number or answer, its normal range."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from app.chart import (
    DateRange,
    DensityKind,
    DensitySite,
    Interpretation,
    ObservationFact,
    UnusableReason,
    UnusableValue,
)
from app.fhir.observations.densities import RULE_OF_KIND, density_concept, number_of, text_of
from app.fhir.resource import NOT_THE_VALUE, NOT_UNDERSTOOD, Reading
from app.terminology.code_sets import TextPattern, terminology
from app.terminology.codeable_concept import name_of, words
from app.terminology.codes import Match, canonical_system, named_result
from app.terminology.density_words import Standing, density_in_words, says_not_the_value
from app.terminology.units import QuantityRule, Unusable, factor_of, measure, rule_for, to_decimal, with_unit
from app.wire.elements import CodeableConcept, Number, Quantity
from app.wire.observations import Observation, Result

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
_MAX_TEXT = 200
_MAX_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Question:
    """What Observation.code asks: its concepts, the density that it measures if any, the rule for its numbers.

    `refused`: the reason in the words of the code for which the number is not used.
    """

    found: Match
    density: tuple[DensityKind, DensitySite] | None
    rule: QuantityRule | None
    refused: str | None = None
    is_finding: bool = False  # the code itself is the finding: without a value it states it (decision 61)

    @property
    def concepts(self) -> frozenset[str]:
        """Its concepts, also where only words name densitometry."""
        return self.found.concepts or frozenset({RULE_OF_KIND[self.density[0]]} if self.density else ())

    @property
    def is_dxa(self) -> bool:
        """Whether it is about a DXA, with a number or without."""
        return any(concept.startswith("dxa_") for concept in self.found.concepts)


def question_of(code: CodeableConcept | None) -> Question | None:
    """The question of an Observation or component; None where neither code nor words are known."""
    found = named_result(code)
    if found.concepts:
        density = density_concept(found)
        earlier = density is not None and bool(found.text) and says_not_the_value(found.text)
        refused = NOT_THE_VALUE if earlier else None
        return Question(found, density, _rule_of(found), refused, _is_finding(code, found.concepts))
    return _question_in_words(found) if found.text and not found.meanings else None


def _rule_of(found: Match) -> QuantityRule | None:
    rule = rule_for(found.concepts)
    unit = next((meaning.unit for meaning in found.meanings if meaning.unit), None)
    return with_unit(rule, unit) if rule is not None and unit else rule


_STATED_BY_CODE = frozenset(
    {
        "parental_hip_fracture",
        "parental_vertebral_fracture",
        "family_history_osteoporosis",
        "family_history_of_osteoporosis",
        "menopausal_status_post",
    }
)
"""Concepts of the group of observations whose codes are statements, no questions."""


def _is_finding(code: CodeableConcept | None, concepts: frozenset[str]) -> bool:
    """Whether a code names a finding or a disease itself; a LOINC code is always a question."""
    systems = {known[0] for coding in code.coding if (known := canonical_system(coding.system))} if code else set()
    if not systems - {"loinc"}:
        return False
    terms = terminology()
    return any(
        terms.groups.get(concept) == "condition"
        or concept in _STATED_BY_CODE
        or ((finding := terms.findings.get(concept)) is not None and finding.value == "valueBoolean")
        for concept in concepts
    )


def _has_value(part: Result) -> bool:
    """Whether a part has a value of any kind that is read, or parts of its own."""
    values = (
        part.value_quantity,
        part.value_integer,
        part.value_decimal,
        part.value_string,
        part.value_boolean,
        part.value_codeable_concept,
        part.value_date_time,
    )
    return any(value is not None for value in values) or (isinstance(part, Observation) and bool(part.component))


_REFUSED = {Standing.NOT_THE_VALUE: NOT_THE_VALUE, Standing.UNCLEAR: NOT_UNDERSTOOD}


def _question_in_words(found: Match) -> Question | None:
    """The question of densitometry that only words name (decision 55)."""
    said = density_in_words(found.text)
    if said.kind is None:
        return None
    return Question(found, (said.kind, said.site or DensitySite.UNKNOWN), None, _REFUSED.get(said.standing))


def when(resource: Observation, reading: Reading) -> tuple[DateRange | None, int]:
    """The day of a measurement, and its place among those of the day.

    The place grows with the moment of the measurement, then of its issue; 0 where neither has a time of day.
    """
    written = resource.effective_date_time
    if written is None:
        written = resource.effective_instant
    effective, seconds = reading.moment(written)
    period = resource.effective_period if written is None else None
    if period is not None:
        effective = reading.date(period.end) or reading.date(period.start)
    return effective, seconds * 10**12 + reading.seconds(resource.issued)


def read_values(
    part: Result,
    whole: Observation,
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
    text = part.value_string
    if part.value_date_time is not None:
        text = part.value_date_time
    if text is None and part.method is not None:  # "FRAX with BMD": how a number was obtained can decide what it means
        text = words(part.method) or None
    if quantity is not None and rule is not None:
        result = measure(rule, quantity)
        if isinstance(result, Unusable):
            reading.unusable.append(UnusableValue(ref, found.concepts, result.reason, result.shown))
            return None
        if result is not None:
            value, unit, comparator = result.value, result.unit, result.comparator
            low, high = _reference_range(part, quantity, rule, limits)
    answer, boolean = _answer(part, found, reading)
    if question.is_finding and boolean is None and not (answer & found.concepts):
        if not _has_value(part):
            boolean = True
        else:
            shown = words(part.value_codeable_concept) or str(part.value_string or "")
            reading.unusable.append(UnusableValue(ref, found.concepts, UnusableReason.IN_WORDS, shown[:_MAX_SHOWN]))
    words_alone = text_of(part) if rule is not None and value is None and not answer and boolean is None else None
    if words_alone is not None and question.density is None:  # a number was expected, and words are there
        reading.unusable.append(UnusableValue(ref, found.concepts, UnusableReason.IN_WORDS, words_alone[:_MAX_SHOWN]))
    body_site = part.body_site or whole.body_site
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
        name_of(body_site) or None,
        preliminary,
        found.by_text,
        order,
    )


def _answer(part: Result, found: Match, reading: Reading) -> tuple[frozenset[str], bool | None]:
    """The coded answer, and whether it means yes or no."""
    if part.value_boolean is not None:
        return frozenset(), part.value_boolean
    concept = part.value_codeable_concept
    if concept is not None:
        answer = set(reading.recall(named_result, concept).concepts)
        text = words(concept)
    elif part.value_string is not None:
        answer, text = set(), part.value_string.strip()
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


def _interpretation(part: Result) -> Interpretation | None:
    for concept in part.interpretation:
        for coding in concept.coding:
            meant = _INTERPRETATIONS.get(coding.code.strip().upper()) if coding.code is not None else None
            if meant is not None:
                return meant
    return None


def _reference_range(
    part: Result, quantity: Quantity, rule: QuantityRule, known: Limits
) -> tuple[Decimal | None, Decimal | None]:
    """The limits of the laboratory's normal range in the canonical unit; those of other ranges are not read.

    A limit without a unit of its own has the unit of the value.
    """
    for entry in part.reference_range:
        kinds = entry.type.coding if entry.type is not None else ()
        if kinds and not any(coding.code == "normal" for coding in kinds):
            continue
        low = _limit(entry.low, quantity, rule, known)
        high = _limit(entry.high, quantity, rule, known)
        if low is not None or high is not None:
            return low, high
    return None, None


def _limit(limit: Quantity | None, quantity: Quantity, rule: QuantityRule, known: Limits) -> Decimal | None:
    """One limit. `known`: those that were worked out before; a laboratory writes the same range beside every result."""
    if limit is None:
        return None
    holder = limit if limit.unit or limit.code else quantity
    written = limit.value
    # the type as well: 70 and 70.0 are equal, and not the same Decimal
    key = (rule.name, written, type(written), holder.unit, holder.code)
    if key not in known:
        known[key] = _converted(written, holder, rule)
    return known[key]


def _converted(written: Number, holder: Quantity, rule: QuantityRule) -> Decimal | None:
    value, factor = to_decimal(written), factor_of(rule, holder.code, holder.unit)
    return None if value is None or factor is None else value * factor
