"""The summary of a card: one line with the action and its reasons, the most urgent first (decision 68).

Reasons that do not fit are left out, and the detail has all of them: no ellipsis stands for a reason. Where nothing can
be suggested, or no source forbids the drug at hand, the advice has a text of its own (`Variant`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.advice.model import Advice, OptionStatus
from app.cards.wording import Wording
from app.cds_hooks.response import SUMMARY_LIMIT, fit_summary
from app.engine.locale import AdviceTexts, Variant, VariantTexts
from app.engine.schema import Strength
from app.record_text import shortened

FORBIDS = frozenset({Strength.CONTRAINDICATED, Strength.MUST})
"""Strengths with which a source forbids a drug; with any other it is not recommended."""
_EMPTY_ENDS = " :;,()：；，（）"
_SHORTEST_NAME = 20
"""A name is not shortened below this number of characters."""


def texts_of(advice: Advice, wording: Wording) -> AdviceTexts | VariantTexts:
    """The texts of an advice in the variant that applies."""
    texts = wording.locale.advice[advice.id]
    variant = next((one for one in variants_of(advice) if one in texts.variants), None)
    return texts if variant is None else texts.variants[variant]


def action_of(advice: Advice, wording: Wording) -> str:
    """What to do, in the variant that applies."""
    return texts_of(advice, wording).action or wording.locale.advice[advice.id].action


def variants_of(advice: Advice) -> Iterator[Variant]:
    """The variants that apply, the first that has a text counts."""
    if advice.known_already:
        yield Variant.KNOWN_ALREADY
    if advice.no_drug_reasons:
        yield Variant.NONE_SUGGESTED
    statuses = {option.status for option in advice.options}
    if advice.kind.block.purpose:
        if OptionStatus.WITHHELD in statuses and not statuses & {OptionStatus.OFFERED, OptionStatus.NAMED}:
            yield Variant.DATA_FIRST
        elif statuses and not statuses & {OptionStatus.OFFERED, OptionStatus.NAMED}:
            yield Variant.NONE_SUGGESTED
        elif advice.options and advice.no_suggestion and advice.missing:
            yield Variant.DATA_FIRST
    rules = [cited.rule.block.drug_rule for cited in advice.triggered_by]
    if rules and all(rule is not None and rule.correctable for rule in rules):
        yield Variant.CORRECTABLE
    if not any(cited.rule.block.strength in FORBIDS for cited in advice.triggered_by):
        yield Variant.NOT_FORBIDDEN


def summary_of(advice: Advice, wording: Wording) -> str:
    """One line of at most `SUMMARY_LIMIT` characters: what to do and why."""
    template = texts_of(advice, wording).summary
    reasons, name = _reasons(advice, wording), wording.drug_of(advice)
    missing = _missing(advice, wording) if "{missing}" in template else [""]
    for data in missing:
        for kept in range(len(reasons), 0, -1):
            line = _line(template, wording, reasons[:kept], data, name)
            if len(line) <= SUMMARY_LIMIT:
                return fit_summary(line)
    # A long name from the record gives way, not the reason.
    room = SUMMARY_LIMIT - len(_line(template, wording, reasons[:1], missing[-1], ""))
    shorter = shortened(name, max(room, _SHORTEST_NAME))
    return fit_summary(_line(template, wording, reasons[:1], missing[-1], shorter))


def _line(template: str, wording: Wording, reasons: Sequence[str], missing: str, name: str) -> str:
    because = wording.phrases.semicolon.join(filter(None, reasons))
    line = template.format(because=because, missing=missing, order=name, drug=name)
    return line if because else line.rstrip(_EMPTY_ENDS)


def _reasons(advice: Advice, wording: Wording) -> list[str]:
    """The reasons, the most urgent first; never empty: an empty text stands where there is none."""
    known = wording.locale.gate_reasons
    gates = [known[remark] for remark in advice.no_drug_reasons if remark in known]
    triggers = [wording.statement(cited.rule).because for cited in advice.triggered_by]
    reasons = list(dict.fromkeys(filter(None, [*gates, *triggers])))
    return reasons or [wording.listed(advice.missing)]


def _missing(advice: Advice, wording: Wording) -> list[str]:
    """What must be known first, by name, and in a word where the names do not fit."""
    withheld = [datum for option in advice.options for datum in option.missing]
    named = wording.listed(withheld or advice.missing)
    return [named, wording.phrases.missing_data] if named else [wording.phrases.missing_data]
