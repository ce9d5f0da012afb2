"""Settings of the client for `fhirServer`: which servers it may call, and how much and how long."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.outbound.addresses import AddressRefused, IPNetwork, Url, parse_url
from app.outbound.pages import Rewriting

_MEBIBYTE = 1024 * 1024


class FhirClientSettings(BaseSettings):
    """Environment variables with the prefix OSTEON_; lists are comma-separated.

    `fhir_servers`: base URLs that may be called (none by default: no other host is called).
    `fhir_networks`: private networks, as CIDR, that the names of those servers may resolve to.
    `fhir_ca_file`: PEM file of the certificate authorities to trust instead of the public ones.
    `fhir_deadline`: seconds for everything that is fetched for one call. `fhir_max_bytes`: for one answer of the server
    and, times four, for one call. `fhir_max_pages`: for one query; `fhir_page_size`: entries of a page (`_count`).
    `fhir_rewrite`: pairs `written=reached`, comma-separated, for servers behind a proxy that write their inner address
    into `next` links: what is below `written` is fetched below `reached`, which must be below a listed server.
    """

    model_config = SettingsConfigDict(env_prefix="OSTEON_", frozen=True, extra="ignore", hide_input_in_errors=True)

    fhir_servers: Annotated[tuple[str, ...], NoDecode] = ()
    fhir_networks: Annotated[tuple[str, ...], NoDecode] = ()
    fhir_ca_file: Path | None = None
    fhir_deadline: Annotated[float, Field(gt=0, le=60)] = 1.5
    fhir_max_bytes: Annotated[int, Field(ge=1024)] = 16 * _MEBIBYTE
    fhir_max_pages: Annotated[int, Field(ge=1, le=1000)] = 20
    fhir_page_size: Annotated[int, Field(ge=10, le=10_000)] = 500
    fhir_rewrite: Annotated[tuple[str, ...], NoDecode] = ()

    @field_validator("fhir_servers", "fhir_networks", "fhir_rewrite", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("fhir_servers")
    @classmethod
    def _servers(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            try:
                url = parse_url(server)
            except AddressRefused as refused:
                raise ValueError(f"not a base URL that can be called ({refused.reason})") from None
            if url.query is not None:
                raise ValueError("a base URL has no query")
        return servers

    @field_validator("fhir_networks")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ipaddress.ip_network(network)  # its ValueError names what is wrong with it
        return networks

    @field_validator("fhir_rewrite")
    @classmethod
    def _rewrites(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        for pair in pairs:
            written, equals, reached = pair.partition("=")
            if not equals or not written.startswith(("http://", "https://")):
                raise ValueError("a pair is `address in links=address by which it is reached`")
            try:
                parse_url(reached)
            except AddressRefused as refused:
                raise ValueError(f"not an address that can be called ({refused.reason})") from None
        return pairs

    @model_validator(mode="after")
    def _rewritten_to_listed(self) -> FhirClientSettings:
        for _, reached in self.rewriting.pairs:
            if not any(base.covers(parse_url(reached)) for base in self.bases):
                raise ValueError("OSTEON_FHIR_REWRITE leads to a server that is not in OSTEON_FHIR_SERVERS")
        return self

    @property
    def rewriting(self) -> Rewriting:
        """How addresses in links are rewritten."""
        pairs = (pair.partition("=") for pair in self.fhir_rewrite)
        return Rewriting(tuple((written.rstrip("/"), reached.rstrip("/")) for written, _, reached in pairs))

    @property
    def bases(self) -> tuple[Url, ...]:
        """The servers that may be called."""
        return tuple(parse_url(server) for server in self.fhir_servers)

    @property
    def networks(self) -> tuple[IPNetwork, ...]:
        """The private networks that may be called."""
        return tuple(ipaddress.ip_network(network) for network in self.fhir_networks)
