"""What a call is answered with: guideline profile, language, and how much of the advice is sent.

Order: the extension of the request, the path, the client, Accept-Language, the setting (contract, section 3). The
options that discovery publishes have the shape that Da Vinci CRD uses (STU 2, "Configuration options").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.cds_hooks.errors import MalformedRequest
from app.profiles import profile_ids
from app.vocabulary import Language

EXTENSION_NAME = "osteon.configuration"
CRD_EXTENSION_NAME = "davinci-crd.configuration"
OPTIONS_NAME = "davinci-crd.configuration-options"
MAX_CARDS = "max-cards"
EXPLAIN = "explain"

OPTIONAL_TOPICS: dict[str, str] = {
    "treatment": "Treatment",
    "drug-switch": "Change of the bone drug",
    "dxa-referral": "Bone density measurement",
    "imaging": "Imaging of spine and femur",
    "secondary-workup": "Work-up of secondary causes",
    "specialist-referral": "Referral to a specialist",
    "monitoring": "Follow-up",
    "calcium-vitamin-d": "Calcium and vitamin D",
    "lifestyle-falls": "Lifestyle and falls",
    "data-needed": "Questions about missing data",
}
"""The topics of cards that a request can turn off. Red flags, drug safety and safety statements always come."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """The options from one place: the request, the path, the client. None or empty = not set there."""

    profile: str | None = None
    language: Language | None = None
    switched: frozenset[str] = frozenset()  # ids of recommendations turned against their default
    timezone: str | None = None  # of the IANA database


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one call is answered with.

    `timezone` is None where the setting of the service holds. `max_cards` is None where all cards are sent. `explain`:
    the answer also tells the timeline of the patient and what each recommendation says. `profiles`: the ids of all
    profiles that can be chosen.
    """

    profile: str = "intl"
    language: Language = Language.EN
    switched: frozenset[str] = frozenset()
    timezone: str | None = None
    max_cards: int | None = None
    topics_off: frozenset[str] = frozenset()
    explain: bool = False
    fallbacks: Mapping[str, Language] = field(default_factory=dict)  # a language that is not served -> the one instead
    profiles: tuple[str, ...] = field(default_factory=profile_ids)


def configuration_of(
    extension: dict[str, Any] | None,
    *,
    default: Configuration,
    preferences: Sequence[Preferences] = (),
    accept_language: str | None = None,
) -> Configuration:
    """The configuration of a call: its extension, the preferences (strongest first), Accept-Language, the default.

    Raises MalformedRequest that names the allowed values where the extension asks for something that is not served.
    """
    asked = _asked(extension, EXTENSION_NAME)
    options = {**_asked(extension, CRD_EXTENSION_NAME), **asked}
    path = f"extension['{EXTENSION_NAME}']"
    profile = _chosen(asked.get("profile"), default.profiles, f"{path}.profile")
    language = _chosen(asked.get("language"), [*Language, *default.fallbacks], f"{path}.language")
    profiles = (one.profile for one in preferences if one.profile)
    languages = (one.language for one in preferences if one.language)
    return Configuration(
        profile=profile or next(profiles, default.profile),
        language=_served(language, default.fallbacks)
        if language
        else next(languages, None) or preferred_language(accept_language, default.fallbacks) or default.language,
        switched=default.switched.union(*(one.switched for one in preferences)),
        timezone=next((one.timezone for one in preferences if one.timezone), default.timezone),
        max_cards=_max_cards(options.get(MAX_CARDS), f"{path}['{MAX_CARDS}']"),
        topics_off=frozenset(topic for topic in OPTIONAL_TOPICS if _switch(options.get(topic), topic) is False),
        explain=_switch(asked.get(EXPLAIN), EXPLAIN) is True,
        fallbacks=default.fallbacks,
        profiles=default.profiles,
    )


def _served(language: str, fallbacks: Mapping[str, Language]) -> Language:
    """The language in which a call for a language is answered: itself where it is served, else its fallback."""
    return fallbacks[language] if language in fallbacks else Language(language)


def _asked(extension: dict[str, Any] | None, name: str) -> dict[str, Any]:
    asked = (extension or {}).get(name)
    if asked is None:
        return {}
    if not isinstance(asked, dict):
        path = f"extension['{name}']"
        raise MalformedRequest(f"{path} must be an object", expression=path)
    return asked


def _max_cards(value: object, path: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise MalformedRequest(f"{path} must be an integer from 1 on", expression=path)
    return value


def _switch(value: object, name: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    path = f"extension['{EXTENSION_NAME}']['{name}']"
    raise MalformedRequest(f"{path} must be true or false", expression=path)


def _chosen(value: object, allowed: Sequence[str], path: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and value in allowed:
        return value
    raise MalformedRequest(f"{path} must be one of: {', '.join(allowed)}", expression=path)


def preferred_language(header: str | None, fallbacks: Mapping[str, Language]) -> Language | None:
    """The language of an Accept-Language header that is served and liked best (RFC 9110, 12.5.4), if any.

    Only the primary subtag is compared: "sv-FI" is served in Swedish. A header that cannot be read is ignored.
    `fallbacks`: the languages that are served in another one, by their tag.
    """
    best: tuple[float, Language] | None = None
    for item in (header or "").split(","):
        tag, _, parameters = item.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        weight = _weight(parameters)
        if (name in set(Language) or name in fallbacks) and weight > 0 and (best is None or weight > best[0]):
            best = (weight, _served(name, fallbacks))
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
