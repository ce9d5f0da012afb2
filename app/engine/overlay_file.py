"""What may stand in the overlay.yaml of a hospital (docs/local.md)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from app.engine.schema import Block
from app.vocabulary import Language

LocalTexts = Annotated[dict[Language, Annotated[str, Field(min_length=1)]], Field(min_length=1)]
"""A text in one language or more."""
COMPARED = ("at_least", "above", "at_most", "below")
"""The comparisons whose limit can be changed; a limit with `equals` has no stricter side."""


class Decided(Block):
    """Who decided, and when."""

    by: str = Field(min_length=1)
    date: str

    @field_validator("date")
    @classmethod
    def _day(cls, text: str) -> str:
        try:
            date.fromisoformat(text)
        except ValueError:
            raise ValueError("the day of the decision, YYYY-MM-DD") from None
        return text


class Switched(Block):
    """A statement that is turned off. One of safety needs `accept-risk`: why the hospital bears the risk."""

    id: str
    accept_risk: str = Field("", alias="accept-risk")
    because: str = ""
    decided: Decided | None = None


def _as_switched(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


class Formulary(Block):
    """The drugs of the hospital: those that come first, in this order, and those that it does not stock."""

    order: list[str] = []
    not_stocked: list[str] = Field([], alias="not-stocked")


class LocalCode(Block):
    """A code of the hospital's order system."""

    system: str = Field(min_length=1)
    code: str = Field(min_length=1)
    display: str = ""


class LocalOrderable(Block):
    """How the hospital orders an examination: its codes come before those that ship, its texts replace them."""

    codes: list[LocalCode] = []
    text: LocalTexts | None = None
    note: LocalTexts | None = None


class Link(Block):
    """A page beside the cards of an advice."""

    url: str = Field(pattern=r"^https?://\S+$")
    label: LocalTexts


class Reason(Block):
    """A reason for not following a card: the code of one that ships, or one of the hospital with system and text."""

    code: str = Field(min_length=1)
    system: str = ""
    text: LocalTexts | None = None


def _as_reason(value: Any) -> Any:
    return {"code": value} if isinstance(value, str) else value


class ChangedLimit(Block):
    """A limit that the hospital has changed, with the comparison and the unit of the source."""

    statement: str = ""
    criterion: str = ""
    feature: str
    at_least: Decimal | None = None
    above: Decimal | None = None
    at_most: Decimal | None = None
    below: Decimal | None = None
    instead_of: Decimal | None = Field(None, alias="instead-of")  # the limit of the source, where it has several
    unit: str = ""
    because: str = Field(min_length=1)
    decided: Decided

    @model_validator(mode="after")
    def _one_of_each(self) -> ChangedLimit:
        if bool(self.statement) is bool(self.criterion):
            raise ValueError("exactly one of statement and criterion: where the limit is written")
        if sum(getattr(self, name) is not None for name in COMPARED) != 1:
            raise ValueError(f"exactly one of {', '.join(COMPARED)}, as in the source")
        return self

    @property
    def comparison(self) -> tuple[str, Decimal]:
        """The comparison and the limit of the hospital."""
        return next((name, limit) for name in COMPARED if (limit := getattr(self, name)) is not None)


class OverlayFile(Block):
    """overlay.yaml."""

    hospital: str = ""
    off: list[Annotated[Switched, BeforeValidator(_as_switched)]] = []
    on: list[str] = []
    drugs: Formulary = Field(default_factory=lambda: Formulary.model_validate({}))
    orderables: dict[str, LocalOrderable] = {}
    texts: dict[str, LocalTexts] = {}
    links: dict[str, list[Link]] = {}
    override_reasons: list[Annotated[Reason, BeforeValidator(_as_reason)]] | None = Field(
        None, alias="override-reasons", min_length=1
    )
    prefetch: dict[str, str | None] = {}
    limits: list[ChangedLimit] = []
