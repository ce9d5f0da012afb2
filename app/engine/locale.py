"""The schema of guidelines/locales/LANGUAGE.yaml: all texts of one language, each as one string.

`Locale` is both the schema of the file and, once its placeholders of limits are filled (`app.engine.locales`), the
texts that cards are written with.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from pydantic import Field

from app.engine.schema import Block


class Phrases(Block):
    """The fixed words of cards. Placeholders: `PHRASE_PLACEHOLDERS`."""

    why: str
    options: str
    tests: str
    not_suggested: str
    cautions: str
    missing: str
    missing_data: str
    notes: str
    sources: str
    remarks: str
    about_order: str
    about_orders: str
    more_facts: str
    more_names: str
    option_without_dose: str
    no_order_yet: str
    no_drug_left: str
    none_stocked: str
    not_stocked: str
    formulary_order: str
    local_limit: str
    incomplete: str
    list_failed: str
    list_in_part: str
    list_not_sent: str
    data_of_day: str
    needs_first: str
    kind_not_tolerated: str
    not_tolerated: str
    list_separator: str
    colon: str
    semicolon: str
    stop: str
    aside: str
    since: str
    born: str
    cited: str
    no: str
    order: str
    create_order: str
    delete_draft: str
    this_order: str
    not_recognised: str
    own_label: str
    safety_role: str


PHRASE_PLACEHOLDERS: Final[Mapping[str, frozenset[str]]] = {
    "about_order": frozenset({"order"}),
    "about_orders": frozenset({"count", "orders"}),
    "more_facts": frozenset({"count"}),
    "more_names": frozenset({"count"}),
    "aside": frozenset({"text"}),
    "since": frozenset({"date"}),
    "born": frozenset({"date"}),
    "cited": frozenset({"statement", "source"}),
    "option_without_dose": frozenset({"drug"}),
    "formulary_order": frozenset({"drugs"}),
    "local_limit": frozenset({"name", "limit", "source", "because", "by", "date"}),
    "needs_first": frozenset({"drug", "data"}),
    "order": frozenset({"name"}),
    "create_order": frozenset({"name"}),
    "delete_draft": frozenset({"order"}),
    "not_recognised": frozenset({"drug"}),
    "data_of_day": frozenset({"date"}),
    "incomplete": frozenset({"lists"}),
    "list_failed": frozenset({"name"}),
    "list_in_part": frozenset({"name"}),
    "list_not_sent": frozenset({"name"}),
}
"""The placeholders of each phrase; the others have none."""

SUMMARY_PLACEHOLDERS: Final = frozenset({"because", "order", "drug"})
"""What the summary of an advice may name: the reasons, the order at hand, the drug."""
VARIANT_PLACEHOLDERS: Final = SUMMARY_PLACEHOLDERS | {"missing"}
"""What the summary of a variant may name besides: the data without which no drug is suggested."""


class SourceTexts(Block):
    """A guideline: `short` stands beside a statement with its heading, `label` is the source of a card."""

    short: str
    label: str
    headings: dict[str, str] = Field(default_factory=dict)  # by the keys of `headings` in its source.yaml


class StatementTexts(Block):
    """A recommendation. Placeholders: the limits of its criteria."""

    statement: str = ""  # summary of the source's statement; required where the statement can be cited
    because: str = ""  # the reason in a few words, for summaries
    card_note: str = ""  # a reading that the clinician should know of, shown where the statement opens a card


class Variant(StrEnum):
    """When an advice is worded differently (decision 68)."""

    NOT_FORBIDDEN = "not-forbidden"  # no source forbids the drug: it is not recommended, or less suitable
    CORRECTABLE = "correctable"  # what speaks against the drug can be corrected
    NONE_SUGGESTED = "none-suggested"  # nothing can be suggested
    DATA_FIRST = "data-first"  # nothing is suggested before a value is known
    KNOWN_ALREADY = "known-already"  # what the advice looks for is on record already


class VariantTexts(Block):
    """An advice in one of its variants; without an action, that of the advice. Placeholders: `VARIANT_PLACEHOLDERS`."""

    summary: str
    action: str = ""


class AdviceTexts(Block):
    """An advice: one line, and what to do. Placeholders: `SUMMARY_PLACEHOLDERS` in the summary."""

    summary: str
    action: str = ""
    variants: dict[Variant, VariantTexts] = Field(default_factory=dict)


class DoseTexts(Block):
    """An order of a drug: the dose in words, and where it comes from."""

    text: str
    source_note: str = ""


class DrugTexts(Block):
    """A drug: its name, how to take it, its orders by source id or "any"."""

    name: str
    instructions: str = ""
    orders: dict[str, DoseTexts] = Field(default_factory=dict)


class OrderableTexts(Block):
    """A test, examination or referral. `note`: for the person who carries it out."""

    name: str
    body_site: str = ""
    note: str = ""


class Locale(Block):
    """All texts of one language."""

    language: str
    decimal_mark: Literal[".", ","]  # of limits in statements
    phrases: Phrases
    topics: dict[str, str]
    strengths: dict[str, str]
    override_reasons: dict[str, str]
    names: dict[str, str]  # of features and data
    composed_names: dict[str, str]  # {name} with what is known of it
    words: dict[str, str]  # values that are words of a closed list
    units: dict[str, str]  # by UCUM code, where a clinician writes it in another way
    notes: dict[str, str]  # by `NoteCode`; placeholders: `NOTE_VALUES`
    sources: dict[str, SourceTexts]
    profiles: dict[str, str]
    statements: dict[str, StatementTexts]
    advice: dict[str, AdviceTexts]
    remarks: dict[str, str]  # by the `remark` of a gate or the id of a disagreement
    gate_reasons: dict[str, str] = Field(default_factory=dict)  # the same in a few words, for summaries; by `remark`
    drugs: dict[str, DrugTexts]
    substances: dict[str, str] = Field(
        default_factory=dict
    )  # names of recognised drugs, by the id of their file in guidelines/drugs
    orderables: dict[str, OrderableTexts]
