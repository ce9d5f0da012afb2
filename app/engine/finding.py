"""Findings: whether each recommendation holds for this patient, and what decided it."""

from __future__ import annotations

from msgspec import Struct

from app.engine.criteria import Outcome, Truth
from app.engine.knowledge import Rule
from app.engine.schema import Indicator
from app.features.model import Evidence, Features


class Finding(Struct, frozen=True, gc=False):
    """One recommendation applied to one patient.

    `truth` is after exclusions. `missing` names data that the card must name; `no_suggestion`: a value that must be
    known first is not. `asks`: data that alone keep the rule from being decided (data-needed).
    """

    rule: Rule
    truth: Truth
    outcome: Outcome
    missing: tuple[str, ...] = ()
    no_suggestion: bool = False
    asks: tuple[str, ...] = ()
    excluded_by: str | None = None
    indicator: Indicator | None = None  # what the recommendation asks for here; None: the advice entry's own

    @property
    def holds(self) -> bool:
        """Whether the recommendation applies."""
        return self.truth is True

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The facts that decided it."""
        return tuple(dict.fromkeys(self.outcome.evidence))


def missing_of(features: Features, names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """The data that are missing among these features."""
    missing: list[str] = []
    for name in names:
        feature = features.feature(name)
        if feature.value is None:
            missing += feature.missing or (name,)
    return tuple(dict.fromkeys(missing))


def evaluate(rule: Rule, features: Features) -> Finding:
    """Apply a recommendation to a patient."""
    outcome = rule.when.evaluate(features)
    if outcome.truth is not True:
        return Finding(rule, outcome.truth, outcome, asks=_asks(rule, outcome, features))
    missing: list[str] = []
    asks: list[str] = []
    no_suggestion, truth = False, True
    for unless in rule.unless:
        exclusion = unless.node.evaluate(features)
        if exclusion.truth is True:
            return Finding(rule, False, outcome, excluded_by=str(unless.node))
        if exclusion.truth is None and unless.unknown != "silent":
            missing += exclusion.missing
            no_suggestion |= unless.unknown == "block"
            if unless.unknown == "withhold":
                truth, asks = False, [*asks, *exclusion.missing]
    if not truth:
        return Finding(rule, None, outcome, asks=tuple(dict.fromkeys(asks)), excluded_by="cannot be told")
    missing += missing_of(features, rule.block.ask)
    blocked = missing_of(features, rule.block.block)
    return Finding(
        rule,
        True,
        outcome,
        missing=tuple(dict.fromkeys([*missing, *blocked])),
        no_suggestion=no_suggestion or bool(blocked),
        indicator=_indicator(rule, features),
    )


def _indicator(rule: Rule, features: Features) -> Indicator | None:
    if rule.block.indicator is None or rule.block.indicator_when is None:
        return rule.block.indicator
    return rule.block.indicator if rule.indicator_when.truth(features) is True else None


def _asks(rule: Rule, outcome: Outcome, features: Features) -> tuple[str, ...]:
    """What to ask for: only when nothing else keeps the rule undecided, and no exclusion holds."""
    if outcome.truth is not None or not rule.block.asks_for:
        return ()
    if not set(outcome.undecided) <= set(rule.block.asks_for):
        return ()
    if any(unless.node.truth(features) is True for unless in rule.unless):
        return ()
    return outcome.missing
