"""A piece of advice while it is being put together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.advice.model import Advice, Cited, DrugOption
from app.chart import Chart, CourseFact, CourseStatus, DraftOrder, is_named
from app.engine.criteria import Limit
from app.engine.knowledge import AdviceKind
from app.engine.schema import Drug, Indicator, Orderable, Strength
from app.features.model import Evidence, Features

NAMES = 10
"""Most names of orders that a detail lists."""
_NAMES_IN_LINE = 4


def names_in_line(names: Iterable[str], separator: str = ", ") -> str:
    """Different names in one line, of bounded length: an ellipsis stands for those beyond the fourth."""
    different = [name for name in dict.fromkeys(names) if name]
    listed = separator.join(different[:_NAMES_IN_LINE])
    return f"{listed}{separator}…" if len(different) > _NAMES_IN_LINE else listed


def replaced_prescription(drug: str | None, chart: Chart) -> str | None:
    """The running MedicationRequest of a drug or class that the card replaces, "MedicationRequest/id".

    None if the card replaces no drug, if only records of other types know the drug, and if several prescriptions are
    active: only the clinician can decide which of them ends.
    """
    if drug is None:
        return None
    running = [c for c in chart.courses if c.status is CourseStatus.CURRENT and drug in c.drugs]
    found = {ref for c in running for ref in c.refs if ref.startswith("MedicationRequest/") and is_named(ref)}
    return found.pop() if len(found) == 1 else None


URGENCY = {Indicator.CRITICAL: 0, Indicator.WARNING: 1, Indicator.INFO: 2}


_STRENGTH_ORDER = {
    Strength.CONTRAINDICATED: 0,
    Strength.MUST: 0,
    Strength.FACT: 0,  # a finding that a source lists as a sign: how strongly it asks for something is not said
    Strength.SUGGESTED: 2,
    Strength.MAY_CONSIDER: 2,
}
"""Order of reasons of the same urgency; strengths that are not here stand between."""


def most_urgent(indicators: Iterable[Indicator]) -> Indicator:
    """The most urgent of some indicators."""
    return min(indicators, key=lambda indicator: URGENCY[indicator])


@dataclass
class Draft:
    """Advice under assembly. Becomes a frozen `Advice` when everything is known."""

    kind: AdviceKind
    cited: list[Cited] = field(default_factory=list)
    supporting: list[Cited] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    basis: list[Evidence] = field(default_factory=list)  # values that offered drugs rest on, shown after the reasons
    missing: list[str] = field(default_factory=list)
    options: tuple[DrugOption, ...] = ()
    tests: tuple[Orderable, ...] = ()
    calcium: tuple[Drug, str] | None = None
    no_suggestion: bool = False
    known_already: bool = False  # what the advice looks for is on record
    # Keys of remarks:
    no_drug_reasons: list[str] = field(default_factory=list)  # why no drug is suggested: in place of what to do
    preamble: list[str] = field(default_factory=list)  # what comes before what to do
    replacement_text: list[str] = field(default_factory=list)  # replaces what to do
    notes: list[str] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)
    orders: list[DraftOrder] = field(default_factory=list)
    not_recognised: tuple[str, ...] = ()
    removable: tuple[DraftOrder, ...] = ()
    drug_id: str = ""  # the drug that the advice is about, where the files have it
    courses: tuple[CourseFact, ...] = ()  # else the courses that it is about
    indicator: Indicator | None = None
    local_limits: tuple[Limit, ...] = ()  # of the advice that this one stands for: those that the hospital has changed

    def add(self, cited: Cited) -> None:
        """Support from one more recommendation."""
        if all(cited.id != other.id for other in self.cited):
            self.cited.append(cited)

    def carries(self, rule_id: str) -> bool:
        """Whether a recommendation is cited already."""
        return any(rule_id == c.id for c in (*self.cited, *self.supporting))

    def reasons(self) -> tuple[object, ...]:
        """What the advice rests on and how it is put, whichever orders it is about."""
        return (
            frozenset(c.id for c in self.cited),
            frozenset(c.id for c in self.supporting),
            frozenset(self.missing),
            frozenset(self.evidence),
            self.indicator,
            tuple(self.notes),
        )

    def all_cited(self) -> list[Cited]:
        """Openers, supporting, and what the drug options cite; each once."""
        everything = [*self.cited, *self.supporting]
        for option in self.options:
            everything += [*option.by, *option.blocked_by, *option.cautions]
        unique: dict[str, Cited] = {}
        for cited in everything:
            if cited.rule.citable:
                unique.setdefault(cited.id, cited)
        return list(unique.values())

    def urgency(self) -> Indicator:
        """The most urgent of what the triggers ask for; a supporting statement makes nothing more urgent."""
        own = self.kind.block.indicator
        triggers = [c.finding.indicator or own for c in self.cited]
        return self.indicator or (most_urgent(triggers) if triggers else own)

    def topic(self) -> str:
        """The topic: the advice entry's, unless every opener is of this advice and names another."""
        mine = self.kind.block
        topics = {(c.rule.block.topic if c.rule.block.advise == mine.id else None) or mine.topic for c in self.cited}
        return topics.pop() if len(topics) == 1 else self.kind.block.topic

    def _most_urgent_first(self) -> list[Cited]:
        """The triggers by urgency and strength, otherwise in the order of the guidelines (decision 68)."""
        own = self.kind.block.indicator

        def order(cited: Cited) -> tuple[int, bool, int]:
            block = cited.rule.block
            return URGENCY[cited.finding.indicator or own], block.minor_reason, _STRENGTH_ORDER.get(block.strength, 1)

        return sorted(self.cited, key=order)

    def finished(self, features: Features, chart: Chart) -> Advice:
        """The frozen advice."""
        cited = self.all_cited()
        option_missing = [m for option in self.options for m in option.missing]
        missing = [*self.missing, *(m for c in self.cited for m in c.finding.missing), *option_missing]
        triggered_by = self._most_urgent_first()
        triggers = [e for c in triggered_by for e in c.finding.outcome.evidence]
        # The fact that opened the advice, then why something is missing, then the rest.
        deciding = [*self.evidence, *triggers[:1], *features.shown_for(missing), *triggers]
        evidence = [*self.evidence, *(e for c in cited for e in c.finding.outcome.evidence)]
        evidence += [e for name in self.kind.block.shows for e in features.feature(name).evidence]
        evidence += self.basis
        evidence += features.shown_for(missing)
        # The same fact comes by many ways: compared by identity first, because equality is expensive.
        distinct = {id(one): one for one in evidence}.values()
        blocked = bool(self.cited) and all(c.finding.no_suggestion for c in self.cited)
        return Advice(
            kind=self.kind,
            topic=self.topic(),
            indicator=self.urgency(),
            triggered_by=tuple(triggered_by),
            cited=tuple(cited),
            evidence=tuple(dict.fromkeys(distinct)),
            deciding=tuple(dict.fromkeys({id(one): one for one in deciding}.values())),
            missing=tuple(dict.fromkeys(missing)),
            options=self.options,
            tests=self.tests,
            calcium=self.calcium,
            no_suggestion=self.no_suggestion or blocked,
            known_already=self.known_already,
            no_drug_reasons=tuple(self.no_drug_reasons),
            preamble=tuple(self.preamble),
            replacement_text=tuple(self.replacement_text),
            notes=tuple(self.notes),
            disagreements=tuple(self.disagreements),
            orders=tuple(self.orders),
            not_recognised=self.not_recognised,
            removable=self.removable,
            replaces=None if self.orders else replaced_prescription(self.kind.block.replaces, chart),
            drug_id=self.drug_id,
            courses=self.courses,
            local_limits=tuple(dict.fromkeys((*self.kind.local_limits, *self.local_limits))),
        )
