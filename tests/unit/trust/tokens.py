"""Clients with keys of their own, and the tokens that they (and others) make."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

from joserfc import jwk, jws, jwt

from app.outbound.addresses import Url, parse_url
from app.outbound.egress import Answer, EgressFailed

NOW = 1_795_000_000.0
BASE = "https://cds.hospital.example/osteon"
ISS = "https://ehr.hospital.example"
JKU = "https://ehr.hospital.example/jwks.json"
DISCOVERY = f"{BASE}/cds-services"

# Epic's kids hold "+" and "=".
RSA = jwk.RSAKey.generate_key(2048, {"kid": "rsa+1=", "use": "sig"})
EC = jwk.ECKey.generate_key("P-384", {"kid": "ec-1", "use": "sig"})
STRANGER = jwk.ECKey.generate_key("P-384", {"kid": "ec-1", "use": "sig"})

Claims = dict[str, Any]


def claims(**changes: Any) -> Claims:
    """Good claims for discovery; a change to None leaves the claim out."""
    good = {"iss": ISS, "aud": DISCOVERY, "iat": int(NOW), "exp": int(NOW) + 300, "jti": "token-1"}
    return {name: value for name, value in (good | changes).items() if value is not None}


def header(key: jwk.Key = EC, **changes: Any) -> Claims:
    """The header that belongs to a key."""
    alg = "RS384" if isinstance(key, jwk.RSAKey) else "ES384"
    good = {"alg": alg, "typ": "JWT", "kid": key.kid, "jku": JKU}
    return {name: value for name, value in (good | changes).items() if value is not None}


def token(key: jwk.Key = EC, head: Claims | None = None, **changes: Any) -> str:
    """A signed token."""
    used = head or header(key)
    registry = jws.JWSRegistry(algorithms=[used["alg"]], strict_check_header=False)
    return jwt.encode(used, claims(**changes), key, registry=registry)


def unsigned(head: Claims, body: Any, signature: str = "") -> str:
    """A token put together by hand."""
    parts = (urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, body))
    return ".".join((*parts, signature))


def key_set(*keys: jwk.Key, **members: Any) -> bytes:
    """A JWK Set with the public halves."""
    return json.dumps({"keys": [key.as_dict(private=False) | members for key in keys]}).encode()


class FakeEgress:
    """The network: what stands at which address, and how often it was asked for."""

    def __init__(self, **pages: bytes) -> None:
        self.pages = {JKU: key_set(RSA, EC), **pages}
        self.asked: list[str] = []
        self.status = 200
        self.down = False

    def allowed(self, text: str) -> Url:
        return parse_url(text)

    async def get(self, url: Url, headers: dict[str, str], *, seconds: float, max_bytes: int) -> Answer:
        self.asked.append(str(url))
        if self.down:
            raise EgressFailed("unreachable")
        return Answer(self.status, "application/json", self.pages[str(url)])

    async def aclose(self) -> None:
        pass


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
