"""Limits of connections, before and after there is a request."""

from __future__ import annotations

import resource
from functools import cache
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

RESERVED_FILES = 64
"""File descriptors kept for everything that is not a client connection: outbound connections, workers, files."""


class ConnectionSettings(BaseSettings):
    """Environment variables with the prefix OSTEON_.

    `max_header_bytes`: of a request line with all its headers, and of what follows a chunked body; a token has some
    1,000. `header_timeout_seconds`: from the opening of a connection, or the first byte of a further request, to the
    last header. `write_timeout_seconds`: how long in all a client may keep the service from writing to it before the
    connection is cut. `max_connections` and `max_connections_per_address`: open connections of one process.
    """

    model_config = SettingsConfigDict(env_prefix="OSTEON_", frozen=True, extra="ignore")

    max_header_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024
    header_timeout_seconds: Annotated[float, Field(gt=0)] = 10.0
    write_timeout_seconds: Annotated[float, Field(gt=0)] = 30.0
    max_connections: Annotated[int, Field(ge=1)] = 512
    max_connections_per_address: Annotated[int, Field(ge=1)] = 256

    @property
    def connections(self) -> int:
        """Connections that this process can hold: the setting, or less where the system grants fewer open files."""
        granted, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if granted == resource.RLIM_INFINITY:
            return self.max_connections
        return max(1, min(self.max_connections, granted - RESERVED_FILES))

    @property
    def connections_per_address(self) -> int:
        """Connections of one address; never all, so that other addresses (probes) still come in."""
        return max(1, min(self.max_connections_per_address, self.connections * 3 // 4))


@cache
def connection_settings() -> ConnectionSettings:
    """The settings of this process; read once, because they are needed for each connection."""
    return ConnectionSettings()
