"""What the advice layer passes on: one action for the clinician, with everything that its card must contain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from msgspec import Struct

from app.chart import Availability, CourseFact, DraftOrder, Occasion
from app.engine.criteria import Limit, Truth
from app.engine.finding import Finding, evaluate
from app.engine.knowledge import AdviceKind, Rule
from app.engine.schema import Drug, Indicator, Orderable
from app.features.model import Evidence, Features

UNREAD = {Occasion.REFILL: "renewed_drug", Occasion.INTOLERANCE: "intolerance_entry"}
"""The missing datum where the call is about something in an unreadable form."""


class Role(StrEnum):
    """Why a source may speak here (docs/contract.md, section 3)."""

    LEAD = "lead"
    FILL = "fill"
    SAFETY = "safety"


class Findings:
    """The findings of one patient, each evaluated at most once, on first use.

    Most recommendations do not apply to most patients: of those only the truth is worked out, without its reasons.
    """

    def __init__(self, features: Features) -> None:
        self.features = features
        self._done: dict[str, Finding] = {}

    def truth(self, rule: Rule) -> Truth:
        """Whether a recommendation applies; None where it is undecided."""
        return self.features.settled(rule, rule.truth)

    def of(self, rule: Rule) -> Finding:
        """The finding of a recommendation."""
        finding = self._done.get(rule.block.id)
        if finding is None:
            finding = self._done[rule.block.id] = evaluate(rule, self.features)
        return finding


class Cited(Struct, frozen=True, gc=False):
    """A recommendation that may support a piece of advice, in the role in which it speaks."""

    rule: Rule
    role: Role
    findings: Findings

    @property
    def truth(self) -> Truth:
        """Whether it applies to this patient; None where it is undecided."""
        return self.findings.truth(self.rule)

    @property
    def holds(self) -> bool:
        """Whether it applies to this patient."""
        return self.findings.truth(self.rule) is True

    @property
    def finding(self) -> Finding:
        """The result for this patient, with the reasons."""
        return self.findings.of(self.rule)

    @property
    def id(self) -> str:
        """Its id in the inventory."""
        return self.rule.block.id


class OptionStatus(StrEnum):
    """What became of a drug option."""

    OFFERED = "offered"
    NAMED = "named"  # the source gives no dose, or wants a specialist: named, no order
    WITHHELD = "withheld"  # something must be known first
    BLOCKED = "blocked"
    NOT_STOCKED = "not-stocked"  # the hospital does not have it


class DrugOption(Struct, frozen=True, gc=False):
    """One drug on a drug card."""

    drug: Drug
    status: OptionStatus
    rank: int
    demoted: bool
    by: tuple[Cited, ...]
    blocked_by: tuple[Cited, ...] = ()
    cautions: tuple[Cited, ...] = ()
    not_tolerated: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Advice:
    """One action for the clinician."""

    kind: AdviceKind
    topic: str
    indicator: Indicator
    triggered_by: tuple[Cited, ...]
    cited: tuple[Cited, ...]  # the triggers, what rides, and what the drug options rest on
    evidence: tuple[Evidence, ...] = ()
    deciding: tuple[Evidence, ...] = ()  # those of `evidence` that opened the advice
    missing: tuple[str, ...] = ()
    options: tuple[DrugOption, ...] = ()
    tests: tuple[Orderable, ...] = ()
    calcium: tuple[Drug, str] | None = None  # the preparation and the source whose amounts it has
    no_suggestion: bool = False
    known_already: bool = False  # what the advice looks for is on record: worded otherwise
    no_drug_reasons: tuple[str, ...] = ()  # why no drug is suggested: replaces what to do
    preamble: tuple[str, ...] = ()  # what comes before what to do
    replacement_text: tuple[str, ...] = ()  # replaces what to do, where the reason is a weak one
    notes: tuple[str, ...] = ()
    disagreements: tuple[str, ...] = ()
    orders: tuple[DraftOrder, ...] = ()  # the drafts at hand that it is about
    not_recognised: tuple[str, ...] = ()  # other drafts at hand whose drug is unknown, as the record names them
    removable: tuple[DraftOrder, ...] = ()  # drafts in conflict: one of them may be removed
    replaces: str | None = None  # the running MedicationRequest that the offered drugs take the place of
    drug_id: str = ""  # the drug that the advice is about, where the files have it
    courses: tuple[CourseFact, ...] = ()  # else the courses that it is about
    incomplete: tuple[tuple[str, Availability], ...] = ()  # lists that it rests on and that did not come whole
    local_limits: tuple[Limit, ...] = ()  # of its gates: those that the hospital has changed
    data_of: date | None = None  # the day of the data, where the card may be read on a later day

    @property
    def id(self) -> str:
        """The name of the advice."""
        return self.kind.id


class Withheld(Struct, frozen=True, gc=False):
    """Advice that is not given for a reason that the answer says: the key of a remark, and the facts behind it."""

    advice: str
    remark: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class AdviceSet:
    """The complete result of one call."""

    advice: tuple[Advice, ...]
    missing: tuple[str, ...] = ()  # requested, where no card carries it
    left_out: tuple[str, ...] = ()  # open advice that is not sent, because the request wants fewer cards
    withheld: tuple[Withheld, ...] = ()  # open advice that a gate took away, with its reason
