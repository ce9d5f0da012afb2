"""Lists of records that did not come, or came in part: which of them a piece of advice rests on (decision 56).

A list that failed or came in part is an exception, and every card of the answer says it: what it would have told can
change any of them. A list that was not sent is said by the cards whose criteria read it. What a client may leave out
without loss (contract, section 2) is not said: one of the two medication lists, reports and orders, and
administrations unless the last dose of a drug is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.advice.model import Advice
from app.chart import Availability, Chart, ObservationCategory, Source
from app.engine.criteria import Node, features_read
from app.engine.knowledge import Knowledge, Rule
from app.features.evaluation import catalogue

_OF_ITS_OWN = (Source.OBSERVATIONS, Source.CONDITIONS, Source.PROCEDURES, Source.FAMILY_HISTORY, Source.ALLERGIES)
"""The kinds of records that no other list tells."""
_ABOUT_DRUGS = frozenset({Source.ALLERGIES, Source.CONDITIONS, Source.OBSERVATIONS})
"""What every card that offers or judges a drug rests on: intolerances, and what forbids the drug."""

_ASKED_OF_ADMINISTRATIONS = ("_last_dose", "last_dose_date")
"""Data that the list of administrations would tell."""

Incomplete = tuple[tuple[str, Availability], ...]
"""Lists, by the keys under which they are asked for, with what became of them; in the order of the contract."""


def incomplete_lists(chart: Chart) -> Incomplete:
    """The lists of which something is not known, and what became of each."""
    found: list[tuple[str, Availability]] = []
    for source in Source:
        availability = chart.availability.get(source, Availability.ABSENT)
        named = source in _OF_ITS_OWN if availability is Availability.ABSENT else True
        if availability is Availability.PROVIDED or not named:
            continue
        parts = _categories(chart) if source is Source.OBSERVATIONS else []
        found += parts or [(source.value, availability)]
    return tuple(found)


def _categories(chart: Chart) -> list[tuple[str, Availability]]:
    """The categories of Observations that did not come whole; none where they were not asked for by category."""
    if all(came is Availability.ABSENT for came in chart.by_category.values()):
        return []
    return [(_KEY_OF[part], came) for part, came in chart.by_category.items() if came is not Availability.PROVIDED]


_KEY_OF = {part: "observations" + part.value.title().replace("-", "") for part in ObservationCategory}


class ListsRead:
    """The lists that the criteria behind each advice read; worked out once from the knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._by_rule: dict[str, frozenset[Source]] = {}
        self._by_advice: dict[str, frozenset[Source]] = {
            name: _read_by((kind.opens, *(gate.node for gate in kind.gates))) for name, kind in knowledge.advice.items()
        }
        for rule in knowledge.rules.values():
            advised = rule.block.advise
            if advised is not None:
                self._by_advice[advised] |= self._of_rule(rule)

    def of(self, advice: Advice) -> frozenset[Source]:
        """The lists that a piece of advice rests on."""
        found = self._by_advice[advice.id].union(*(self._of_rule(cited.rule) for cited in advice.cited), frozenset())
        return found | _ABOUT_DRUGS if advice.options or advice.orders else found

    def said_by(self, advice: Advice, incomplete: Incomplete, chart: Chart) -> Incomplete:
        """Those of the incomplete lists that the card of the advice says."""
        if any(name.endswith(_ASKED_OF_ADMINISTRATIONS) for name in advice.missing):
            incomplete = (*incomplete, *_not_sent(Source.MEDICATION_ADMINISTRATIONS, chart))
        if not incomplete:
            return ()
        rests_on = self.of(advice) | {Source.MEDICATION_ADMINISTRATIONS}
        return tuple(
            (key, availability)
            for key, availability in incomplete
            if availability is not Availability.ABSENT or _SOURCES[key] in rests_on
        )

    def _of_rule(self, rule: Rule) -> frozenset[Source]:
        found = self._by_rule.get(rule.id)
        if found is None:
            found = self._by_rule[rule.id] = _read_by(rule.criteria())
        return found


def _not_sent(source: Source, chart: Chart) -> Incomplete:
    sent = chart.availability.get(source, Availability.ABSENT) is not Availability.ABSENT
    return () if sent else ((source.value, Availability.ABSENT),)


_SOURCES: Mapping[str, Source] = {
    **{source.value: source for source in Source},
    **dict.fromkeys(_KEY_OF.values(), Source.OBSERVATIONS),
}


def _read_by(criteria: Iterable[Node]) -> frozenset[Source]:
    """The lists that the features of some criteria read; the patient is no list."""
    specs = (catalogue().spec(name) for name in features_read(criteria))
    return frozenset(_SOURCES[key] for spec in specs for key in spec.reads if key in _SOURCES)
