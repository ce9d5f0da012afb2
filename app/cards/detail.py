"""The detail of a card: what to do, why, what the sources say, what is missing and what is not suggested."""

from __future__ import annotations

from collections.abc import Iterable

from app.advice.model import Advice, Cited, DrugOption, OptionStatus, Role
from app.cards.explanation import EvidenceRenderer
from app.cards.wording import Wording, escaped, in_language
from app.engine.schema import Drug
from app.features.model import Evidence

FACTS = 12
"""Most facts that a card lists; the extension has all of them."""


def detail_of(advice: Advice, wording: Wording, facts: EvidenceRenderer, *, incomplete: bool = False) -> str:
    """The detail as GitHub Flavored Markdown, most important first. No HTML; what came from the record is escaped.

    `incomplete`: a list of records came in part, which every card says (CDS Hooks, prefetch with further pages).
    """
    parts = [
        _action(advice, wording),
        _section(wording.text("why"), _facts(advice.evidence, wording, facts)),
        _section(wording.text("options"), _options(advice, wording)),
        _section(wording.text("tests"), (in_language(t.name, wording.language) for t in advice.tests)),
        _section(wording.text("not-suggested"), _not_suggested(advice, wording)),
        _section(wording.text("cautions"), _cautions(advice, wording)),
        _section(wording.text("missing"), [wording.listed(advice.missing)] if advice.missing else []),
        _section(
            wording.text("notes"), [*_notes(advice, wording), *([wording.text("incomplete")] if incomplete else [])]
        ),
        _section(wording.text("sources"), _sources(advice, wording)),
    ]
    return "\n\n".join(part for part in parts if part)


def _action(advice: Advice, wording: Wording) -> str:
    texts = advice.kind.block.text
    text = texts.get(wording.language) or texts["en"]  # type: ignore[call-overload]
    said = [
        in_language(texts, wording.language)
        for texts in (*advice.replacement_text, *advice.preamble, *advice.no_drug_reasons)
    ]
    lines = [*said, text.action] if text.action and not advice.no_drug_reasons and not advice.replacement_text else said
    if advice.kind.block.purpose and not advice.no_drug_reasons:
        lines += _why_no_order(advice, wording)
    if advice.order is not None:
        lines.insert(0, wording.text("about-order", order=escaped(advice.order.course.name)))
    return "\n\n".join(lines)


def _why_no_order(advice: Advice, wording: Wording) -> list[str]:
    """Why a drug card offers no order: what must be known first, or that none of the drugs can be taken."""
    statuses = {option.status for option in advice.options}
    if statuses & {OptionStatus.OFFERED, OptionStatus.NAMED}:
        return [wording.text("no-order-yet")] if advice.no_suggestion and advice.missing else []
    return [wording.text("no-drug-left")] if OptionStatus.BLOCKED in statuses else []


def _section(title: str, lines: Iterable[str]) -> str:
    items = [f"- {line}" for line in lines if line]
    return "\n".join([f"**{title}**", "", *items]) if items else ""


def _facts(evidence: tuple[Evidence, ...], wording: Wording, facts: EvidenceRenderer) -> list[str]:
    lines = list(dict.fromkeys(facts.rendered(one).line for one in evidence))
    more = len(lines) - FACTS
    return lines[:FACTS] + ([wording.text("more-facts", count=str(more))] if more > 0 else [])


def dose_of(drug: Drug, source_id: str | None, wording: Wording) -> str:
    """The dose text of a drug's order with where it comes from; empty where no source gives one."""
    order = drug.orders.get(source_id or "any") or drug.orders.get("any")
    if order is None:
        return ""
    note = in_language(order.source_note, wording.language)
    dose = in_language(order.text, wording.language)
    return f"{dose} ({note})" if note else dose


def _options(advice: Advice, wording: Wording) -> list[str]:
    lines = []
    for option in advice.options:
        if option.status not in {OptionStatus.OFFERED, OptionStatus.NAMED}:
            continue
        name = in_language(option.drug.name, wording.language)
        dose = dose_of(option.drug, None, wording)
        line = f"{name}: {dose}" if dose else wording.text("option-without-dose", drug=name)
        if option.drug.advice:
            line += ". " + in_language(option.drug.advice, wording.language)
        lines.append(line)
    if advice.calcium:
        drug, source = advice.calcium
        lines.append(f"{in_language(drug.name, wording.language)}: {dose_of(drug, source, wording)}")
    return lines


def _why_blocked(option: DrugOption, wording: Wording) -> str:
    reasons = [reason_of(cited, wording) for cited in option.blocked_by]
    if option.not_tolerated:
        itself = any(option.drug.course in evidence.feature for evidence in option.not_tolerated)
        reasons.append(wording.text("not-tolerated" if itself else "kind-not-tolerated"))
    return "; ".join(dict.fromkeys(reasons))


def _not_suggested(advice: Advice, wording: Wording) -> list[str]:
    lines = []
    for option in advice.options:
        name = in_language(option.drug.name, wording.language)
        if option.status is OptionStatus.BLOCKED:
            lines.append(f"{name}: {_why_blocked(option, wording)}")
        elif option.status is OptionStatus.WITHHELD:
            lines.append(wording.text("needs-first", drug=name, data=wording.listed(option.missing)))
    return lines


def _cautions(advice: Advice, wording: Wording) -> list[str]:
    lines = []
    for option in advice.options:
        if option.status is OptionStatus.BLOCKED:
            continue
        name = in_language(option.drug.name, wording.language)
        lines += [f"{name}: {reason_of(cited, wording)}" for cited in option.cautions]
    return list(dict.fromkeys(lines))


def _notes(advice: Advice, wording: Wording) -> list[str]:
    lines = [in_language(texts, wording.language) for texts in (*advice.notes, *advice.disagreements)]
    lines += [wording.text("not-recognised", drug=escaped(name)) for name in advice.not_recognised]
    lines += [in_language(c.rule.block.card_note, wording.language) for c in advice.triggered_by]
    distinct = list(dict.fromkeys(line for line in lines if line))
    # Recommendations of one source share remarks: what another line says and more is not said by itself.
    return [line for line in distinct if not any(other != line and other.startswith(line) for other in distinct)]


def reason_of(cited: Cited, wording: Wording) -> str:
    """Why a recommendation applies, in a few words, with its source."""
    block = cited.rule.block
    words = in_language(block.because, wording.language) or in_language(block.statement, wording.language)
    return f"{words} ({wording.source_of(cited.rule)})"


def _sources(advice: Advice, wording: Wording) -> list[str]:
    order = {Role.LEAD: 0, Role.FILL: 1, Role.SAFETY: 2}
    cited = sorted(advice.cited, key=lambda c: order[c.role])
    return [wording.citation(c.rule, safety=c.role is Role.SAFETY) for c in cited]
