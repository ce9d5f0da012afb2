"""Which guideline profile leads and in which language the cards are written, for one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.cds_hooks.errors import MalformedRequest
from app.vocabulary import Language

EXTENSION_NAME = "osteon.configuration"


class Profile(StrEnum):
    """Which source leads."""

    INTL = "intl"
    SE = "se"
    DK = "dk"
    CN = "cn"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The profile and language that one call is answered with."""

    profile: Profile = Profile.INTL
    language: Language = Language.EN


def configuration_of(
    extension: dict[str, Any] | None, *, default: Configuration, accept_language: str | None = None
) -> Configuration:
    """The configuration of a call: its extension first, then Accept-Language (language only), then the default.

    Raises MalformedRequest that names the allowed values where the extension asks for something that is not served.
    """
    asked: Any = (extension or {}).get(EXTENSION_NAME)
    path = f"extension['{EXTENSION_NAME}']"
    if asked is None:
        asked = {}
    if not isinstance(asked, dict):
        raise MalformedRequest(f"{path} must be an object", expression=path)
    profile = _chosen(asked.get("profile"), list(Profile), f"{path}.profile")
    language = _chosen(asked.get("language"), list(Language), f"{path}.language")
    return Configuration(
        profile=Profile(profile) if profile else default.profile,
        language=Language(language) if language else preferred_language(accept_language) or default.language,
    )


def _chosen(value: object, allowed: Sequence[str], path: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and value in allowed:
        return value
    raise MalformedRequest(f"{path} must be one of: {', '.join(allowed)}", expression=path)


def preferred_language(header: str | None) -> Language | None:
    """The language of an Accept-Language header that is served and liked best (RFC 9110, 12.5.4), if any.

    Only the primary subtag is compared: "sv-FI" is served in Swedish. A header that cannot be read is ignored.
    """
    best: tuple[float, Language] | None = None
    for item in (header or "").split(","):
        tag, _, parameters = item.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        weight = _weight(parameters)
        if name in set(Language) and weight > 0 and (best is None or weight > best[0]):
            best = (weight, Language(name))
    return best[1] if best else None


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
