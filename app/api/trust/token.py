"""A token taken apart, and everything about it that can be judged without a key.

Each check raises Untrusted with a fixed word for the log; the caller of the service never learns which it was.
"""

from __future__ import annotations

import binascii
import math
import re
from base64 import urlsafe_b64decode
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.api.trust.settings import TrustedClient

# A token is some 600 characters; the limit keeps megabytes of it from being decoded.
_MAX_CHARACTERS = 16_384
_MAX_JTI_CHARACTERS = 512
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)


class Untrusted(Exception):
    """A caller that is not trusted. `reason` is a fixed word, for the log and the metrics only."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Token:
    """A JWT whose signature has not been checked yet. Never printed."""

    compact: str = field(repr=False)
    header: dict[str, Any] = field(repr=False)
    claims: dict[str, Any] = field(repr=False)
    alg: str
    kid: str = field(repr=False)
    jku: str | None = field(repr=False)


def bearer(headers: Collection[str]) -> str:
    """The token of the Authorization headers of a request; there must be exactly one."""
    if not headers:
        raise Untrusted("no-token")
    match = _BEARER.fullmatch(next(iter(headers)).strip())
    if match is None or len(headers) > 1:
        raise Untrusted("no-bearer-token")
    return match[1]


def read_token(compact: str, *, algorithms: Collection[str]) -> Token:
    """Take a compact JWS apart and check its header (RFC 7515; CDS Hooks 2.0.1, "JSON Web Token header")."""
    match = _COMPACT.fullmatch(compact) if len(compact) <= _MAX_CHARACTERS else None
    if match is None:
        raise Untrusted("malformed")
    header, claims = _json_object(match[1]), _json_object(match[2])
    alg, kid, typ, jku = header.get("alg"), header.get("kid"), header.get("typ"), header.get("jku")
    if not isinstance(alg, str) or alg not in algorithms:
        raise Untrusted("algorithm")
    # Extensions that must be understood, and are not.
    if "crit" in header or "b64" in header:
        raise Untrusted("header")
    if not isinstance(typ, str) or typ.lower() != "jwt":
        raise Untrusted("header")
    if not isinstance(kid, str) or not kid or not isinstance(jku, str | None):
        raise Untrusted("header")
    return Token(compact, header, claims, alg, kid, jku)


def issuer(token: Token) -> str:
    """The issuer that the token claims."""
    iss = token.claims.get("iss")
    if not isinstance(iss, str):
        raise Untrusted("issuer")
    return iss


def check_audience(token: Token, endpoints: Collection[str], client: TrustedClient) -> None:
    """`aud` must hold the URL that was called, or what was agreed on by hand; one trailing slash is tolerated."""
    aud = token.claims.get("aud")
    values = aud if isinstance(aud, list) else [aud]
    accepted = {endpoint.removesuffix("/") for endpoint in endpoints} | {*client.audiences}
    for value in values:
        if isinstance(value, str) and (value.removesuffix("/") in accepted or value in accepted):
            return
    raise Untrusted("audience")


def check_times(token: Token, *, now: float, leeway: float, max_lifetime: float) -> float:
    """`exp`, `iat`, the lifetime between them, and `nbf` where it is sent (Epic). Gives `exp`."""
    exp, iat = _time(token, "exp"), _time(token, "iat")
    if exp <= now - leeway:
        raise Untrusted("expired")
    if iat > now + leeway:
        raise Untrusted("issued-in-future")
    if not 0 < exp - iat <= max_lifetime:
        raise Untrusted("lifetime")
    if "nbf" in token.claims and _time(token, "nbf") > now + leeway:
        raise Untrusted("not-yet-valid")
    return exp


def check_tenant(token: Token, client: TrustedClient) -> str | None:
    """`tenant`, where the client has a list of them. Gives the tenant."""
    tenant = token.claims.get("tenant")
    if not isinstance(tenant, str | None):
        raise Untrusted("tenant")
    if client.tenants is not None and tenant not in client.tenants:
        raise Untrusted("tenant")
    return tenant


def token_id(token: Token) -> str:
    """`jti`, required."""
    jti = token.claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI_CHARACTERS:
        raise Untrusted("token-id")
    return jti


def _time(token: Token, claim: str) -> float:
    value = token.claims.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Untrusted("times")
    return float(value)


def _json_object(part: str) -> dict[str, Any]:
    try:
        value = orjson.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, orjson.JSONDecodeError):
        raise Untrusted("malformed") from None
    if not isinstance(value, dict):
        raise Untrusted("malformed")
    return value
