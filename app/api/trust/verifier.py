"""Whether a caller's token is good: the checks in the order of the CDS Hooks best practices."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from joserfc import jws
from joserfc.errors import JoseError

from app.api.logs import logger
from app.api.trust.keys import Key, KeyRing
from app.api.trust.replay import ReplayStore, ReplayStoreUnavailable, replay_store
from app.api.trust.settings import TrustSettings
from app.api.trust.token import (
    Token,
    Untrusted,
    check_audience,
    check_tenant,
    check_times,
    issuer,
    read_token,
    token_id,
)
from app.cds_hooks.configuration import Preferences


@dataclass(frozen=True, slots=True)
class Caller:
    """A trusted client, as its token names it; these three may be logged, the token never.

    `preferences`: what its calls are answered with where the request does not say it.
    """

    iss: str
    tenant: str | None
    jti: str
    preferences: Preferences = field(default_factory=Preferences, repr=False)


class Verifier:
    """Checks tokens; one per process, to be closed with `aclose`. `now` is Unix time."""

    def __init__(
        self,
        settings: TrustSettings,
        *,
        keys: KeyRing | None = None,
        replay: ReplayStore | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._clients = {client.iss: client for client in settings.clients()}
        self._keys = KeyRing(settings) if keys is None else keys
        self._replay = replay_store(settings) if replay is None else replay
        self._now = now

    async def verify(self, compact: str, *, endpoints: Collection[str]) -> Caller:
        """Who calls one of the endpoints (URLs that `aud` may name).

        Raises Untrusted, or ReplayStoreUnavailable where it is unknown whether the token was used before and the
        settings do not accept that.
        """
        settings, now = self._settings, self._now()
        token = read_token(compact, algorithms=settings.trust_algorithms)
        iss = issuer(token)
        client = self._clients.get(iss)
        if client is None:
            raise Untrusted("issuer")
        check_audience(token, endpoints, client)
        exp = check_times(token, now=now, leeway=settings.trust_leeway, max_lifetime=settings.trust_max_lifetime)
        tenant = check_tenant(token, client)
        jti = token_id(token)
        if not any(signed_by(key, token) for key in await self._keys.candidates(client, token)):
            raise Untrusted("signature")
        await self._refuse_replay(iss, jti, seconds=exp + settings.trust_leeway - now)
        return Caller(iss, tenant, jti, client.preferences(tenant))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._keys.aclose()
        await self._replay.aclose()

    async def _refuse_replay(self, iss: str, jti: str, *, seconds: float) -> None:
        try:
            first = await self._replay.first_use(iss, jti, seconds=seconds)
        except ReplayStoreUnavailable as unavailable:
            accepted = self._settings.replay_unavailable == "accept"
            logger().error(
                "replay store unavailable", reason=unavailable.reason, outcome="accepted" if accepted else "refused"
            )
            if not accepted:
                raise
            return
        if not first:
            raise Untrusted("replayed")


def signed_by(key: Key, token: Token) -> bool:
    """Whether the signature of the token was made with this key and the algorithm of its header."""
    registry = jws.JWSRegistry(algorithms=[token.alg], strict_check_header=False)
    try:
        jws.deserialize_compact(token.compact, key, registry=registry)
    except (JoseError, ValueError):
        return False
    return True
