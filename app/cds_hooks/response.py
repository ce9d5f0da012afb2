"""What a service answers: cards with their suggestions, sources, links and override reasons.

The classes refuse what the standard forbids when they are built, so that a wrong card is a failing test or a 500
and never reaches a client. `to_json` leaves out null and empty members at every depth.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from app.record_text import shortened, without_hidden

LARGEST_EXACT_INTEGER = 2**53
"""Above it JSON readers lose digits, and orjson refuses what needs more than 64 bits."""
SUMMARY_LIMIT = 139
"""Code points of a summary: the standard asks for fewer than 140 characters."""

_HTTP_URL = re.compile(r"https?://\S+")


class Indicator(StrEnum):
    """How urgent a card is; the order of the members is the order of urgency."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class ActionType(StrEnum):
    """What accepting an action does with its resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class LinkType(StrEnum):
    """Whether a link is opened as it is or launched as a SMART app."""

    ABSOLUTE = "absolute"
    SMART = "smart"


def new_uuid() -> str:
    """A fresh identifier of a card or suggestion; feedback refers to it."""
    return str(uuid.uuid4())


def fit_summary(text: str) -> str:
    """The text as one line within the limit of a summary, cut at a word with an ellipsis where it is longer."""
    return shortened(without_hidden(text), SUMMARY_LIMIT)


def _require_text(name: str, value: str) -> None:
    if not value.strip():
        raise ValueError(f"{name} must not be empty")


def _require_url(name: str, value: str | None) -> None:
    if value is not None and not _HTTP_URL.fullmatch(value):
        raise ValueError(f"{name} must be an absolute http(s) URL")


class Written(dict[str, Any]):
    """JSON that was written without null and empty members: it is not gone through again."""


_CONTAINERS = frozenset({dict, list, Written})


class Coding(Struct, frozen=True, gc=False):
    """A code of a code system with the text that a person reads."""

    code: str
    system: str
    display: str | None = None

    def __post_init__(self) -> None:
        _require_text("Coding.code", self.code)
        _require_text("Coding.system", self.system)

    def to_json(self) -> dict[str, Any]:
        """The Coding as JSON."""
        return _members({"code": self.code, "system": self.system, "display": self.display})


class Source(Struct, frozen=True, gc=False):
    """Where the advice of a card comes from. `url` leads to the source itself, never to a patient's data."""

    label: str
    url: str | None = None
    icon: str | None = None
    topic: Coding | None = None

    def __post_init__(self) -> None:
        _require_text("Source.label", self.label)
        _require_url("Source.url", self.url)
        _require_url("Source.icon", self.icon)

    def to_json(self) -> dict[str, Any]:
        """The source as JSON."""
        topic = self.topic.to_json() if self.topic else None
        return _members({"label": self.label, "url": self.url, "icon": self.icon, "topic": topic})


class Link(Struct, frozen=True, gc=False):
    """A page or SMART app beside a card. It holds no patient data: the client adds the launch context."""

    label: str
    url: str
    type: LinkType = LinkType.ABSOLUTE
    app_context: str | None = None

    def __post_init__(self) -> None:
        _require_text("Link.label", self.label)
        _require_url("Link.url", self.url)
        if self.app_context is not None and self.type is not LinkType.SMART:
            raise ValueError("Link.appContext is for SMART apps only")

    def to_json(self) -> dict[str, Any]:
        """The link as JSON."""
        return _members({"label": self.label, "url": self.url, "type": self.type, "appContext": self.app_context})


class Action(Struct, frozen=True, gc=False):
    """One change that a suggestion makes. `resource` is a whole FHIR resource; a delete has `resource_id` instead."""

    type: ActionType
    description: str
    resource: Mapping[str, Any] | None = None
    resource_id: str | None = None
    extension: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        _require_text("Action.description", self.description)
        if self.type is ActionType.DELETE:
            if self.resource_id is None or self.resource is not None:
                raise ValueError("a delete action has resourceId and no resource")
        elif self.resource is None or not self.resource.get("resourceType") or self.resource_id is not None:
            raise ValueError("a create or update action has a resource with resourceType and no resourceId")

    def to_json(self) -> dict[str, Any]:
        """The action as JSON."""
        return _members(
            {
                "type": self.type,
                "description": self.description,
                "resource": _plain(self.resource),
                "resourceId": self.resource_id,
                "extension": _plain(self.extension),
            }
        )


class Suggestion(Struct, frozen=True, gc=False):
    """One thing that the clinician can accept; all of its actions belong together."""

    label: str
    actions: tuple[Action, ...] = ()
    is_recommended: bool | None = None
    uuid: str = field(default_factory=new_uuid)
    extension: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        _require_text("Suggestion.label", self.label)

    def to_json(self) -> dict[str, Any]:
        """The suggestion as JSON."""
        return _members(
            {
                "label": self.label,
                "uuid": self.uuid,
                "isRecommended": self.is_recommended,
                "actions": [action.to_json() for action in self.actions],
                "extension": _plain(self.extension),
            }
        )


class Card(Struct, frozen=True, gc=False):
    """One piece of advice.

    `summary` is one line of at most `SUMMARY_LIMIT` code points (see `fit_summary`), `detail` is GitHub Flavored
    Markdown without HTML. Suggestions exclude each other (`at-most-one`): independent ones are separate cards.
    """

    summary: str
    indicator: Indicator
    source: Source
    detail: str | None = None
    suggestions: tuple[Suggestion, ...] = ()
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()
    extension: Mapping[str, Any] | None = None
    uuid: str = field(default_factory=new_uuid)

    def __post_init__(self) -> None:
        _require_text("Card.summary", self.summary)
        if len(self.summary) > SUMMARY_LIMIT:
            raise ValueError(f"Card.summary is longer than {SUMMARY_LIMIT} characters")
        if "\n" in self.summary:
            raise ValueError("Card.summary is one line")
        if sum(suggestion.is_recommended is True for suggestion in self.suggestions) > 1:
            raise ValueError("at most one suggestion of a card is recommended")
        if any(not reason.display for reason in self.override_reasons):
            raise ValueError("every override reason has a display text")

    def to_json(self) -> dict[str, Any]:
        """The card as JSON."""
        return _members(
            {
                "uuid": self.uuid,
                "summary": self.summary,
                "detail": self.detail,
                "indicator": self.indicator,
                "source": self.source.to_json(),
                "suggestions": [suggestion.to_json() for suggestion in self.suggestions],
                "selectionBehavior": "at-most-one" if self.suggestions else None,
                "overrideReasons": _codings(self.override_reasons),
                "links": [link.to_json() for link in self.links],
                "extension": _plain(self.extension),
            }
        )


class HookAnswer(Struct, frozen=True, gc=False):
    """The whole answer to one call. `extension` is for what belongs to no card (notUsed, missing)."""

    cards: tuple[Card, ...] = ()
    extension: Mapping[str, Any] | None = None
    guideline_version: str | None = None  # for the audit line; not sent
    unrecognised: Mapping[tuple[str, str], int] = {}  # for the counters, by kind and code system; not sent
    safety_off: tuple[str, ...] = ()  # safety statements that the hospital has switched off; for the audit line

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON; `cards` is present even when it is empty."""
        answer: dict[str, Any] = {"cards": [card.to_json() for card in self.cards]}
        if extension := _plain(self.extension):
            answer["extension"] = extension
        return answer


@lru_cache(maxsize=16)
def _codings(reasons: tuple[Coding, ...]) -> list[dict[str, Any]]:
    """Override reasons as JSON: the same on every card of a language."""
    return [reason.to_json() for reason in reasons]


def _members(made: dict[str, Any]) -> dict[str, Any]:
    """The members of a part of the answer, without those that are null or empty.

    Lists and objects among them are JSON already, out of `to_json` or `_plain`, and are not gone through again.
    """
    return {
        name: plain
        for name, value in made.items()
        if (plain := (value or None) if type(value) in _CONTAINERS else _plain(value)) is not None
    }


def written(members: Mapping[str, Any]) -> Written:
    """Members gone through now, for what an answer contains more than once."""
    return Written(_pruned(members))


def _pruned(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members without those that are null or empty, at every depth."""
    return {name: plain for name, value in members.items() if (plain := _plain(value)) is not None}


def _plain(value: Any) -> Any:
    """The value in JSON types, or None where nothing of it is left."""
    # Exact types first: an answer has thousands of values, and nearly all are these.
    kind = type(value)
    if kind is str:
        return value if value and not value.isspace() else None
    if kind is dict:
        return _pruned(value) or None
    if kind is Written:
        return value
    if kind is list or kind is tuple:
        return [plain for item in value if (plain := _plain(item)) is not None] or None
    return _plain_other(value)


def _plain_other(value: Any) -> Any:
    """The same for the rarer types, and for subclasses of the frequent ones."""
    if value is None or value is True or value is False or isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        return str(value) if value.strip() else None
    if isinstance(value, Mapping):
        return _pruned(value) or None
    if isinstance(value, (list, tuple)):
        return [plain for item in value if (plain := _plain(item)) is not None] or None
    if isinstance(value, (set, frozenset)):
        return [plain for item in sorted(value) if (plain := _plain(item)) is not None] or None
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value() and abs(value) <= LARGEST_EXACT_INTEGER
        return int(value) if whole else float(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"not a JSON value: {type(value).__name__}")
