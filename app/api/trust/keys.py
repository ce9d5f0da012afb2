"""The public keys of trusted clients: from their JWK Sets by address, or from a file.

A set is kept for `jwks_max_age`. An unknown `kid` (the client has new keys) makes it load once more, at most every
`jwks_refetch` seconds, so that a caller who invents kids cannot make the service call the client all the time. When
loading fails the old keys serve on, up to `jwks_max_stale`.
"""

from __future__ import annotations

import asyncio
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
from joserfc import jwk
from joserfc.errors import JoseError

from app.api.logs import logger
from app.api.trust.settings import TrustedClient, TrustSettings
from app.api.trust.token import Token, Untrusted
from app.outbound.addresses import AddressRefused, parse_url
from app.outbound.egress import Egress, EgressFailed

Key = jwk.RSAKey | jwk.ECKey

_MAX_BYTES = 1024 * 1024
_MAX_KEYS = 100
# NIST SP 800-131A: shorter RSA keys are not acceptable for signatures.
_MIN_RSA_BITS = 2048
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC"}


class KeysUnavailable(Exception):
    """A JWK Set could not be loaded. `reason` is a fixed word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeyRing:
    """All key sets of all trusted clients; shared, so that two clients behind one address load it once."""

    def __init__(
        self, settings: TrustSettings, *, egress: Egress | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        clients = settings.clients()
        urls = sorted({url for client in clients for url in client.jku})
        files = {client.keys_file for client in clients if client.keys_file is not None}
        if egress is None:
            egress = Egress(
                [parse_url(url) for url in urls],
                networks=settings.networks,
                ca_file=str(settings.jwks_ca_file) if settings.jwks_ca_file else None,
            )
        self._egress = egress
        self._timeout = settings.jwks_timeout
        self._by_url = {url: _KeySet(self._loader(url), settings, clock, name=f"jku {n}") for n, url in enumerate(urls)}
        self._by_file = {file: _KeySet(_file_loader(file), settings, clock, name=file.name) for file in files}

    async def candidates(self, client: TrustedClient, token: Token) -> list[Key]:
        """The keys that may have signed the token. Raises Untrusted."""
        found: list[Key] = []
        for key_set in self._sets(client, token.jku):
            found.extend(await key_set.find(token))
        if not found:
            raise Untrusted("unknown-key")
        return found

    async def aclose(self) -> None:
        """Close the connections."""
        await self._egress.aclose()

    def _sets(self, client: TrustedClient, jku: str | None) -> Iterable[_KeySet]:
        if jku is not None and client.jku:
            if jku not in client.jku:
                raise Untrusted("key-address")
            return [self._by_url[jku]]
        sets = [self._by_url[url] for url in client.jku]
        return sets if client.keys_file is None else [self._by_file[client.keys_file], *sets]

    def _loader(self, address: str) -> Callable[[], Awaitable[bytes]]:
        async def load() -> bytes:
            try:
                url = self._egress.allowed(address)
                headers = {"Accept": "application/jwk-set+json, application/json"}
                answer = await self._egress.get(url, headers, seconds=self._timeout, max_bytes=_MAX_BYTES)
            except (AddressRefused, EgressFailed) as failed:
                raise KeysUnavailable(failed.reason) from None
            if answer.status != 200:
                raise KeysUnavailable("status")
            return answer.body

        return load


class _KeySet:
    """One JWK Set and how old it is."""

    def __init__(
        self,
        load: Callable[[], Awaitable[bytes]],
        settings: TrustSettings,
        clock: Callable[[], float],
        *,
        name: str,
    ) -> None:
        self._load = load
        self._settings = settings
        self._clock = clock
        self._name = name
        self._lock = asyncio.Lock()
        self._keys: list[dict[str, Any]] = []
        self._loaded: float | None = None
        self._tried: float | None = None

    async def find(self, token: Token) -> list[Key]:
        """The keys with the token's kid that are good for its algorithm; loads the set where that may help."""
        if self._age(self._loaded) > self._settings.jwks_max_age:
            await self._refresh()
        if not (found := self._matching(token)):
            await self._refresh()
            found = self._matching(token)
        return found

    def _age(self, moment: float | None) -> float:
        return float("inf") if moment is None else self._clock() - moment

    async def _refresh(self) -> None:
        asked = self._clock()
        async with self._lock:
            # Another request loaded it while this one waited; or it is too early to ask again.
            if self._tried is not None and (
                self._tried >= asked or self._age(self._tried) < self._settings.jwks_refetch
            ):
                return
            self._tried = self._clock()
            try:
                self._keys = read_jwk_set(await self._load())
                self._loaded = self._clock()
                logger().info("keys loaded", detail=self._name, count=len(self._keys))
            except KeysUnavailable as unavailable:
                logger().warning("keys not loaded; old ones serve on", detail=self._name, reason=unavailable.reason)

    def _matching(self, token: Token) -> list[Key]:
        if self._age(self._loaded) > self._settings.jwks_max_stale:
            return []
        keys = (_usable(entry, token.alg) for entry in self._keys if entry.get("kid") == token.kid)
        return [key for key in keys if key is not None]


def read_jwk_set(raw: bytes) -> list[dict[str, Any]]:
    """The entries of a JWK Set (RFC 7517, section 5). Raises KeysUnavailable where it is none."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise KeysUnavailable("not-json") from None
    entries = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise KeysUnavailable("not-a-key-set")
    return [entry for entry in entries[:_MAX_KEYS] if isinstance(entry, dict)]


def _usable(entry: dict[str, Any], alg: str) -> Key | None:
    """The key of an entry, where it is a public key for signatures with this algorithm (RFC 7517, section 4)."""
    operations = entry.get("key_ops")
    if (
        entry.get("kty") != _KEY_TYPES[alg[:2]]
        or entry.get("use", "sig") != "sig"
        or entry.get("alg", alg) != alg
        or (operations is not None and (not isinstance(operations, list) or "verify" not in operations))
    ):
        return None
    if entry["kty"] == "RSA" and _bits(entry.get("n")) < _MIN_RSA_BITS:
        return None
    try:
        # Only the public members: a private key published by mistake is not loaded.
        public = {name: value for name, value in entry.items() if name in ("kty", "n", "e", "crv", "x", "y", "kid")}
        key = jwk.import_key(public)
    except (JoseError, ValueError, TypeError):  # an entry that cannot be read must not cost the others
        return None
    return key if isinstance(key, jwk.RSAKey | jwk.ECKey) else None


def _bits(number: object) -> int:
    """The length of a number as RFC 7518 writes it (Base64urlUInt); 0 where it is none."""
    if not isinstance(number, str):
        return 0
    try:
        return int.from_bytes(urlsafe_b64decode(number + "=" * (-len(number) % 4))).bit_length()
    except ValueError:
        return 0


def _file_loader(file: Path) -> Callable[[], Awaitable[bytes]]:
    read_jwk_set(file.read_bytes())  # a file that is missing or broken stops the start, not the first call

    async def load() -> bytes:
        try:
            return await asyncio.to_thread(file.read_bytes)
        except OSError:
            raise KeysUnavailable("file") from None

    return load
