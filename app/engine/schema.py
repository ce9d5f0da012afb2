"""The guideline language: the schema of the files under guidelines/ (texts: `app.engine.locale`).

Each model is one kind of block in a YAML file; unknown keys are refused. The loader (`app.engine.loader`) turns
violations into messages with file and line. The JSON Schema published for editors is made from these models.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

Criterion = Any
"""A criterion tree, checked by `app.engine.criteria` (grammar: docs/guideline-language.md)."""


def _as_list(value: object) -> object:
    return [value] if isinstance(value, (str, int)) else value


_ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

Strings = Annotated[list[str], BeforeValidator(_as_list), WithJsonSchema(_ONE_OR_MORE)]
"""One string, or a list of them."""


class Block(BaseModel):
    """Base of all blocks: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Strength(StrEnum):
    """How strongly a source words a statement (each reading is in docs/coverage.md), strongest first."""

    MUST = "must"
    SHOULD = "should"
    RECOMMENDED = "recommended"
    SUGGESTED = "suggested"
    MAY_CONSIDER = "may-consider"
    NOT_REQUIRED = "not-required"
    LESS_SUITABLE = "less-suitable"
    RELATIVE_CONTRAINDICATION = "relative-contraindication"
    NOT_RECOMMENDED = "not-recommended"
    CONTRAINDICATED = "contraindicated"
    FACT = "fact"


class Use(StrEnum):
    """What a statement may do (decision 37)."""

    CARD = "card"  # opens a card
    RIDES = "rides"  # cited on a card that something else opened
    LOGIC = "logic"  # used by the logic, never cited
    TEXT = "text"  # wording of cards, never cited
    NONE = "none"  # not used, with the reason


class Indicator(StrEnum):
    """Urgency of a card (CDS Hooks)."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Quote(Block):
    """The place of the words in the source."""

    lines: list[int] = Field(min_length=1)
    quote: Strings = Field(min_length=1)


class Unless(Block):
    """An exclusion, and its effect while it is undecided (docs/contract.md, section 2).

    ask: the advice is kept and names the datum; block: it is kept without suggestion and names the datum;
    withhold: it is dropped, and the datum requested if the rest of the rule holds; silent: it is kept.
    """

    when: Criterion
    unknown: Literal["ask", "block", "withhold", "silent"] = "ask"


class DrugRule(Block):
    """A contraindication or caution, and the drugs or drug classes that it concerns."""

    drugs: Strings = Field(min_length=1)
    effect: Literal["block", "caution"]
    effect_in: dict[str, Literal["block", "caution"]] = {}  # per profile, by a settled reading
    must_know: Strings = []  # features that must be known before the drug is suggested
    with_malignancy: Literal["caution"] | None = None  # what a block of oncological products is then (decision 48)
    malignancy_remark: str = ""  # the line on the card of such an order (locales: remarks)
    correctable: bool = False  # first correct: no reason for another drug (decision 43)
    narrowed: str = ""  # why it does not act on the other products of the same ingredient
    demotes: bool = False  # a caution that moves the drug behind the others
    on_running: Literal["switch", "caution", "silent"] = "switch"  # what a block means for a drug that is running
    on_order: Literal["card", "silent"] = "card"


class Option(Block):
    """A drug's place in therapy: an option on the drug cards of its source."""

    drug: str
    rank: int
    purposes: list[Literal["start", "change", "replace", "anabolic", "follow-denosumab", "follow-anabolic"]] = Field(
        min_length=1
    )
    must_know: Strings = []
    suggest: bool = True  # False: named on the card, never a ready order (no dose in the source, or specialist only)
    opens: Criterion = None  # when this option by itself opens the card of `advise`
    beside: bool = False  # the recommendation opens its card like one without an option; the place is said with it


class Recommendation(Block):
    """One statement of a source, with what the service does with it."""

    id: str = Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")
    source: Quote
    strength: Strength
    grade: str | None = None  # as printed, "1B"
    use: Use
    advise: str | None = None
    rides_with_drug: bool = False  # rides only where the card offers a drug, or a bone drug runs
    rides_on: Strings = []
    rides_when: Criterion = None
    topic: str | None = None
    indicator: Indicator | None = None
    indicator_when: Criterion = None  # `indicator` holds only then; else the advice entry's own
    ask_when: Criterion = None  # what a drug rule asks for by `ask` is asked only where this holds
    safety: bool = False
    minor_reason: bool = False  # age or an administrative occasion: named after the other reasons of a card
    default_on: bool = True
    at: list[Literal["chart", "orders"]] = ["chart"]
    at_renewal_of: Strings = []  # drug classes: speaks also at an order that continues one of them (decision 65)
    when: Criterion = True
    unless: list[Unless] = []
    ask: Strings = []  # features: named as missing when unknown; the advice is kept
    block: Strings = []  # features: when unknown, no suggestion, named as missing
    asks_for: Strings = []  # features: when only these keep the rule from being decided, a data-needed card asks
    tests: Strings = []  # laboratory tests or examinations that this statement wants (names of orderables)
    drug_rule: DrugRule | None = None
    option: Option | None = None
    # Numbers of its texts that are neither limits nor in the quotation, and where each comes from:
    figures: dict[Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")], str] = {}
    not_modelled: list[str] = []
    note: str | None = None
    reason: str | None = None  # for logic, text and none: where it is used, or why not

    @property
    def protects(self) -> bool:
        """Whether it is a statement of safety: marked so, or a contraindication or caution."""
        return self.safety or self.drug_rule is not None


class SourceFile(Block):
    """source.yaml of one guideline."""

    id: str
    number: str
    file: str
    language: str
    title: str
    dated: str
    url: str
    licence: str
    headings: dict[int, str] = {}  # the line of each heading -> the key of its name in the locale files

    def heading(self, line: int) -> str | None:
        """The key of the last heading at or above a line; None above the first one."""
        above = [at for at in self.headings if at <= line]
        return self.headings[max(above)] if above else None


class NamedCriterion(Block):
    """A criterion with a name, to be used by several recommendations."""

    meaning: str
    when: Criterion
    source: Quote | None = None
    of: str | None = None  # the guideline that the quote is from
    reason: str | None = None  # decision or other ground where there is no quote


class Gate(Block):
    """A condition that changes or removes an advice, whatever source gives it."""

    when: Criterion
    unknown: Literal["ask", "block", "silent"] = "silent"
    effect: Literal["withhold", "no-suggestion", "replace", "caution", "ask", "reword"] = "withhold"
    # ask: only names the datum. reword: what the advice looks for is on record already, and the card says so
    by: str = ""  # replace: the advice shown instead
    cites: Strings = []  # recommendations cited on the replacing card
    remark: str = ""  # the line on the card that gives the reason (locales: remarks)


class AdviceEntry(Block):
    """One action for the clinician."""

    id: str
    topic: str
    indicator: Indicator = Indicator.INFO
    purpose: Literal["start", "change", "anabolic", "follow-denosumab", "follow-anabolic"] | None = None  # drug cards
    replaces: str | None = None  # drug cards: the running drug, or class of drugs, that the suggested drug follows
    due_at_visit: bool = False  # has a date of its own (dose, test before it, follow-up, review): said at a visit
    suggests: Strings = []  # orderables, drugs, or "tests" = the tests of the recommendations
    joins: str | None = None  # advice whose card takes this one in when both are open
    gates: list[Gate] = []
    asks: Strings = []  # data that this card requests instead of the general one
    shows: Strings = []  # features that the clinician decides by: shown with the reasons, where recorded
    withheld_by: Strings = []  # advice that makes this one unnecessary
    never_beside: Strings = []  # advice that would contradict this one on the same answer, beside `withheld_by`
    opens_when: Criterion = None  # a settled reading of this service opens the card, without a statement of a source
    opens_with_statement: bool = False  # only where a supporting statement of this card holds: it has no other host
    names_missing: Strings = []  # features that such a card names as missing
    decision: int | None = None  # the number of that reading in docs/decisions.md


class Orderable(Block):
    """An examination, laboratory test or referral that a card can suggest (ServiceRequest)."""

    id: str
    category: Literal["imaging", "laboratory", "procedure", "referral"]
    codes: list[dict[str, str]] = Field(min_length=1)
    answered_by: Criterion = None  # when it holds, the test is on record and not requested again


class DoseOrder(Block):
    """The order that a suggestion writes. Every number has the recommendation it comes from."""

    dose: Decimal
    dose_high: Decimal | None = None  # upper end where the source gives a range
    unit: str  # UCUM
    frequency: int = 1
    period: Decimal
    period_unit: Literal["d", "wk", "mo", "a"]
    route: Literal["oral", "intravenous", "subcutaneous"]
    from_recommendation: str


class Drug(Block):
    """A drug as cards name and suggest it, from its file in guidelines/drugs."""

    id: str
    course: str  # class of the drug vocabulary that means "has this drug"
    classes: Strings
    codes: list[dict[str, str]] = Field(min_length=1)
    orders: dict[str, DoseOrder] = {}  # per guideline source id, or "any"
    advice_from: Strings = []


class Profile(Block):
    """Which sources speak in a profile (docs/contract.md, section 3)."""

    id: str
    leads: Strings
    fills: Strings = []
    lead_when: Criterion = None  # when it does not hold, the fillers answer alone


class Disagreement(Block):
    """One line of text where sources disagree on the same patient."""

    id: str
    profiles: Strings
    advice: Strings
    when: Criterion = True
    after: Strings = []  # only when one of these recommendations is on the card
    leads: bool = False  # comes first, and only where nothing else opened the card
    source: list[str]  # inventory ids whose numbers are named


class File(Block):
    """What a YAML file under guidelines/<source>/ or guidelines/advice/ may hold."""

    recommendations: list[Recommendation] = []
    criteria: dict[str, NamedCriterion] = {}
    advice: list[AdviceEntry] = []
    orderables: list[Orderable] = []
    profiles: list[Profile] = []
    disagreements: list[Disagreement] = []
    derived: dict[str, str] = {}  # rules of the inventories that follow from several statements: where they live
