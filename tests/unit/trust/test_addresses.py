"""The attack table: addresses by which a caller could lead the service to a host that it must not call."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Iterator

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.outbound.addresses import AddressRefused, check_address, parse_url
from app.outbound.egress import Egress, EgressFailed
from app.outbound.settings import FhirClientSettings

LISTED = "https://fhir.hospital.example/r4"

ATTACKS = [
    # schemes
    ("file:///etc/passwd", "malformed"),
    ("ftp://fhir.hospital.example/r4", "scheme"),
    ("gopher://fhir.hospital.example/r4", "scheme"),
    ("javascript://fhir.hospital.example/r4", "scheme"),
    ("http://fhir.hospital.example/r4", "not-https"),
    ("https:fhir.hospital.example/r4", "malformed"),
    ("https:/fhir.hospital.example/r4", "malformed"),
    ("//fhir.hospital.example/r4", "malformed"),
    ("", "malformed"),
    # userinfo and what readers take for it
    ("https://fhir.hospital.example@evil.example/r4", "malformed"),
    ("https://evil.example:x@fhir.hospital.example/r4", "malformed"),
    ("https://fhir.hospital.example%40evil.example/r4", "malformed"),
    ("https://evil.example\\@fhir.hospital.example/r4", "malformed"),
    ("https://fhir.hospital.example\\.evil.example/r4", "malformed"),
    ("https://evil.example#@fhir.hospital.example/r4", "malformed"),
    ("https://evil.example?@fhir.hospital.example/r4", "not-listed"),
    # control characters, spaces, other alphabets
    ("https://fhir.hospital.example/r4\r\nHost: evil.example", "malformed"),
    ("https://fhir.hospital.example/r4\n", "malformed"),
    (" https://fhir.hospital.example/r4", "malformed"),
    ("https://fhir.hospital.example\x00.evil.example/r4", "malformed"),
    ("https://fhir.hospital.examp\u2113e/r4", "malformed"),
    ("https://fhir\u3002hospital.example/r4", "malformed"),
    ("https://\u24d5hir.hospital.example/r4", "malformed"),
    # other hosts, ports and bases
    ("https://fhir.hospital.example.evil.example/r4", "not-listed"),
    ("https://evil-fhir.hospital.example/r4", "not-listed"),
    ("https://hospital.example/r4", "not-listed"),
    ("https://fhir.hospital.example./r4", "malformed"),
    ("https://fhir.hospital.example:8443/r4", "not-listed"),
    ("https://fhir.hospital.example:0/r4", "malformed"),
    ("https://fhir.hospital.example:65536/r4", "malformed"),
    ("https://fhir.hospital.example:-1/r4", "malformed"),
    ("https://fhir.hospital.example:/r4", "malformed"),
    ("https://fhir.hospital.example/r4evil", "not-listed"),
    ("https://fhir.hospital.example/", "not-listed"),
    ("https://fhir.hospital.example", "not-listed"),
    ("https://fhir.hospital.example/R4", "not-listed"),
    ("https://fhir.hospital.example/r4/../admin", "path"),
    ("https://fhir.hospital.example/r4/%2e%2E/admin", "path"),
    ("https://fhir.hospital.example/r4/.%2e/admin", "path"),
    ("https://fhir.hospital.example/r4/..%2fadmin", "path"),
    ("https://fhir.hospital.example/r4/..%5cadmin", "path"),
    ("https://fhir.hospital.example/r4/.", "path"),
    ("https://fhir.hospital.example/r4/..;/admin", "path"),
    ("https://fhir.hospital.example/r4/..;a=b/admin", "path"),
    ("https://fhir.hospital.example/r4/.;/admin", "path"),
    ("https://fhir.hospital.example/r4/%2e%2e;/admin", "path"),
    ("https://fhir.hospital.example/r4/..%3b/admin", "path"),
    ("https://fhir.hospital.example/r4/%2E%2E%3B/admin", "path"),
    ("https://fhir.hospital.example/r4/%252e%252e/admin", "path"),
    ("https://fhir.hospital.example/r4/..%252fadmin", "path"),
    ("https://fhir.hospital.example/r4/a%00", "path"),
    ("https://fhir.hospital.example//r4", "path"),
    ("https://fhir.hospital.example/r4?a#b", "malformed"),
    # literal addresses
    ("https://127.0.0.1/r4", "not-listed"),
    ("https://169.254.169.254/latest/meta-data", "not-listed"),
    ("https://[::1]/r4", "not-listed"),
    ("https://[::ffff:127.0.0.1]/r4", "not-listed"),
    ("https://[fe80::1%25eth0]/r4", "malformed"),
    ("https://[::1", "malformed"),
    ("https://[1]/r4", "malformed"),
    ("https://2130706433/r4", "malformed"),
    ("https://0x7f000001/r4", "malformed"),
    ("https://0x7f.0.0.1/r4", "malformed"),
    ("https://0177.0.0.1/r4", "malformed"),
    ("https://127.1/r4", "malformed"),
    ("https://127.0.0.0x1/r4", "malformed"),
    ("https://localhost/r4", "not-listed"),
    ("http://localhost.evil.example/r4", "not-https"),
    ("http://10.0.0.1/r4", "not-https"),
    ("https://fhir.hospital.example/r4/" + "x" * 5000, "malformed"),
]


@pytest.mark.parametrize(("url", "reason"), ATTACKS)
def test_an_address_off_the_list_is_refused(url: str, reason: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        Egress([parse_url(LISTED)]).allowed(url)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "url",
    [
        LISTED,
        LISTED + "/",
        LISTED + "/Observation?patient=1&_count=50",
        LISTED + "/Patient/a.b;c",
        LISTED + "/Patient/1.2..3",
        LISTED + "?_getpages=0c1f-2&_getpagesoffset=20",
        "HTTPS://FHIR.Hospital.Example:443/r4/Patient/a%20b",
    ],
)
def test_what_lies_below_a_listed_base_is_allowed(url: str) -> None:
    allowed = Egress([parse_url(LISTED)]).allowed(url)
    assert allowed.origin == ("https", "fhir.hospital.example", 443)
    assert parse_url(str(allowed)) == allowed


@given(st.text(max_size=80))
def test_no_text_leads_to_another_host(text: str) -> None:
    egress = Egress([parse_url(LISTED)])
    for url in (text, f"https://{text}", f"https://fhir.hospital.example{text}", f"{LISTED}{text}"):
        try:
            allowed = egress.allowed(url)
        except AddressRefused:
            continue
        assert allowed.origin == ("https", "fhir.hospital.example", 443)
        assert allowed.path == "/r4" or allowed.path.startswith("/r4/")


# Addresses that no name on the list may stand for, unless a setting names their network.
INNER_ADDRESSES = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%1",
    "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe",
    "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    # IPv4-compatible, IPv4-translated, local NAT64, site-local, ISATAP (with and without the local bit, on a public and
    # on a link-local prefix), documentation, discard, reserved, protocol assignments, segment routing
    "::127.0.0.1", "::8.8.8.8", "::ffff:0:7f00:1", "::ffff:0:808:808", "64:ff9b:1::7f00:1", "64:ff9b:1::808:808",
    "fec0::1", "fec0::808:808", "2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:a00:1", "fe80::5efe:808:808",
    "3fff::1", "100::1", "100:0:0:1::1", "2001:2::1", "2001:10::1", "2001:20::1", "5f00::1", "4000::1", "8000::1",
    "203.0.113.1", "198.51.100.1", "192.88.99.1", "192.0.0.1", "192.0.0.170", "0.1.2.3", "233.252.0.1", "239.1.1.1",
]  # fmt: skip

OUTER_ADDRESSES = ["8.8.8.8", "1.1.1.1", "2a00:1450:4001::200e", "2606:4700::1111", "64:ff9b::808:808",
    "::ffff:8.8.8.8", "2002:808:808::1", "2a00:1450::5efe:808:808"]  # fmt: skip


@pytest.mark.parametrize("address", OUTER_ADDRESSES)
def test_a_name_may_resolve_to_the_outside(address: str) -> None:
    """Control against over-correction."""
    check_address("fhir.hospital.example", address, ())


@pytest.mark.parametrize("address", INNER_ADDRESSES)
def test_a_name_must_not_resolve_to_the_inside(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_address("fhir.hospital.example", address, ())


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_a_name_may_resolve_to_a_public_address(address: str) -> None:
    check_address("fhir.hospital.example", address, ())


def test_a_private_network_is_allowed_where_a_setting_names_it() -> None:
    networks = [ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("fd00::/8")]
    for address in ("10.20.3.4", "::ffff:10.20.3.4", "fd00::1"):
        check_address("fhir.hospital.example", address, networks)
    for address in ("10.21.0.1", "127.0.0.1", "169.254.169.254", "fe80::1"):
        with pytest.raises(AddressRefused):
            check_address("fhir.hospital.example", address, networks)


def test_localhost_and_literals_stand_for_themselves_only() -> None:
    check_address("localhost", "127.0.0.1", ())
    check_address("localhost", "::1", ())
    check_address("10.0.0.1", "10.0.0.1", ())
    for host, address in (("localhost", "10.0.0.1"), ("localhost", "93.184.216.34"), ("10.0.0.1", "10.0.0.2")):
        with pytest.raises(AddressRefused):
            check_address(host, address, ())


class Resolver:
    """A name server that gives another answer each time it is asked."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        return self.answers.pop(0)


@pytest.fixture
def inner_service() -> Iterator[socket.socket]:
    """A listener inside."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def refuse_connections(connected: list[str]) -> object:
    """A network on which nothing answers; it notes the addresses that were tried."""

    async def connect(address: str, *_: object) -> None:
        connected.append(address)
        raise httpcore.ConnectError

    return connect


def inner_backend(egress: Egress) -> object:
    """What opens sockets once an address was judged."""
    return egress._pool._network_backend._inner  # type: ignore[attr-defined]


def get(egress: Egress, url: str) -> str:
    async def work() -> str:
        try:
            await egress.get(parse_url(url), {}, seconds=2.0, max_bytes=1000)
        except EgressFailed as failed:
            return failed.reason
        finally:
            await egress.aclose()
        return "answered"

    return asyncio.run(work())


@pytest.mark.parametrize("answer", [("127.0.0.1",), ("::ffff:127.0.0.1",), ("93.184.216.34", "127.0.0.1")])
def test_a_listed_name_that_resolves_to_the_inside_is_not_connected_to(
    inner_service: socket.socket, answer: tuple[str, ...]
) -> None:
    port = inner_service.getsockname()[1]
    url = f"https://fhir.hospital.example:{port}/r4"
    resolver = Resolver(answer)
    assert get(Egress([parse_url(url)], resolve=resolver), url) == "not-allowed"
    inner_service.settimeout(0.05)
    with pytest.raises(TimeoutError):
        inner_service.accept()


def test_dns_rebinding_gains_nothing_because_the_name_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # A public answer first, loopback when asked again: the connection must go to the address that was judged.
    resolver = Resolver(("93.184.216.34",), ("127.0.0.1",))
    egress = Egress([parse_url(LISTED)], resolve=resolver)
    connected: list[str] = []

    monkeypatch.setattr(inner_backend(egress), "connect_tcp", refuse_connections(connected))
    assert get(egress, LISTED) == "unreachable"
    assert connected == ["93.184.216.34"]
    assert len(resolver.answers) == 1


def test_a_name_that_does_not_resolve() -> None:
    url = "https://no-such-name.invalid/r4"
    assert get(Egress([parse_url(url)]), url) == "unreachable"


def test_a_server_without_a_certificate_of_its_name_gets_no_request(inner_service: socket.socket) -> None:
    def answer() -> None:
        connection, _ = inner_service.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    url = f"https://127.0.0.1:{inner_service.getsockname()[1]}/r4"
    assert get(Egress([parse_url(url)]), url) == "tls"
    thread.join()


def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    connected: list[str] = []
    egress = Egress([parse_url(LISTED)], resolve=Resolver(("93.184.216.34",)))
    monkeypatch.setattr(inner_backend(egress), "connect_tcp", refuse_connections(connected))
    get(egress, LISTED)
    assert connected == ["93.184.216.34"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OSTEON_FHIR_SERVERS", "http://fhir.hospital.example/r4"),
        ("OSTEON_FHIR_SERVERS", "https://user:password@fhir.hospital.example/r4"),
        ("OSTEON_FHIR_SERVERS", "https://fhir.hospital.example/r4?x=1"),
        ("OSTEON_FHIR_NETWORKS", "10.0.0.1/8"),
        ("OSTEON_FHIR_NETWORKS", "hospital"),
        ("OSTEON_FHIR_DEADLINE", "0"),
    ],
)
def test_a_setting_that_cannot_be_right_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        FhirClientSettings()


def test_settings_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTEON_FHIR_SERVERS", f"{LISTED}, http://localhost:8080/fhir")
    monkeypatch.setenv("OSTEON_FHIR_NETWORKS", "10.0.0.0/8,fd00::/8")
    settings = FhirClientSettings()
    assert [base.host for base in settings.bases] == ["fhir.hospital.example", "localhost"]
    assert len(settings.networks) == 2
    assert FhirClientSettings.model_fields["fhir_deadline"].default == 1.5
