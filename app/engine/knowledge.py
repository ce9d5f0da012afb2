"""What the service knows: the content of all guideline files, compiled. `app.engine.linker` builds it at start-up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

from app.engine.criteria import Limit, Node, Truth
from app.engine.local import Local
from app.engine.locale import Locale
from app.engine.review_file import Review
from app.engine.schema import (
    AdviceEntry,
    Disagreement,
    Drug,
    Gate,
    NamedCriterion,
    Orderable,
    Profile,
    Recommendation,
    SourceFile,
    Use,
)
from app.features.model import Features
from app.vocabulary import Language


class UnusableSetting(ValueError):
    """A setting that names something in the guidelines that is not there, or that must stay as it is."""

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting}: {problem}")


@dataclass(frozen=True, slots=True)
class CompiledUnless:
    """An exclusion ready to be evaluated."""

    node: Node
    unknown: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A recommendation with its criteria compiled."""

    block: Recommendation
    source: SourceFile
    when: Node
    unless: tuple[CompiledUnless, ...]
    rides_when: Node
    opens: Node
    indicator_when: Node
    local_limits: tuple[Limit, ...]  # those that the hospital has changed
    ask_when: Node
    may_ask: bool  # missing data can make it ask: for what keeps it undecided, or for an exclusion
    file: str
    line: int

    @property
    def id(self) -> str:
        """The id of the inventory."""
        return self.block.id

    def criteria(self) -> tuple[Node, ...]:
        """All its criteria."""
        exclusions = (unless.node for unless in self.unless)
        return (self.when, *exclusions, self.rides_when, self.opens, self.indicator_when, self.ask_when)

    @property
    def citable(self) -> bool:
        """Whether a card may cite it."""
        return self.block.use in {Use.CARD, Use.RIDES}

    def truth(self, features: Features) -> Truth:
        """Whether it applies to a patient, after its exclusions: the truth of its finding, without the reasons."""
        truth = self.when.truth(features)
        if truth is not True:
            return truth
        for unless in self.unless:
            excluded = unless.node.truth(features)
            if excluded is True:
                return False
            if excluded is None and unless.unknown == "withhold":
                truth = None
        return truth


@dataclass(frozen=True, slots=True)
class CompiledGate:
    """A gate of an advice entry ready to be evaluated."""

    block: Gate
    node: Node


@dataclass(frozen=True, slots=True)
class AdviceKind:
    """An advice entry with its gates compiled."""

    block: AdviceEntry
    gates: tuple[CompiledGate, ...]
    opens: Node
    local_limits: tuple[Limit, ...] = ()  # of its gates and of what opens it: those that the hospital has changed

    @property
    def id(self) -> str:
        """The name of the advice."""
        return self.block.id


@dataclass(frozen=True, slots=True)
class OrderableItem:
    """An orderable with the criterion that it is on record."""

    block: Orderable
    answered_by: Node


@dataclass(frozen=True, slots=True)
class CompiledProfile:
    """A profile with its precondition for the lead."""

    block: Profile
    lead_when: Node

    @property
    def id(self) -> str:
        """se, intl, dk or cn."""
        return self.block.id


@dataclass(frozen=True, slots=True)
class CompiledDisagreement:
    """A disagreement line ready to be evaluated."""

    block: Disagreement
    when: Node


@dataclass(frozen=True, eq=False)
class Knowledge:
    """The linked content of the guideline files. One object per process: memos key on its identity."""

    version: str  # changes with any byte of the files
    sources: Mapping[str, SourceFile]
    rules: Mapping[str, Rule]
    criteria: Mapping[str, NamedCriterion]
    advice: Mapping[str, AdviceKind]
    orderables: Mapping[str, OrderableItem]
    drugs: Mapping[str, Drug]
    profiles: Mapping[str, CompiledProfile]
    disagreements: tuple[CompiledDisagreement, ...]
    locales: Mapping[Language, Locale]
    derived: Mapping[str, str]
    local: Local = field(default_factory=Local)
    reviews: tuple[Review, ...] = ()  # by clinicians: app/engine/reviews.py

    @cached_property
    def opened_by_decision(self) -> tuple[AdviceKind, ...]:
        """The advice that a settled reading of this service opens, without a statement of a source."""
        return tuple(kind for kind in self.advice.values() if kind.block.decision is not None)

    @cached_property
    def questions(self) -> Mapping[str, str]:
        """The advice that asks for a datum, for those that have one of their own."""
        return {datum: kind.id for kind in self.advice.values() for datum in kind.block.asks}

    def suggested_drug(self, advice: AdviceEntry) -> Drug | None:
        """The drug that an advice always suggests (`suggests`), whatever the options; None for most advice."""
        return next((self.drugs[name] for name in advice.suggests if name in self.drugs), None)

    def locale(self, language: str) -> Locale:
        """All texts of a language."""
        return self.locales[Language(language)]

    def check_profile(self, name: str | None, setting: str) -> None:
        """Raise UnusableSetting where a profile is named that does not exist."""
        if name is not None and name not in self.profiles:
            meant = "".join(f", did you mean {near}?" for near in get_close_matches(name, self.profiles, n=1))
            raise UnusableSetting(setting, f"no profile '{name}': one of {', '.join(self.profiles)}{meant}")

    def check_switched(self, ids: Iterable[str], setting: str) -> None:
        """Raise UnusableSetting where an id is none of a recommendation, or is that of a statement of safety."""
        for name in ids:
            rule = self.rules.get(name)
            if rule is None:
                meant = "".join(f", did you mean {near}?" for near in get_close_matches(name, self.rules, n=1))
                raise UnusableSetting(setting, f"no recommendation '{name}'{meant}")
            if rule.block.protects:
                where = "it is switched off in the overlay alone (OSTEON_LOCAL), with accept-risk"
                raise UnusableSetting(
                    setting, f"'{name}' is a safety statement and cannot be switched off here: {where}"
                )
