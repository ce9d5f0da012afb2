"""A small FHIR server with bad habits: `python -m tests.e2e.fhir_server` prints its port and serves until it is ended.

The first segment of the path is the habit, the rest is FHIR: /paging/Observation?patient=p1. `GET /log` tells which
requests came with which Authorization, so that a test can see where a token went. Raw sockets, because no framework
lets its user lie about lengths.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

Reply = tuple[int, dict[str, str], bytes]

FHIR = "application/fhir+json"
PAGES = 3


class Server:
    """Its habits are the methods: each takes the FHIR path and the query."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str | None]] = []
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while request := await self._read(reader):
                path, headers = request
                url = urlsplit(path)
                _, habit, *rest = url.path.split("/")
                if habit == "log":
                    await self._write(
                        writer, (200, {"Content-Type": "application/json"}, json.dumps(self.seen).encode())
                    )
                    continue
                self.seen.append({"path": path, "authorization": headers.get("authorization"), "host": headers["host"]})
                if habit == "raw":
                    writer.write(RAW.get(rest[0], b""))
                    await writer.drain()
                    return
                act: Callable[[str, dict[str, list[str]]], Awaitable[Reply]] = getattr(self, f"do_{habit}")
                await self._write(writer, await act("/".join(rest), parse_qs(url.query)))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away, which is what it should do with most of this
        finally:
            writer.close()

    async def do_good(self, path: str, query: dict[str, list[str]]) -> Reply:
        """What a server should do."""
        if "/" in path:
            kind, _, name = path.partition("/")
            return fhir({"resourceType": kind, "id": name})
        return fhir(bundle([{"resourceType": path, "id": f"{path.lower()}-1"}]))

    async def do_slow(self, path: str, query: dict[str, list[str]]) -> Reply:
        """An answer in ten minutes, except for Condition."""
        if path != "Condition":
            await asyncio.sleep(600)
        return await self.do_good(path, query)

    async def do_paging(self, path: str, query: dict[str, list[str]]) -> Reply:
        """Three pages of one entry."""
        page = int(query.get("page", ["1"])[0])
        following = f"http://127.0.0.1:{self.port}/paging?kind={path or query['kind'][0]}&page={page + 1}"
        kind = path or query["kind"][0]
        return fhir(bundle([{"resourceType": kind, "id": f"page-{page}"}], following if page < PAGES else None))

    async def do_numbered(self, path: str, query: dict[str, list[str]]) -> Reply:
        """Seven entries in pages of two, by offset, with their total; `inner` is the address behind the proxy."""
        offset = int(query.get("_getpagesoffset", ["0"])[0])
        following = f"http://inner.example:8080/fhir?_getpages=s&_getpagesoffset={offset + 2}&_count=2"
        resources = [
            {"resourceType": "Observation", "id": f"o{number}"} for number in range(offset, min(offset + 2, 7))
        ]
        return fhir(bundle(resources, following if offset + 2 < 7 else None) | {"total": 7})

    async def do_demanding(self, path: str, query: dict[str, list[str]]) -> Reply:
        """Refuses a search by patient alone, and has nothing of imaging but a fault."""
        category = query.get("category", [""])[0]
        if not category:
            issue = {"severity": "error", "code": "required", "diagnostics": "A category is needed"}
            body = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
            return 400, {"Content-Type": FHIR}, body
        if category == "imaging" and path == "Observation":
            return await self.do_failing(path, query)
        return fhir(bundle([{"resourceType": path, "id": category}]))

    async def do_forbidden(self, path: str, query: dict[str, list[str]]) -> Reply:
        """The token does not allow this."""
        return 403, {"Content-Type": FHIR}, b'{"resourceType": "OperationOutcome"}'

    async def do_badquery(self, path: str, query: dict[str, list[str]]) -> Reply:
        """The search is not understood."""
        return 400, {"Content-Type": FHIR}, b'{"resourceType": "OperationOutcome"}'

    async def do_slowpage(self, path: str, query: dict[str, list[str]]) -> Reply:
        """The second page takes for ever."""
        if "page" in query:
            await asyncio.sleep(600)
        return fhir(bundle([{"resourceType": "Observation", "id": "page-1"}], "Observation?page=2"))

    async def do_endless(self, path: str, query: dict[str, list[str]]) -> Reply:
        """There is always a next page."""
        page = int(query.get("page", ["1"])[0])
        return fhir(bundle([{"resourceType": path, "id": f"page-{page}"}], f"{path}?page={page + 1}"))

    async def do_circle(self, path: str, query: dict[str, list[str]]) -> Reply:
        """The next page is this page."""
        return fhir(bundle([{"resourceType": path, "id": "page"}], f"{path}?page=1"))

    async def do_elsewhere(self, path: str, query: dict[str, list[str]]) -> Reply:
        """The next page is on another base of this host."""
        following = f"http://127.0.0.1:{self.port}/good/Observation"
        return fhir(bundle([{"resourceType": path, "id": "page-1"}], following))

    async def do_redirect(self, path: str, query: dict[str, list[str]]) -> Reply:
        """Points elsewhere, hoping for the token."""
        return 302, {"Location": f"http://127.0.0.1:{self.port}/good/{path}"}, b""

    async def do_html(self, path: str, query: dict[str, list[str]]) -> Reply:
        """A login page with status 200."""
        return 200, {"Content-Type": "text/html"}, b"<html>Please log in</html>"

    async def do_htmlasjson(self, path: str, query: dict[str, list[str]]) -> Reply:
        """A login page that says that it is FHIR."""
        return 200, {"Content-Type": FHIR}, b"<html>Please log in</html>"

    async def do_unauthorized(self, path: str, query: dict[str, list[str]]) -> Reply:
        """The token is not good enough."""
        return 401, {"Content-Type": FHIR}, b'{"resourceType": "OperationOutcome"}'

    async def do_gone(self, path: str, query: dict[str, list[str]]) -> Reply:
        """Nothing of that name."""
        return 404, {"Content-Type": FHIR}, b'{"resourceType": "OperationOutcome"}'

    async def do_failing(self, path: str, query: dict[str, list[str]]) -> Reply:
        """A fault of the server."""
        return 500, {"Content-Type": FHIR}, b'{"resourceType": "OperationOutcome"}'

    async def do_huge(self, path: str, query: dict[str, list[str]]) -> Reply:
        """Four megabytes, with their length."""
        return fhir(bundle([{"resourceType": path, "id": "x" * 4_000_000}]))

    async def do_otherpatient(self, path: str, query: dict[str, list[str]]) -> Reply:
        """Somebody else's record."""
        return fhir({"resourceType": "Patient", "id": "somebody-else"})

    async def do_outcome(self, path: str, query: dict[str, list[str]]) -> Reply:
        """An OperationOutcome with status 200."""
        return fhir({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]})

    async def do_zipped(self, path: str, query: dict[str, list[str]]) -> Reply:
        """Compressed, though nobody asked for it."""
        return 200, {"Content-Type": FHIR, "Content-Encoding": "gzip"}, b"\x1f\x8b"

    async def _read(self, reader: asyncio.StreamReader) -> tuple[str, dict[str, str]] | None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return first.split(" ")[1], headers

    async def _write(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        status, headers, body = reply
        lines = [f"HTTP/1.1 {status} x", *(f"{k}: {v}" for k, v in headers.items()), f"Content-Length: {len(body)}"]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()


def fhir(resource: dict[str, object]) -> Reply:
    """A resource as an answer."""
    return 200, {"Content-Type": f"{FHIR}; charset=utf-8"}, json.dumps(resource).encode()


def bundle(resources: list[dict[str, str]], following: str | None = None) -> dict[str, object]:
    """A searchset."""
    links = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}


_HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {FHIR}\r\n".encode()
_EMPTY = b'{"resourceType": "Bundle", "type": "searchset"}'

RAW: dict[str, bytes] = {
    # Says more than it sends, and hangs up.
    "Observation": _HEAD + b"Content-Length: 5000\r\n\r\n" + _EMPTY,
    # Says less than it sends.
    "Condition": _HEAD + b"Content-Length: 10\r\n\r\n" + _EMPTY,
    # Two lengths.
    "Procedure": _HEAD + b"Content-Length: 10\r\nContent-Length: 47\r\n\r\n" + _EMPTY,
    # No HTTP.
    "MedicationRequest": b"220 smtp.example.org ESMTP\r\n",
    # Hangs up without a word.
    "AllergyIntolerance": b"",
    # Endless headers.
    "ServiceRequest": _HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 1000) for n in range(500)),
    # Four megabytes in chunks, length not said.
    "DiagnosticReport": _HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"".join(b"10000\r\n" + b"x" * 0x10000 + b"\r\n" for _ in range(64))
    + b"0\r\n\r\n",
}


async def main() -> None:
    """Serve until standard input ends: the server does not outlive the test that started it."""
    server = Server()
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    print(server.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    listening.close()
    os._exit(0)  # without a word about the requests that still sleep


if __name__ == "__main__":
    asyncio.run(main())
