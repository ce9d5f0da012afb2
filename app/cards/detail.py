"""The detail of a card: what to do, why, the statements of the sources, what is missing and what is not suggested."""

from __future__ import annotations

from collections.abc import Iterable

from app.advice.draft import NAMES
from app.advice.model import Advice, Cited, DrugOption, OptionStatus, Role
from app.cards.explanation import EvidenceRenderer
from app.cards.wording import Wording, escaped
from app.chart import Availability
from app.engine.schema import Drug
from app.features.model import Evidence

FACTS = 12
"""Most facts that a card lists; the extension has all of them."""


def detail_of(advice: Advice, wording: Wording, facts: EvidenceRenderer) -> str:
    """The detail as GitHub Flavored Markdown, most important first. No HTML; what came from the record is escaped."""
    parts = [
        _action(advice, wording),
        _section(wording.phrases.why, _facts(advice.evidence, wording, facts)),
        _section(wording.phrases.options, _options(advice, wording)),
        _section(wording.phrases.tests, (wording.locale.orderables[t.id].name for t in advice.tests)),
        _section(wording.phrases.not_suggested, _not_suggested(advice, wording)),
        _section(wording.phrases.cautions, _cautions(advice, wording)),
        _section(wording.phrases.missing, [wording.listed(advice.missing)] if advice.missing else []),
        _section(wording.phrases.notes, [*_notes(advice, wording), *_incomplete(advice, wording)]),
        _section(wording.phrases.sources, _sources(advice, wording)),
    ]
    return "\n\n".join(part for part in parts if part)


def _action(advice: Advice, wording: Wording) -> str:
    action = wording.locale.advice[advice.id].action
    said = [
        wording.locale.remarks[key] for key in (*advice.replacement_text, *advice.preamble, *advice.no_drug_reasons)
    ]
    lines = [*said, action] if action and not advice.no_drug_reasons and not advice.replacement_text else said
    if after := wording.after(advice.id):
        lines = [*lines, after]
    if advice.kind.block.purpose and not advice.no_drug_reasons:
        lines += _why_no_order(advice, wording)
    if advice.orders:
        lines.insert(0, _about_orders(advice, wording))
    return "\n\n".join(lines)


def _about_orders(advice: Advice, wording: Wording) -> str:
    """Which of the orders at hand the card is about: how many and, up to a limit, their different names."""
    names = [escaped(name) for name in dict.fromkeys(order.course.name for order in advice.orders)]
    if len(advice.orders) == 1:
        return wording.phrases.about_order.format(order=names[0])
    listed = wording.phrases.list_separator.join(_first(names, wording))
    return wording.phrases.about_orders.format(count=str(len(advice.orders)), orders=listed)


def _first(names: list[str], wording: Wording) -> list[str]:
    """The first names, and how many more there are."""
    more = len(names) - NAMES
    return names[:NAMES] + ([wording.phrases.more_names.format(count=str(more))] if more > 0 else [])


def _why_no_order(advice: Advice, wording: Wording) -> list[str]:
    """Why a drug card offers no order: what must be known first, or that none of the drugs can be taken."""
    statuses = {option.status for option in advice.options}
    if statuses & {OptionStatus.OFFERED, OptionStatus.NAMED}:
        return [wording.phrases.no_order_yet] if advice.no_suggestion and advice.missing else []
    if OptionStatus.BLOCKED in statuses:
        return [wording.phrases.no_drug_left]
    return [wording.phrases.none_stocked] if statuses == {OptionStatus.NOT_STOCKED} else []


def _section(title: str, lines: Iterable[str]) -> str:
    items = [f"- {line}" for line in lines if line]
    return "\n".join([f"**{title}**", "", *items]) if items else ""


def _facts(evidence: tuple[Evidence, ...], wording: Wording, facts: EvidenceRenderer) -> list[str]:
    lines = list(dict.fromkeys(facts.rendered(one).line for one in evidence))
    more = len(lines) - FACTS
    return lines[:FACTS] + ([wording.phrases.more_facts.format(count=str(more))] if more > 0 else [])


def dose_of(drug: Drug, source_id: str | None, wording: Wording) -> str:
    """The dose text of a drug's order with where it comes from; empty where no source gives one."""
    key = source_id if source_id in drug.orders else "any"
    if key not in drug.orders:
        return ""
    texts = wording.locale.drugs[drug.id].orders[key]
    return f"{texts.text} ({texts.source_note})" if texts.source_note else texts.text


def _options(advice: Advice, wording: Wording) -> list[str]:
    lines = []
    for option in advice.options:
        if option.status not in {OptionStatus.OFFERED, OptionStatus.NAMED}:
            continue
        name = wording.locale.drugs[option.drug.id].name
        dose = dose_of(option.drug, None, wording)
        line = f"{name}: {dose}" if dose else wording.phrases.option_without_dose.format(drug=name)
        if instructions := wording.locale.drugs[option.drug.id].instructions:
            line += f". {instructions}"
        lines.append(line)
    if advice.calcium:
        drug, source = advice.calcium
        lines.append(f"{wording.locale.drugs[drug.id].name}: {dose_of(drug, source, wording)}")
    return lines


def _why_blocked(option: DrugOption, wording: Wording) -> str:
    reasons = [reason_of(cited, wording) for cited in option.blocked_by]
    if option.not_tolerated:
        itself = any(option.drug.course in evidence.feature for evidence in option.not_tolerated)
        reasons.append(wording.phrases.not_tolerated if itself else wording.phrases.kind_not_tolerated)
    return "; ".join(dict.fromkeys(reasons))


def _not_suggested(advice: Advice, wording: Wording) -> list[str]:
    lines = []
    for option in advice.options:
        name = wording.locale.drugs[option.drug.id].name
        if option.status is OptionStatus.BLOCKED:
            lines.append(f"{name}: {_why_blocked(option, wording)}")
        elif option.status is OptionStatus.NOT_STOCKED:
            lines.append(f"{name}: {wording.phrases.not_stocked}")
        elif option.status is OptionStatus.WITHHELD:
            lines.append(wording.phrases.needs_first.format(drug=name, data=wording.listed(option.missing)))
    return lines


def _cautions(advice: Advice, wording: Wording) -> list[str]:
    lines = []
    for option in advice.options:
        if option.status in {OptionStatus.BLOCKED, OptionStatus.NOT_STOCKED}:
            continue
        name = wording.locale.drugs[option.drug.id].name
        lines += [f"{name}: {reason_of(cited, wording)}" for cited in option.cautions]
    return list(dict.fromkeys(lines))


def _notes(advice: Advice, wording: Wording) -> list[str]:
    remarks = wording.locale.remarks
    lines = [remarks[key] for key in advice.notes]
    if advice.data_of:
        lines.append(wording.phrases.data_of_day.format(date=advice.data_of))
    lines += [remarks[key] for key in advice.disagreements]
    lines += _formulary(advice, wording)
    names = _first([escaped(name) for name in advice.not_recognised], wording)
    lines += [wording.phrases.not_recognised.format(drug=name) for name in names]
    lines += [wording.statement(c.rule).card_note for c in advice.triggered_by]
    distinct = list(dict.fromkeys(line for line in lines if line))
    # Recommendations of one source share remarks: a line that another one contains is left out.
    return [line for line in distinct if not any(other != line and other.startswith(line) for other in distinct)]


def _formulary(advice: Advice, wording: Wording) -> list[str]:
    """The order of the source, where that of the hospital's formulary is another one."""
    shown = [option for option in advice.options if option.status in {OptionStatus.OFFERED, OptionStatus.NAMED}]
    of_source = sorted(shown, key=lambda option: (option.demoted, option.rank, option.drug.id))
    if shown == of_source:
        return []
    names = wording.phrases.list_separator.join(wording.locale.drugs[option.drug.id].name for option in of_source)
    return [wording.phrases.formulary_order.format(drugs=names)]


def _incomplete(advice: Advice, wording: Wording) -> list[str]:
    """One line that says which of the lists that the advice rests on did not come, or not wholly."""
    if not advice.incomplete:
        return []
    phrases = wording.phrases
    forms = {
        Availability.FAILED: phrases.list_failed,
        Availability.PARTIAL: phrases.list_in_part,
        Availability.ABSENT: phrases.list_not_sent,
    }
    lists = [forms[came].format(name=wording.name(key)) for key, came in advice.incomplete]
    return [wording.phrases.incomplete.format(lists=wording.phrases.list_separator.join(lists))]


def reason_of(cited: Cited, wording: Wording) -> str:
    """Why a recommendation applies, in a few words, with its source."""
    texts = wording.statement(cited.rule)
    where = "; ".join([wording.source_of(cited.rule), *wording.local_limits(cited.rule)])
    return f"{texts.because or texts.statement} ({where})"


def _sources(advice: Advice, wording: Wording) -> list[str]:
    order = {Role.LEAD: 0, Role.FILL: 1, Role.SAFETY: 2}
    cited = sorted(advice.cited, key=lambda c: order[c.role])
    return [wording.citation(c.rule, safety=c.role is Role.SAFETY) for c in cited]
