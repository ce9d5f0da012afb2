"""The schema of guidelines/reviews/*.yaml: what clinicians found when they compared a statement with its source."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from app.engine.schema import Block


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("a day is written YYYY-MM-DD") from None
    return text


Text = Annotated[str, Field(pattern=r"\S")]


class Review(Block):
    """One person's verdict on one statement. `version`: the version of the statement that was reviewed."""

    statement: str
    version: str = Field(pattern=r"^[0-9a-f]{12}$")
    by: Text  # the reviewer's name
    role: Text  # profession and place of work
    date: Annotated[str, AfterValidator(_day)]
    verdict: Literal["agreed", "rejected"]
    remark: str = ""


class ReviewFile(Block):
    """A file of reviews. `earlier`: versions of statements that were reviewed and have changed since."""

    reviews: list[Review] = []
    earlier: dict[str, list[str]] = {}
