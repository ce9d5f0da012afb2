"""What the pages show of a statement."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.browser.cases import CasesOf
from app.browser.criteria import CriteriaInWords, Part
from app.cards.wording import Wording
from app.cds_hooks.hooks import OCCASIONS
from app.engine.criteria import Constant
from app.engine.knowledge import Knowledge, Rule
from app.engine.reviews import ReviewState, review_of
from app.engine.schema import Strength, Use
from app.engine.statement_record import versions

_PLACEHOLDER = re.compile(r"\{\w+\}")
USES = {
    Use.CARD: "opens a card",
    Use.RIDES: "is cited on a card that another statement opened",
    Use.LOGIC: "is used by the logic, never cited on a card",
    Use.TEXT: "is wording of cards, never cited",
    Use.NONE: "is not used",
}
UNKNOWN = {
    "ask": "if this is unknown, the advice stands and asks for it",
    "block": "if this is unknown, nothing is suggested and the card asks for it",
    "withhold": "if this is unknown, the advice is withheld",
    "silent": "if this is unknown, the advice stands",
}
_OCCASIONS = {
    "chart": "when the record is looked at",
    "orders": "when drugs are ordered",
}


@dataclass(frozen=True, slots=True)
class Exclusion:
    """When a statement does not hold, and what unknown does then."""

    part: Part
    unknown: str


@dataclass(frozen=True, slots=True)
class StatementView:
    """One statement for the pages. `facts`: what the service does with it, as name and text."""

    id: str
    source: str
    title: str
    title_language: str
    heading: str
    lines: str
    quotes: tuple[str, ...]
    quote_language: str
    strength: str
    use: str
    texts: tuple[tuple[str, str], ...]  # language and the statement as cards word it
    facts: tuple[tuple[str, str], ...]
    when: Part | None
    exclusions: tuple[Exclusion, ...]
    other_criteria: tuple[tuple[str, Part], ...]
    remarks: tuple[tuple[str, str], ...]
    cases: CasesOf | None
    file: str
    version: str
    review: ReviewState


class StatementViews:
    """Makes the views of statements."""

    def __init__(self, knowledge: Knowledge, wording: Wording) -> None:
        self._knowledge, self._wording = knowledge, wording
        self._words = CriteriaInWords(knowledge, wording)

    def view(self, rule: Rule, cases: CasesOf | None) -> StatementView:
        """The view of one statement."""
        block, locale = rule.block, self._wording.locale
        statements = {language: texts.statements.get(rule.id) for language, texts in self._knowledge.locales.items()}
        texts = tuple((str(language), one.statement) for language, one in statements.items() if one and one.statement)
        english = self._wording.statement(rule).statement
        headings = locale.sources[rule.source.id].headings
        return StatementView(
            id=rule.id,
            source=rule.source.id,
            title=english or " … ".join(block.source.quote),
            title_language="en" if english else rule.source.language,
            heading=headings.get(rule.source.heading(min(block.source.lines)) or "", ""),
            lines=", ".join(map(str, block.source.lines)),
            quotes=tuple(block.source.quote),
            quote_language=rule.source.language,
            strength=locale.strengths[block.strength] if block.strength is not Strength.FACT else "statement of fact",
            use=USES[block.use],
            texts=texts,
            facts=tuple(self._facts(rule)),
            when=self._words.part(rule.when) if rule.when != Constant(True) else None,
            exclusions=tuple(Exclusion(self._words.part(one.node), UNKNOWN[one.unknown]) for one in rule.unless),
            other_criteria=tuple(self._other_criteria(rule)),
            remarks=tuple(_remarks(rule)),
            cases=cases,
            file=rule.file,
            version=versions(self._knowledge)[rule.id],
            review=review_of(self._knowledge, rule.id),
        )

    def _facts(self, rule: Rule) -> list[tuple[str, str]]:
        block, locale = rule.block, self._wording.locale
        must_know: list[str] = []
        made = [("Use", f"This statement {USES[block.use]}.")]
        if block.grade:
            made.append(("Grade in the source", block.grade))
        if block.advise:
            summary = _PLACEHOLDER.sub("…", locale.advice[block.advise].summary)
            made.append(("Advice", f"{summary} [{block.advise}]"))
        topic = block.topic or (self._knowledge.advice[block.advise].block.topic if block.advise else None)
        if topic:
            made.append(("Topic of the card", locale.topics[topic]))
        if block.protects:
            made.append(("Safety", "acts in every profile"))
        if not block.default_on:
            made.append(("Default", "off; a hospital can switch it on"))
        if block.use in {Use.CARD, Use.RIDES}:
            hooks = [h.value for h, o in OCCASIONS.items() if ("orders" if o.about_orders else "chart") in block.at]
            occasions = " and ".join(_OCCASIONS[at] for at in block.at)
            made.append(("Occasions", f"{occasions} ({', '.join(hooks)})"))
        if block.drug_rule:
            effect = "blocks" if block.drug_rule.effect == "block" else "is a caution for"
            drugs = ", ".join(name.replace("_", " ") for name in block.drug_rule.drugs)
            made.append(("Drugs", f"{effect} {drugs}"))
            must_know += block.drug_rule.must_know
        if block.option:
            purposes = ", ".join(block.option.purposes).replace("-", " ")
            suggested = "" if block.option.suggest else "; named on the card, never a ready order"
            drug = locale.drugs[block.option.drug].name
            made.append(("Place in therapy", f"{drug}: place {block.option.rank} ({purposes}){suggested}"))
            must_know += block.option.must_know
        if must_know:
            made.append(("Must be known first", self._names(must_know)))
        if block.tests:
            made.append(("Tests", ", ".join(locale.orderables[name].name for name in block.tests)))
        if block.ask:
            made.append(("Asks for, if unknown", self._names(block.ask)))
        if block.block:
            made.append(("No suggestion while unknown", self._names(block.block)))
        if block.asks_for:
            made.append(("A card asks for these, if only they are missing", self._names(block.asks_for)))
        return made

    def _names(self, features: list[str]) -> str:
        names = self._wording.locale.names
        return ", ".join(dict.fromkeys(names.get(name) or self._words.meaning(name) for name in features))

    def _other_criteria(self, rule: Rule) -> list[tuple[str, Part]]:
        made = []
        if rule.block.rides_when is not None:
            made.append(("Cited when", self._words.part(rule.rides_when)))
        if rule.block.option and rule.block.option.opens is not None:
            made.append(("Opens the card by itself when", self._words.part(rule.opens)))
        if rule.block.indicator_when is not None and rule.block.indicator:
            made.append((f"Urgency {rule.block.indicator.value} when", self._words.part(rule.indicator_when)))
        if rule.block.ask_when is not None:
            made.append(("Asks only when", self._words.part(rule.ask_when)))
        return made


def _remarks(rule: Rule) -> list[tuple[str, str]]:
    block = rule.block
    made = [("Reason", block.reason)] if block.reason else []
    made += [("Reading", block.note)] if block.note else []
    made += [("Not modelled", "; ".join(block.not_modelled))] if block.not_modelled else []
    made += [(f"Figure {number}", origin) for number, origin in block.figures.items()]
    return made
