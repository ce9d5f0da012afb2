"""Tokens, one by one: what is trusted, what is not, and why not."""

from __future__ import annotations

import asyncio
import hmac
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk

from app.api.trust.keys import KeyRing
from app.api.trust.replay import MemoryStore, ReplayStoreUnavailable
from app.api.trust.settings import TrustedClient, TrustSettings
from app.api.trust.token import Untrusted, bearer, read_token
from app.api.trust.verifier import Caller, Verifier
from tests.unit.trust.tokens import (
    BASE,
    DISCOVERY,
    EC,
    ISS,
    JKU,
    NOW,
    RSA,
    STRANGER,
    Clock,
    FakeEgress,
    claims,
    header,
    key_set,
    token,
    unsigned,
)

CLIENT = TrustedClient(iss=ISS, jku=(JKU,))


def settings(*clients: TrustedClient, **changes: Any) -> TrustSettings:
    return TrustSettings(trust="required", public_base_url=BASE, trusted_clients=clients or (CLIENT,), **changes)


def outcome(
    compact: str, *clients: TrustedClient, egress: FakeEgress | None = None, now: float = NOW, **changes: Any
) -> str:
    """`trusted`, or why not."""
    used = settings(*clients, **changes)
    network: Any = egress or FakeEgress()

    async def work() -> str:
        verifier = Verifier(used, keys=KeyRing(used, egress=network, clock=Clock()), now=lambda: now)
        try:
            caller = await verifier.verify(compact, endpoints=[DISCOVERY])
        except Untrusted as untrusted:
            return untrusted.reason
        finally:
            await verifier.aclose()
        assert caller.iss == ISS
        return "trusted"

    return asyncio.run(work())


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS384", "ES384"])
def test_a_good_token_is_trusted(key: jwk.Key) -> None:
    assert outcome(token(key)) == "trusted"


with warnings.catch_warnings(action="ignore"):  # that it is short is what it is for
    SHORT_RSA = jwk.RSAKey.generate_key(1024, {"kid": "short"})
P256 = jwk.ECKey.generate_key("P-256", {"kid": "p256"})
OCT = jwk.OctKey.generate_key(256, {"kid": "oct"})


def signed_with_the_public_key() -> str:
    """The old trick: HMAC with the text of the public key as the secret."""
    message = unsigned(header(RSA, alg="HS256"), claims()).removesuffix(".")
    digest = hmac.digest(RSA.as_pem(private=False), message.encode(), "sha256")
    return f"{message}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


HEADERS: list[tuple[Callable[[], str], str]] = [
    (lambda: unsigned(header(alg="none"), claims()), "algorithm"),
    (lambda: unsigned(header(alg="None"), claims()), "algorithm"),
    (lambda: unsigned(header(alg=None), claims()), "algorithm"),
    (lambda: unsigned(header(alg=["ES384"]), claims(), "x"), "algorithm"),
    (signed_with_the_public_key, "algorithm"),
    (lambda: token(OCT, header(OCT, alg="HS384")), "algorithm"),
    (lambda: token(RSA, header(RSA, alg="RS256")), "algorithm"),
    (lambda: token(P256, header(P256, alg="ES256")), "algorithm"),
    (lambda: unsigned(header(typ=None), claims(), "x"), "header"),
    (lambda: token(head=header(typ="JOSE")), "header"),
    (lambda: token(head=header(kid=None)), "header"),
    (lambda: unsigned(header(kid=7), claims(), "x"), "header"),
    (lambda: unsigned(header(jku=7), claims(), "x"), "header"),
    (lambda: unsigned(header(crit=["exp"]), claims(), "x"), "header"),
    (lambda: unsigned(header(b64=False), claims(), "x"), "header"),
    (lambda: "", "malformed"),
    (lambda: "a.b", "malformed"),
    (lambda: "a.b.c.d", "malformed"),
    (lambda: token() + "\n", "malformed"),
    (lambda: token() + "=", "malformed"),
    (lambda: unsigned(header(), []), "malformed"),
    (lambda: unsigned(header(), "x" * 20_000), "malformed"),
    (lambda: token(EC, header(jku="https://evil.example/jwks.json")), "key-address"),
    (lambda: token(EC, header(jku=JKU + "?")), "key-address"),
    (lambda: token(EC, header(jku="http://169.254.169.254/")), "key-address"),
    (lambda: token(EC, header(kid="another")), "unknown-key"),
    (lambda: token(EC, header(kid=RSA.kid)), "unknown-key"),
    (lambda: token(STRANGER), "signature"),
    (lambda: token()[:-8] + "AAAAAAAA", "signature"),
    (lambda: unsigned(header(), claims()), "signature"),
    (lambda: unsigned(header(), claims(), token().rsplit(".", 1)[1] + "AA"), "signature"),
    (lambda: unsigned(header(), claims(sub="other"), token().rsplit(".", 1)[1]), "signature"),
]


@pytest.mark.parametrize(("compact", "reason"), HEADERS)
def test_a_token_of_another_make_is_refused(compact: Callable[[], str], reason: str) -> None:
    egress = FakeEgress()
    assert outcome(compact(), egress=egress) == reason
    assert set(egress.asked) <= {JKU}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": None}, "issuer"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": ISS + "/"}, "issuer"),
        ({"iss": [ISS]}, "issuer"),
        ({"aud": None}, "audience"),
        ({"aud": BASE}, "audience"),
        ({"aud": "https://evil.example/cds-services"}, "audience"),
        ({"aud": DISCOVERY + "/osteoporosis-patient-view"}, "audience"),
        ({"aud": DISCOVERY + "//"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": {"x": DISCOVERY}}, "audience"),
        ({"aud": [7, "x"]}, "audience"),
        ({"aud": DISCOVERY + "/"}, "trusted"),
        ({"aud": ["x", DISCOVERY]}, "trusted"),
        ({"exp": None}, "times"),
        ({"iat": None}, "times"),
        ({"exp": str(int(NOW) + 300)}, "times"),
        ({"exp": True}, "times"),
        ({"iat": NOW + 0.5}, "trusted"),
        ({"exp": int(NOW) - 60, "iat": int(NOW) - 300}, "expired"),
        ({"exp": int(NOW) - 59, "iat": int(NOW) - 300}, "trusted"),
        ({"iat": int(NOW) + 60}, "trusted"),
        ({"iat": int(NOW) + 61}, "issued-in-future"),
        ({"exp": int(NOW) + 900}, "trusted"),
        ({"exp": int(NOW) + 901}, "lifetime"),
        ({"exp": int(NOW), "iat": int(NOW)}, "lifetime"),
        ({"exp": int(NOW) - 10, "iat": int(NOW)}, "lifetime"),
        ({"nbf": int(NOW) - 300, "sub": "epic"}, "trusted"),
        ({"nbf": int(NOW) + 60}, "trusted"),
        ({"nbf": int(NOW) + 61}, "not-yet-valid"),
        ({"nbf": "soon"}, "times"),
        ({"jti": None}, "token-id"),
        ({"jti": ""}, "token-id"),
        ({"jti": 7}, "token-id"),
        ({"jti": "x" * 513}, "token-id"),
        ({"tenant": "any"}, "trusted"),
        ({"tenant": 7}, "tenant"),
        ({"claim": {"of": "a vendor"}}, "trusted"),
    ],
)
def test_claims(changes: dict[str, Any], reason: str) -> None:
    assert outcome(token(**changes)) == reason


@pytest.mark.parametrize(("tenant", "reason"), [("north", "trusted"), ("south", "tenant"), (None, "tenant")])
def test_a_list_of_tenants_is_binding(tenant: str | None, reason: str) -> None:
    client = TrustedClient(iss=ISS, jku=(JKU,), tenants=("north",))
    assert outcome(token(tenant=tenant), client) == reason


def test_an_audience_agreed_on_by_hand() -> None:
    client = TrustedClient(iss=ISS, jku=(JKU,), audiences=("sand_man",))
    assert outcome(token(aud="sand_man"), client) == "trusted"
    assert outcome(token(aud="sand_man")) == "audience"


def test_other_algorithms_by_setting_and_the_curve_belongs_to_the_algorithm() -> None:
    egress = FakeEgress(**{JKU: key_set(P256, RSA, EC)})
    compact = token(P256, header(P256, alg="ES256"))
    assert outcome(compact, egress=egress, trust_algorithms=("ES256",)) == "trusted"
    assert outcome(token(EC), egress=egress, trust_algorithms=("ES256",)) == "algorithm"
    # A key of the right family and the wrong curve is no key for it.
    wrong = unsigned(header(P256, alg="ES384"), claims(), compact.rsplit(".", 1)[1])
    assert outcome(wrong, egress=egress) == "signature"


def test_a_client_cannot_speak_for_another_one() -> None:
    """Each issuer is bound to its own keys: another trusted client's do not sign for it."""
    other = TrustedClient(iss="https://other.example", jku=("https://other.example/jwks",))
    egress = FakeEgress(**{"https://other.example/jwks": key_set(STRANGER)})
    head = header(STRANGER, jku="https://other.example/jwks")
    assert outcome(token(STRANGER, head), CLIENT, other, egress=egress) == "key-address"
    assert outcome(token(STRANGER, header(STRANGER, jku=None)), CLIENT, other, egress=egress) == "signature"


def test_keys_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(EC))
    client = TrustedClient(iss=ISS, keys_file=file)
    egress = FakeEgress()
    assert outcome(token(head=header(jku=None)), client, egress=egress) == "trusted"
    # The keys are pinned: an address in the token has no say and is not called.
    assert outcome(token(head=header(jku="https://evil.example/x")), client, egress=egress) == "trusted"
    assert outcome(token(STRANGER, header(jku=None)), client, egress=egress) == "signature"
    assert egress.asked == []


@pytest.mark.parametrize(
    "members",
    [{"use": "enc"}, {"alg": "ES512"}, {"key_ops": ["sign"]}, {"key_ops": "verify"}, {"kty": "oct"}, {"crv": "P-256"}],
)
def test_a_key_for_something_else_is_no_key(members: dict[str, Any]) -> None:
    assert outcome(token(EC), egress=FakeEgress(**{JKU: key_set(EC, **members)})) == "unknown-key"


def test_a_short_rsa_key_is_no_key() -> None:
    egress = FakeEgress(**{JKU: key_set(SHORT_RSA)})
    assert outcome(token(SHORT_RSA), egress=egress) == "unknown-key"


def test_a_broken_entry_does_not_cost_the_other_keys() -> None:
    pages = key_set(EC).replace(
        b'{"keys": [', b'{"keys": [7, {}, {"kty": "EC", "kid": "ec-1", "crv": "P-384", "x": "?"},'
    )
    assert outcome(token(EC), egress=FakeEgress(**{JKU: pages})) == "trusted"


@given(st.text(max_size=200))
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(Untrusted):
        read_token(text, algorithms=("RS384", "ES384"))


@given(st.dictionaries(st.sampled_from(["iss", "aud", "exp", "iat", "jti", "nbf", "tenant"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=5,
)))  # fmt: skip
def test_claims_of_any_shape_are_judged_and_never_crash(changes: dict[str, Any]) -> None:
    assert outcome(unsigned(header(), claims(**changes), "AAAA")) != "trusted"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "no-token"),
        ([""], "no-bearer-token"),
        (["Basic eDp5"], "no-bearer-token"),
        (["Bearer"], "no-bearer-token"),
        (["Bearer a b"], "no-bearer-token"),
        (["Bearer a", "Bearer b"], "no-bearer-token"),
    ],
)
def test_the_authorization_header(headers: list[str], reason: str) -> None:
    with pytest.raises(Untrusted) as untrusted:
        bearer(headers)
    assert untrusted.value.reason == reason


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_case_insensitive(scheme: str) -> None:
    assert bearer([f"{scheme} abc"]) == "abc"


class Session:
    """One verifier over several calls, with clocks and a network that the test moves."""

    def __init__(self, *clients: TrustedClient, **changes: Any) -> None:
        self.settings = settings(*clients, **changes)
        self.egress = FakeEgress()
        self.clock = Clock()
        network: Any = self.egress
        self.replay = MemoryStore(max_entries=self.settings.replay_max_entries, clock=self.clock)
        self.keys = KeyRing(self.settings, egress=network, clock=self.clock)
        self.verifier = Verifier(self.settings, keys=self.keys, replay=self.replay, now=self.clock)
        self.count = 0

    async def call(self, key: jwk.Key = EC, head: dict[str, Any] | None = None, **changes: Any) -> str:
        self.count += 1
        now = int(self.clock.now)
        good = {"jti": f"token-{self.count}", "iat": now, "exp": now + 300}
        try:
            await self.verifier.verify(token(key, head, **(good | changes)), endpoints=[DISCOVERY])
        except Untrusted as untrusted:
            return untrusted.reason
        return "trusted"


def test_the_key_set_is_kept_and_an_unknown_kid_loads_it_once_more() -> None:
    async def work() -> None:
        session = Session()
        new = jwk.ECKey.generate_key("P-384", {"kid": "ec-2"})
        assert [await session.call() for _ in range(5)] == ["trusted"] * 5
        assert len(session.egress.asked) == 1
        session.egress.pages[JKU] = key_set(EC, new)
        session.clock.now += 11
        assert await session.call(new) == "trusted"
        assert len(session.egress.asked) == 2
        # Invented kids cannot make the service call the client all the time.
        assert {await session.call(head=header(kid=f"invented-{n}")) for n in range(20)} == {"unknown-key"}
        assert len(session.egress.asked) == 2
        session.clock.now += 11
        assert await session.call(head=header(kid="invented")) == "unknown-key"
        assert len(session.egress.asked) == 3

    asyncio.run(work())


def test_many_calls_at_once_load_the_key_set_once() -> None:
    async def work() -> None:
        session = Session()
        assert set(await asyncio.gather(*(session.call() for _ in range(20)))) == {"trusted"}
        assert len(session.egress.asked) == 1

    asyncio.run(work())


@pytest.mark.parametrize("trouble", [{"down": True}, {"status": 500}, {"pages": {JKU: b"<html>"}}])
def test_old_keys_serve_on_when_the_set_cannot_be_loaded(trouble: dict[str, Any]) -> None:
    async def work() -> None:
        session = Session()
        assert await session.call() == "trusted"
        for name, value in trouble.items():
            setattr(session.egress, name, value)
        session.clock.now += 3601
        assert await session.call() == "trusted"
        assert len(session.egress.asked) == 2
        session.clock.now += 86_400
        assert await session.call() == "unknown-key"

    asyncio.run(work())


def test_a_key_that_was_withdrawn_is_no_longer_good() -> None:
    async def work() -> None:
        session = Session()
        assert await session.call() == "trusted"
        session.egress.pages[JKU] = key_set(RSA)
        session.clock.now += 3601
        assert await session.call() == "unknown-key"

    asyncio.run(work())


def test_a_token_is_good_once() -> None:
    async def work() -> None:
        session = Session()
        assert await session.call(jti="same") == "trusted"
        assert await session.call(jti="same") == "replayed"
        assert await session.call(jti="Same") == "trusted"
        # As long as it lives, leeway included; then it is refused as expired.
        lived: dict[str, Any] = {"jti": "old", "iat": int(NOW), "exp": int(NOW) + 300}
        assert await session.call(**lived) == "trusted"
        session.clock.now = NOW + 359
        assert await session.call(**lived) == "replayed"
        session.clock.now = NOW + 360
        assert await session.call(**lived) == "expired"

    asyncio.run(work())


def test_a_token_that_is_not_trusted_uses_nothing_up() -> None:
    async def work() -> None:
        session = Session()
        assert await session.call(STRANGER, jti="same") == "signature"
        assert await session.call(jti="same") == "trusted"

    asyncio.run(work())


def test_the_memory_forgets_what_has_expired_and_is_bounded() -> None:
    async def work() -> None:
        session = Session(replay_max_entries=3)
        assert [await session.call() for _ in range(3)] == ["trusted"] * 3
        with pytest.raises(ReplayStoreUnavailable, match="full"):
            await session.call()
        session.clock.now += 361
        assert await session.call() == "trusted"
        assert len(session.replay) == 1

    asyncio.run(work())


def test_what_to_do_with_a_full_memory_is_a_setting() -> None:
    async def work() -> None:
        session = Session(replay_max_entries=1, replay_unavailable="accept")
        assert [await session.call() for _ in range(3)] == ["trusted"] * 3

    asyncio.run(work())


def test_the_token_is_in_no_representation() -> None:
    compact = token()
    read = read_token(compact, algorithms=("ES384",))
    assert compact not in repr(read)
    assert "token-1" not in repr(read)
    assert repr(Caller(ISS, None, "token-1")) == f"Caller(iss='{ISS}', tenant=None, jti='token-1')"
