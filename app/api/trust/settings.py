"""Settings of client trust: the mode, the clients that are trusted, and how strictly."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.cds_hooks.configuration import Preferences
from app.outbound.addresses import AddressRefused, IPNetwork, parse_url
from app.profiles import local_folder, profile_ids
from app.vocabulary import Language

# Asymmetric ones only: "none" and the HMAC family (whose key would be the public text of a key set) cannot be chosen.
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]

_Seconds = Annotated[float, Field(gt=0)]


class ClientDefaults(BaseModel):
    """What the calls of a client, or of one of its tenants, are answered with where the request does not say it.

    `disabled_recommendations`: ids turned against their default, besides those of the service. No safety statement can
    be switched off here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str | None = None
    profile: str | None = None
    language: Language | None = None
    timezone: str | None = None
    disabled_recommendations: tuple[str, ...] = ()

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, name: str | None) -> str | None:
        if name is not None and name not in profile_ids(local_folder()):
            raise ValueError(f"a profile is one of {', '.join(profile_ids(local_folder()))}")
        return name

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError("not a time zone of the IANA database")
        return name

    @property
    def preferences(self) -> Preferences:
        """The same for a call."""
        switched = frozenset(self.disabled_recommendations)
        return Preferences(self.profile, self.language, switched=switched, timezone=self.timezone)


class TrustedClient(BaseModel):
    """One CDS client: the claims that its tokens may make are bound to its issuer.

    `iss`: the issuer as in its tokens. `jku`: URLs of its JWK Sets. `keys_file`: a JWK Set as a file, for
    clients without an address of their own; where there is only a file, the token's own `jku` is ignored.
    `tenants`: the tenants that may call; None = any, or none at all. `audiences`: further values of `aud`, for clients
    whose `aud` is set by hand. `defaults`: what its calls are answered with, for all tenants or for one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    iss: Annotated[str, Field(min_length=1)]
    jku: tuple[str, ...] = ()
    keys_file: Path | None = None
    tenants: tuple[str, ...] | None = None
    audiences: tuple[str, ...] = ()
    defaults: tuple[ClientDefaults, ...] = ()

    @field_validator("defaults")
    @classmethod
    def _each_tenant_once(cls, defaults: tuple[ClientDefaults, ...]) -> tuple[ClientDefaults, ...]:
        if len({one.tenant for one in defaults}) < len(defaults):
            raise ValueError("a tenant has defaults twice")
        return defaults

    @field_validator("jku")
    @classmethod
    def _addresses(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            try:
                parse_url(url)
            except AddressRefused as refused:
                raise ValueError(f"not a URL that can be called ({refused.reason})") from None
        return urls

    @model_validator(mode="after")
    def _has_keys(self) -> TrustedClient:
        if not self.jku and self.keys_file is None:
            raise ValueError("a trusted client needs `jku` or `keys_file`")
        if self.keys_file is not None and not self.keys_file.is_file():
            raise ValueError("`keys_file` is no file")
        unknown = {one.tenant for one in self.defaults if one.tenant is not None} - set(self.tenants or ())
        if self.tenants is not None and unknown:
            raise ValueError("`defaults` names a tenant that may not call")
        return self

    def preferences(self, tenant: str | None) -> Preferences:
        """What the calls of a tenant are answered with: its own defaults, where it has some, else the client's."""
        by_tenant = {one.tenant: one for one in self.defaults}
        found = by_tenant.get(tenant) or by_tenant.get(None)
        return found.preferences if found else Preferences()


_CLIENTS = TypeAdapter(tuple[TrustedClient, ...], config=ConfigDict(hide_input_in_errors=True))


class TrustSettings(BaseSettings):
    """Environment variables with the prefix OSTEON_.

    `trust`: `loopback` (the default: callers on this machine, without tokens), `off` (anybody: something in front
    authenticates), `required` (a JWT of a trusted client on discovery, calls and feedback).
    `trusted_clients`: a JSON array of TrustedClient; `trusted_clients_file`: the same in a file.
    `public_base_url`: what `aud` is compared with. Durations are seconds. `trust_max_lifetime`: of a token, exp - iat
    (Epic's live 900 s). `replay_store`: `memory`, which one worker process sees, or a redis:// URL.
    `replay_unavailable`: what to do when the store is unavailable or full; no default with Redis: somebody decides.
    `jwks_networks`: private networks that the hosts of `jku` may resolve to.
    """

    model_config = SettingsConfigDict(env_prefix="OSTEON_", frozen=True, extra="ignore", hide_input_in_errors=True)

    trust: Literal["loopback", "off", "required"] = "loopback"
    trusted_clients: tuple[TrustedClient, ...] = ()
    trusted_clients_file: Path | None = None
    public_base_url: str | None = None

    trust_algorithms: Annotated[tuple[Algorithm, ...], NoDecode, Field(min_length=1)] = ("RS384", "ES384")
    trust_leeway: Annotated[float, Field(ge=0, le=600)] = 60
    trust_max_lifetime: _Seconds = 900

    replay_store: SecretStr = SecretStr("memory")
    replay_unavailable: Literal["refuse", "accept"] | None = None
    replay_timeout: _Seconds = 0.25
    replay_max_entries: Annotated[int, Field(ge=1)] = 250_000

    jwks_timeout: _Seconds = 3
    jwks_max_age: _Seconds = 3600
    jwks_max_stale: _Seconds = 86_400
    jwks_refetch: Annotated[float, Field(ge=0)] = 10
    jwks_networks: Annotated[tuple[str, ...], NoDecode] = ()
    jwks_ca_file: Path | None = None

    @field_validator("trust_algorithms", "jwks_networks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("jwks_networks")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ipaddress.ip_network(network)  # its ValueError names what is wrong with it
        return networks

    @field_validator("replay_store")
    @classmethod
    def _store(cls, store: SecretStr) -> SecretStr:
        if store.get_secret_value() != "memory" and not store.get_secret_value().startswith(("redis://", "rediss://")):
            raise ValueError("`memory`, or a redis:// or rediss:// URL")
        return store

    @model_validator(mode="after")
    def _complete(self) -> TrustSettings:
        if self.trust != "required":
            return self
        if not self.public_base_url:
            raise ValueError("OSTEON_TRUST=required needs OSTEON_PUBLIC_BASE_URL: `aud` is compared with it")
        try:
            issuers = [client.iss for client in self.clients()]
        except OSError as error:
            raise ValueError(f"the file of trusted clients cannot be read: {error.strerror}") from None
        if not issuers:
            raise ValueError("OSTEON_TRUST=required needs OSTEON_TRUSTED_CLIENTS or OSTEON_TRUSTED_CLIENTS_FILE")
        if len(set(issuers)) != len(issuers):
            raise ValueError("two trusted clients have the same iss")
        if self.uses_redis and self.replay_unavailable is None:
            raise ValueError("with Redis, OSTEON_REPLAY_UNAVAILABLE must say `refuse` or `accept`")
        return self

    def clients(self) -> tuple[TrustedClient, ...]:
        """All trusted clients, those of the file included. Raises OSError or ValidationError."""
        if self.trusted_clients_file is None:
            return self.trusted_clients
        return self.trusted_clients + _CLIENTS.validate_json(self.trusted_clients_file.read_bytes())

    def warnings(self, *, beyond_loopback: bool, workers: int) -> tuple[str, ...]:
        """Warnings for the operator who starts a server process."""
        said = []
        if beyond_loopback and self.trust == "off":
            said.append(
                "ANYBODY WHO REACHES THIS ADDRESS IS ANSWERED: OSTEON_TRUST is off; a gateway must authenticate"
            )
        if beyond_loopback and self.trust == "loopback":
            said.append("callers from other machines get 403: set OSTEON_TRUST to required, or to off behind a gateway")
        if workers > 1 and self.trust == "required" and not self.uses_redis:
            said.append("each worker remembers used tokens for itself: set OSTEON_REPLAY_STORE to a redis:// URL")
        return tuple(said)

    @property
    def networks(self) -> tuple[IPNetwork, ...]:
        """Private networks that key sets may be fetched from."""
        return tuple(ipaddress.ip_network(network) for network in self.jwks_networks)

    @property
    def uses_redis(self) -> bool:
        """Whether several processes share the memory of used tokens."""
        return self.replay_store.get_secret_value() != "memory"
