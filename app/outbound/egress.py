"""The only way out: a guarded HTTP client for GET requests to hosts on an allow-list.

What protects: the URL must lie below a listed base (`Egress.allowed`); the name is resolved once, each address that it
resolves to is judged, and the connection goes to a judged address (`_GuardedBackend`), so a name that changes its
address between check and use (DNS rebinding) gains nothing; redirects are never followed; nothing is decompressed;
proxies of the environment are not used; body size and total time are limited. TLS certificates are always checked
against the name in the list.

Built on httpcore, the transport below httpx: it takes the URL in parts and has a documented place for the network
backend; httpx offers neither, and its redirects, cookies, proxies and decompression are what a guard must switch off.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

import certifi
import httpcore

from app.outbound.addresses import AddressRefused, IPNetwork, Url, check_address, parse_url

Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]
"""A name and port to its addresses."""

_IDLE_SECONDS = 30.0
_MAX_CONNECTIONS = 64


class EgressFailed(Exception):
    """A request that gave no answer. `reason` is a fixed word: it is logged and shown; addresses and tokens are not.

    not-allowed, timeout, unreachable, tls, too-large, broken.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whole. `media_type` is lower case without parameters."""

    status: int
    media_type: str
    body: bytes = field(repr=False)


class Egress:
    """A pool of guarded connections; one per purpose and process, to be closed with `aclose`.

    `bases`: what may be called, with everything below it. `networks`: non-public networks that listed names may lie in
    (a hospital's own FHIR server usually does). `ca_file`: PEM file of the authorities to trust instead of the public
    ones. `resolve` is replaced in tests only.
    """

    def __init__(
        self,
        bases: Iterable[Url],
        *,
        networks: Iterable[IPNetwork] = (),
        ca_file: str | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._bases = tuple(bases)
        backend = _GuardedBackend(
            frozenset((base.host, base.port) for base in self._bases), tuple(networks), resolve or resolve_by_system
        )
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(cafile=ca_file or certifi.where()),
            max_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=backend,
        )

    def allowed(self, text: str) -> Url:
        """The URL in parts, where it may be called. Raises AddressRefused."""
        url = parse_url(text)
        if not any(base.covers(url) for base in self._bases):
            raise AddressRefused("not-listed")
        return url

    async def get(self, url: Url, headers: Mapping[str, str], *, seconds: float, max_bytes: int) -> Answer:
        """GET one URL; redirects come back as they are. Raises EgressFailed."""
        if not any(base.covers(url) for base in self._bases):
            raise EgressFailed("not-allowed")
        try:
            async with asyncio.timeout(seconds):
                return await self._get(url, headers, max_bytes)
        except AddressRefused:
            raise EgressFailed("not-allowed") from None
        except (TimeoutError, httpcore.TimeoutException):
            raise EgressFailed("timeout") from None
        except httpcore.ConnectError as error:
            # The transport wraps it; a wrong certificate must not look like a host that is down.
            tls = isinstance(error.__cause__ or error.__context__, ssl.SSLError)
            raise EgressFailed("tls" if tls else "unreachable") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol):
            raise EgressFailed("broken") from None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def _get(self, url: Url, headers: Mapping[str, str], max_bytes: int) -> Answer:
        parts = httpcore.URL(scheme=url.scheme, host=url.host, port=url.port, target=url.target)
        sent = {"Host": url.authority, "Accept-Encoding": "identity", "User-Agent": "osteon", **headers}
        async with self._pool.stream("GET", parts, headers=list(sent.items())) as response:
            found = {name.lower(): value for name, value in response.headers}
            if found.get(b"content-encoding", b"identity").strip().lower() != b"identity":
                raise EgressFailed("broken")  # not asked for; and what it unpacks to has no known size
            declared = found.get(b"content-length", b"")
            if declared.isdigit() and int(declared) > max_bytes:
                raise EgressFailed("too-large")
            chunks, size = [], 0
            async for chunk in response.aiter_stream():
                size += len(chunk)
                if size > max_bytes:
                    raise EgressFailed("too-large")
                chunks.append(chunk)
            media_type = found.get(b"content-type", b"").partition(b";")[0].strip().lower()
            return Answer(response.status, media_type.decode("ascii", "replace"), b"".join(chunks))


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a listed name once, judges every address, and connects to one that was judged."""

    def __init__(self, hosts: frozenset[tuple[str, int]], networks: tuple[IPNetwork, ...], resolve: Resolve) -> None:
        self._hosts = hosts
        self._networks = networks
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection; raises AddressRefused where any address of the name must not be called."""
        if (host, port) not in self._hosts:
            raise AddressRefused("not-listed")
        addresses = await self._resolve(host, port)
        for address in addresses:
            # One bad address among good ones is an attack or a mistake; neither is worth a connection.
            check_address(host, address, self._networks)
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002  (the signature is the library's)
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise AddressRefused("scheme")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def resolve_by_system(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a name by the system's resolver, in its order. Raises httpcore.ConnectError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore.ConnectError("the name does not resolve") from None
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
