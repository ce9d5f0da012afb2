"""Which addresses the service may call: URLs taken apart once and strictly, and network addresses judged.

Every address that a caller hands in (`fhirServer`, `jku`, a `next` link) goes through `parse_url`. What comes out is
never parsed a second time: the connection is made from the parts, so no second reader can see another host.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORTS = {"http": 80, "https": 443}

# Only what RFC 3986 allows in a URL; no backslash, space, control or non-ASCII character reaches a later step.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z]+)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*)?"
    r"(?:\?(?P<query>[A-Za-z0-9\-._~!$&'()*+,;=:@%/?|\[\]]*))?"
)
_MAX_URL_CHARACTERS = 4096
# Segments that a server or proxy may read as a step upwards, plain or encoded, also before path parameters (`..;`:
# servlet containers cut them off); an encoded slash hides segments, an encoded NUL ends the path for some, others
# decode twice.
_DOTS = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|;|%3b|$)|%2f|%5c|%00|%25(?:2e|2f|5c|3b|00)|//", re.IGNORECASE)

_REFUSED_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        # What `is_global` of the standard library leaves open in one of the supported Python versions.
        "192.88.99.0/24",  # 6to4 relay anycast, deprecated (RFC 7526)
        "::/96",  # IPv4-compatible, deprecated (RFC 4291, 2.5.5.1)
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765, 2.1)
        "64:ff9b:1::/48",  # local-use NAT64 (RFC 8215): what it leads to is the network's own choice
        "100::/64",  # discard (RFC 6666)
        "100:0:0:1::/64",  # dummy prefix (RFC 9780)
        "2001::/23",  # IETF protocol assignments (RFC 2928); Teredo is judged before, as what it leads to
        "2001:db8::/32",  # documentation (RFC 3849)
        "3fff::/20",  # documentation (RFC 9637)
        "5f00::/16",  # segment routing (RFC 9602)
        "fec0::/10",  # site-local, deprecated (RFC 3879)
    )
)
"""https://www.iana.org/assignments/iana-ipv6-special-registry and -ipv4-special-registry, seen 2026-11-30."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The third 32 bits of an ISATAP address, before its IPv4 address (RFC 5214, 6.1)."""

_LOCALHOST = "localhost"


class AddressRefused(Exception):
    """An address that must not be called. `reason` is a fixed word; the address itself is not repeated."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Url:
    """An http(s) URL in parts. `host` is lower case, an IPv6 literal without brackets; `path` may be empty."""

    scheme: str
    host: str
    port: int
    path: str
    query: str | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def target(self) -> str:
        """The target in the request line."""
        return (self.path or "/") + (f"?{self.query}" if self.query is not None else "")

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        """The URL as text."""
        return f"{self.scheme}://{self.authority}{self.path}" + (f"?{self.query}" if self.query is not None else "")

    def covers(self, other: Url) -> bool:
        """Whether `other` is this URL or lies below it (same origin, path segment by segment)."""
        base = self.path.rstrip("/")
        below = other.path.rstrip("/") == base or other.path.startswith(base + "/")
        return other.origin == self.origin and below


def parse_url(text: str) -> Url:
    """Take an http(s) URL apart. Raises AddressRefused.

    Refused besides other schemes: userinfo, fragments, characters outside RFC 3986, dot segments, empty segments and
    encoded slashes, ports that are none, http to anything but loopback.
    """
    match = _URL.fullmatch(text) if len(text) <= _MAX_URL_CHARACTERS else None
    if match is None:
        raise AddressRefused("malformed")
    scheme = match["scheme"].lower()
    if scheme not in DEFAULT_PORTS:
        raise AddressRefused("scheme")
    host = _host(match["host"].lower())
    port = int(match["port"]) if match["port"] else DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise AddressRefused("malformed")
    path = match["path"] or ""
    if _DOTS.search(path):
        raise AddressRefused("path")
    if scheme == "http" and not is_loopback_name(host):
        raise AddressRefused("not-https")
    return Url(scheme, host, port, path, match["query"])


def is_loopback_name(host: str) -> bool:
    """Whether a host, as written, can only mean this machine."""
    literal = _literal(host)
    return host == _LOCALHOST if literal is None else _plain(literal).is_loopback


def check_address(host: str, address: str, networks: Collection[IPNetwork]) -> None:
    """Raise AddressRefused unless `host` (allow-listed, as written) may resolve to the network address `address`.

    A public address is allowed. Any other (private, link-local, loopback, shared, reserved, multicast) only where it is
    in one of `networks`, or where the list names the address itself, or for localhost and loopback. IPv4 addresses in
    IPv6 clothes (mapped, 6to4, Teredo, NAT64, ISATAP) are judged as what they lead to.
    """
    real = _plain(ipaddress.ip_address(address))
    literal = _literal(host)
    if literal is not None:
        if _plain(literal) != real:
            raise AddressRefused("address")
        return
    if host == _LOCALHOST:
        if not real.is_loopback:
            raise AddressRefused("address")
        return
    if any(real.version == network.version and real in network for network in networks):
        return
    if isinstance(real, ipaddress.IPv6Address) and (int(real) >> 32 & 0xFFFF_FFFF) in _ISATAP:
        check_address(host, str(ipaddress.IPv4Address(int(real) & 0xFFFF_FFFF)), networks)
    if not real.is_global or real.is_multicast or real.is_unspecified or real.is_reserved:
        raise AddressRefused("address")
    if any(real.version == network.version and real in network for network in _REFUSED_NETWORKS):
        raise AddressRefused("address")


def _host(text: str) -> str:
    if not text.startswith("["):
        # Forms that only some resolvers read as an address: 127.1, 0x7f.0.0.1, 2130706433, 0177.0.0.1.
        last = text.rsplit(".", 1)[-1]
        if (last.isdigit() or last.startswith("0x")) and _literal(text) is None:
            raise AddressRefused("malformed")
        return text
    literal = _literal(text[1:-1])
    if literal is None:
        raise AddressRefused("malformed")
    return str(literal)


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _plain(address: IPAddress) -> IPAddress:
    """The address that traffic would really reach."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
