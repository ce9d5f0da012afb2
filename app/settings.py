"""The settings of the service: environment variables with the prefix OSTEON_.

Built where the service starts (`create_app`, the command line), never when a module is imported. A value that
cannot be right stops the start with the name of the variable.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.cds_hooks.configuration import Configuration
from app.cds_hooks.queries import queries_with
from app.profiles import profile_ids
from app.vocabulary import Language

_Names = Annotated[tuple[str, ...], NoDecode]
_Months = Annotated[int, Field(ge=1, le=1200)]

MEBIBYTE = 1024 * 1024


class Settings(BaseSettings):
    """All settings with their defaults. Lists are comma-separated."""

    model_config = SettingsConfigDict(env_prefix="OSTEON_", frozen=True, extra="ignore")

    # What is advised, and how it is said
    profile: Annotated[str, Field(json_schema_extra=lambda schema: schema.update(enum=list(profile_ids())))] = "intl"
    language: Language = Language.EN
    language_fallbacks: dict[Annotated[str, Field(pattern="^[a-z]{2,3}$")], Language] = {}
    timezone: str = "UTC"
    disabled_recommendations: _Names = ()
    local: Path | None = None

    # What the hospital's own codes mean
    local_codes: str | None = None

    # What is asked for: prefetch keys that are added, changed or (null) removed
    prefetch: dict[str, str | None] = {}

    # Where the service stands
    public_base_url: str | None = None
    cors_origins: _Names = ()

    # Limits. The largest real chart at hand is 5.7 MB.
    max_body_bytes: Annotated[int, Field(ge=1024)] = 16 * MEBIBYTE
    max_concurrent_requests: Annotated[int, Field(ge=1)] = 64
    max_waiting_bytes: Annotated[int, Field(ge=1024)] = 64 * MEBIBYTE
    max_large_charts: Annotated[int, Field(ge=1)] = 2
    large_chart_bytes: Annotated[int, Field(ge=64 * MEBIBYTE)] = 256 * MEBIBYTE
    request_timeout_seconds: Annotated[float, Field(gt=0)] = 10.0
    shutdown_timeout_seconds: Annotated[int, Field(ge=0)] = 10

    # What is written about the work
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log: Literal["json", "console"] = "json"

    # Readings of the guidelines that a hospital can change (decisions 6, 9, 34, 35). None = the default that stands
    # with its reason in app/features/model.py.
    max_age_renal_months: _Months | None = None
    max_age_calcium_months: _Months | None = None
    max_age_t_score_months: _Months | None = None
    max_age_weight_months: _Months | None = None
    max_age_frax_months: _Months | None = None
    max_age_vitamin_d_months: _Months | None = None
    max_age_laboratory_months: _Months | None = None
    active_record_months: _Months | None = None
    new_fracture_months: _Months | None = None
    postmenopausal_from_age: Annotated[int, Field(ge=40, le=120)] | None = None
    elderly_from_age: Annotated[int, Field(ge=40, le=120)] | None = None
    orthogeriatric_from_age: Annotated[int, Field(ge=40, le=120)] | None = None
    zoledronate_lab_days: Annotated[int, Field(ge=1, le=3650)] | None = None

    @field_validator("cors_origins", "disabled_recommendations", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            scheme, separator, host = origin.partition("://")
            if origin != "*" and (scheme not in ("http", "https") or not separator or not host or "/" in host):
                raise ValueError("an origin is '*' or scheme://host[:port] without a path")
        return origins

    @field_validator("prefetch")
    @classmethod
    def _queries(cls, changes: dict[str, str | None]) -> dict[str, str | None]:
        queries_with(changes)  # its ValueError names the key
        return changes

    @field_validator("local", mode="before")
    @classmethod
    def _folder(cls, folder: object) -> object:
        if folder == "":
            return None
        if isinstance(folder, str | Path) and not Path(folder).is_dir():
            raise ValueError("there is no such folder")
        return folder

    @model_validator(mode="after")
    def _known_profile(self) -> Settings:
        profiles = profile_ids(self.local)
        if self.profile not in profiles:
            close = get_close_matches(self.profile, profiles, n=1)
            hint = f", did you mean {close[0]}?" if close else ""
            raise ValueError(f"OSTEON_PROFILE is one of {', '.join(profiles)}, not {self.profile!r}{hint}")
        return self

    def default_configuration(self) -> Configuration:
        """What holds for calls that choose nothing."""
        return Configuration(
            profile=self.profile,
            language=Language(self.language),
            fallbacks=self.language_fallbacks,
            profiles=profile_ids(self.local),
        )

    @field_validator("language_fallbacks")
    @classmethod
    def _not_served(cls, fallbacks: dict[str, Language]) -> dict[str, Language]:
        served = sorted(set(fallbacks) & set(Language))
        if served:
            raise ValueError(f"{', '.join(served)} is served itself and needs no other language")
        return fallbacks

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("not a time zone of the IANA database")
        return name

    @field_validator("public_base_url")
    @classmethod
    def _base_url(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("an absolute http(s) URL is needed")
        return url.rstrip("/") if url else None

    @property
    def codes_folder(self) -> Path | None:
        """The folder with the codes of the hospital: OSTEON_LOCAL_CODES, else codes/ of the overlay."""
        if self.local_codes:
            return Path(self.local_codes)
        own = self.local / "codes" if self.local is not None else None
        return own if own is not None and own.is_dir() else None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that decides what day it is."""
        return ZoneInfo(self.timezone)
