"""The lines of a card about drugs: what is offered, what is blocked and why, what asks for caution."""

from __future__ import annotations

from collections.abc import Iterable

from app.advice.model import Advice, Cited, DrugOption, OptionStatus
from app.cards.wording import Wording
from app.engine.schema import Drug


def dose_of(drug: Drug, source_id: str | None, wording: Wording) -> str:
    """The dose text of a drug's order with where it comes from; empty where no source gives one."""
    key = source_id if source_id in drug.orders else "any"
    if key not in drug.orders:
        return ""
    texts = wording.locale.drugs[drug.id].orders[key]
    return texts.text + wording.phrases.aside.format(text=texts.source_note) if texts.source_note else texts.text


def reason_of(cited: Cited, wording: Wording) -> str:
    """Why a recommendation applies, in a few words, with the short name of its source."""
    texts = wording.statement(cited.rule)
    short = wording.locale.sources[cited.rule.source.id].short
    where = wording.phrases.semicolon.join([short, *wording.local_limits(cited.rule.local_limits)])
    return wording.phrases.cited.format(statement=texts.because or texts.statement, source=where)


def options(advice: Advice, wording: Wording) -> list[str]:
    """The drugs that can be chosen, best first: with a dose one line each, those without a dose on one line."""
    lines, named = [], []
    for option in advice.options:
        name = wording.locale.drugs[option.drug.id].name
        if option.status is OptionStatus.OFFERED or (option.status is OptionStatus.NAMED and option.drug.orders):
            dose = dose_of(option.drug, None, wording)
            lines.append(f"{name}{wording.phrases.colon}{dose}")
        elif option.status is OptionStatus.NAMED:
            named.append(name)
    if named:
        lines.append(wording.phrases.option_without_dose.format(drug=wording.phrases.list_separator.join(named)))
    if advice.calcium:
        drug, source = advice.calcium
        lines.append(f"{wording.locale.drugs[drug.id].name}{wording.phrases.colon}{dose_of(drug, source, wording)}")
    return lines


def not_suggested(advice: Advice, wording: Wording, *, reasons: int) -> list[str]:
    """The drugs that cannot be chosen, those with the same reasons on one line.

    `reasons`: most reasons that a line gives; the explanation has all of them.
    """
    blocked: dict[str, list[str]] = {}
    withheld: dict[str, list[str]] = {}
    for option in advice.options:
        name = wording.locale.drugs[option.drug.id].name
        if option.status is OptionStatus.BLOCKED:
            blocked.setdefault(_why_blocked(option, wording, reasons), []).append(name)
        elif option.status is OptionStatus.NOT_STOCKED:
            blocked.setdefault(wording.phrases.not_stocked, []).append(name)
        elif option.status is OptionStatus.WITHHELD:
            withheld.setdefault(wording.listed(option.missing), []).append(name)
    lines = [f"{_listed(names, wording)}{wording.phrases.colon}{why}" for why, names in blocked.items()]
    lines += [
        wording.phrases.needs_first.format(drug=_listed(names, wording), data=data) for data, names in withheld.items()
    ]
    return lines


def cautions(advice: Advice, wording: Wording) -> list[str]:
    """What asks for caution with the drugs that can be chosen, one line for each reason."""
    found: dict[str, list[str]] = {}
    for option in advice.options:
        if option.status in {OptionStatus.BLOCKED, OptionStatus.NOT_STOCKED}:
            continue
        for cited in option.cautions:
            found.setdefault(reason_of(cited, wording), []).append(wording.locale.drugs[option.drug.id].name)
    return [f"{_listed(names, wording)}{wording.phrases.colon}{why}" for why, names in found.items()]


def instructions(advice: Advice, wording: Wording) -> list[str]:
    """How the offered drugs are taken; their orders carry it too."""
    lines = []
    for option in advice.options:
        texts = wording.locale.drugs[option.drug.id]
        if option.status is OptionStatus.OFFERED and texts.instructions:
            lines.append(f"{texts.name}{wording.phrases.colon}{texts.instructions}")
    return lines


def _listed(names: Iterable[str], wording: Wording) -> str:
    return wording.phrases.list_separator.join(dict.fromkeys(names))


def _why_blocked(option: DrugOption, wording: Wording, most: int) -> str:
    reasons = [reason_of(cited, wording) for cited in option.blocked_by]
    if option.not_tolerated:
        itself = any(option.drug.course in evidence.feature for evidence in option.not_tolerated)
        reasons.append(wording.phrases.not_tolerated if itself else wording.phrases.kind_not_tolerated)
    return wording.phrases.semicolon.join(list(dict.fromkeys(reasons))[:most])
