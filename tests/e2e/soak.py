"""Mixed traffic against a server process: what it costs in memory, and whether probes are answered meanwhile.

Nothing is asserted here; `Report` holds what was seen.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median, quantiles

import httpx
import orjson

from tests.bench.payload import SIZES
from tests.bench.payload import request as bench_request
from tests.support import calls
from tests.support.patience import PATIENCE

JSON = {"Content-Type": "application/json"}
EXAMPLES = {
    "osteoporosis-patient-view": "patient-view.request",
    "osteoporosis-order-select": "order-select.request",
    "osteoporosis-order-sign": "order-sign.request",
    "osteoporosis-encounter-discharge": "encounter-discharge.request",
    "osteoporosis-problem-list-item-create": "problem-list-item-create.request",
    "osteoporosis-medication-refill": "medication-refill.request",
    "osteoporosis-allergyintolerance-create": "allergyintolerance-create.request",
    "osteoporosis-encounter-start": "encounter-start.request",
}
MAX_BODY_BYTES = 4 * 1024 * 1024
"""The limit that the server is started with: the heavy chart fits, the over-long body does not."""


@dataclass(frozen=True)
class Shot:
    """One kind of request, and the status that is right for it."""

    name: str
    method: str
    path: str
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    weight: int = 1
    cards: bool = False


@dataclass
class Report:
    """What was seen. Times in ms, memory in bytes; `wrong` holds answers that were not as they should be."""

    seconds: float
    answers: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)
    probes: list[float] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """Median memory of the last third over that of the first third, minus one."""
        third = len(self.memory) // 3
        return median(self.memory[-third:]) / median(self.memory[:third]) - 1

    def probe(self, percent: int) -> float:
        """A percentile of the latency of the liveness probe."""
        return quantiles(self.probes, n=100)[percent - 1]

    def lines(self) -> Iterator[str]:
        """The figures, for a person."""
        total = sum(self.answers.values())
        kinds = len(self.answers)
        yield f"{total} requests of {kinds} kinds in {self.seconds:.0f} s ({total / self.seconds:.0f} a second)"
        yield f"wrong answers: {dict(self.wrong) or 'none'}"
        third = len(self.memory) // 3
        thirds = (self.memory[:third], self.memory[third:-third], self.memory[-third:])
        told = ", ".join(f"{median(part) / 1e6:.1f}" for part in thirds)
        yield f"memory: {told} MB in the three thirds ({self.growth:+.1%}), most {max(self.memory) / 1e6:.1f} MB"
        p50, p99, most = median(self.probes), self.probe(99), max(self.probes)
        yield f"{len(self.probes)} probes under this load: p50 {p50:.0f} ms, p99 {p99:.0f} ms, most {most:.0f} ms"


def traffic(today: date) -> list[Shot]:
    """The mix: mostly charts of usual size, some large ones, every route, and everything that clients do wrong."""
    shots = [
        Shot(f"{service} example", "POST", f"/cds-services/{service}", 200, _example(name), JSON, weight=4, cards=True)
        for service, name in EXAMPLES.items()
    ]
    view = "/cds-services/osteoporosis-patient-view"
    shots += [
        Shot(
            f"chart {size}",
            "POST",
            view,
            200,
            orjson.dumps(bench_request(size, today)),
            JSON,
            weight=weight,
            cards=True,
        )
        for size, weight in zip(SIZES, (6, 12, 1), strict=True)
    ]
    shots += [
        Shot("feedback", "POST", f"{view}/feedback", 200, _example("feedback.request"), JSON, weight=4),
        Shot("discovery", "GET", "/cds-services", 200, weight=2),
        Shot("metrics", "GET", "/metrics", 200),
        Shot("ready", "GET", "/health/ready", 200),
        Shot("value sets", "GET", "/fhir/ValueSet", 200),
        Shot("no JSON", "POST", view, 400, b'{"hook":', JSON, weight=2),
        Shot("no hook", "POST", view, 400, b"{}", JSON, weight=2),
        Shot("deep", "POST", view, 400, b"[" * 100_000, JSON),
        Shot("too large", "POST", view, 413, b" " * (MAX_BODY_BYTES + 1), JSON),
        Shot("no chart", "POST", view, 412, orjson.dumps(calls.without(calls.patient_view(), "prefetch")), JSON),
        Shot("other media type", "POST", view, 415, b"<x/>", {"Content-Type": "application/xml"}),
        Shot("unknown service", "POST", "/cds-services/other", 404, b"{}", JSON),
        Shot("unknown path", "GET", "/nowhere", 404),
        Shot("wrong method", "DELETE", "/cds-services", 405),
    ]
    return shots


async def soak(url: str, pid: int, *, seconds: float, warm_up: float, clients: int = 4) -> Report:
    """Send the mix for `warm_up` and then `seconds`, of which the report tells."""
    shots = traffic(date.today())
    await _crowd(url, shots)
    await _load(url, shots, Report(warm_up), clients)
    report = Report(seconds)
    stop = asyncio.Event()
    watchers = [asyncio.create_task(_watch_memory(pid, report, stop)), asyncio.create_task(_probe(url, report, stop))]
    await _load(url, shots, report, clients)
    stop.set()
    await asyncio.gather(*watchers)
    return report


async def _crowd(url: str, shots: list[Shot], at_once: int = 8) -> None:
    """The largest requests all at once: what the allocator keeps for the worst moment, it has before the measuring."""
    large = sorted(shots, key=lambda shot: len(shot.body))[-2:]
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        for shot in large * 2:
            many = (
                client.request(shot.method, shot.path, content=shot.body, headers=shot.headers) for _ in range(at_once)
            )
            await asyncio.gather(*many)


async def _load(url: str, shots: list[Shot], report: Report, clients: int) -> None:
    end = time.monotonic() + report.seconds
    await asyncio.gather(*(_client(url, shots, report, end, number) for number in range(clients)))


async def _client(url: str, shots: list[Shot], report: Report, end: float, number: int) -> None:
    rng = random.Random(number)
    weights = [shot.weight for shot in shots]
    host, port = url.removeprefix("http://").split(":")
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        for turn in itertools.count():
            if time.monotonic() >= end:
                return
            if turn % 50 == 49:
                report.answers["client that goes away"] += 1
                await _go_away(host, int(port))
            (shot,) = rng.choices(shots, weights)
            report.answers[shot.name] += 1
            try:
                answer = await client.request(shot.method, shot.path, content=shot.body, headers=shot.headers)
            except httpx.HTTPError as error:
                report.wrong[f"{shot.name}: {type(error).__name__}"] += 1
                continue
            if answer.status_code != shot.status:
                report.wrong[f"{shot.name}: {answer.status_code}"] += 1
            elif shot.cards and not isinstance(answer.json().get("cards"), list):
                report.wrong[f"{shot.name}: no cards"] += 1


async def _go_away(host: str, port: int) -> None:
    """Promise a body, send one byte of it, and close."""
    _, writer = await asyncio.open_connection(host, port)
    lines = ("POST /cds-services/osteoporosis-patient-view HTTP/1.1", "Host: x", "Content-Length: 1000")
    writer.write("\r\n".join((*lines, "Content-Type: application/json", "", "{")).encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def _watch_memory(pid: int, report: Report, stop: asyncio.Event) -> None:
    while not stop.is_set():
        report.memory.append(resident(pid))
        await asyncio.sleep(0.5)


async def _probe(url: str, report: Report, stop: asyncio.Event) -> None:
    """What the kubelet does, ten times a second: a new connection for each probe."""
    while not stop.is_set():
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            started = time.perf_counter()
            answer = await client.get(f"{url}/health/live")
            report.probes.append((time.perf_counter() - started) * 1000)
        if answer.status_code != 200:
            report.wrong[f"probe: {answer.status_code}"] += 1
        await asyncio.sleep(0.1)


def resident(pid: int) -> int:
    """Resident memory of a process in bytes, as Linux tells it."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the kernel does not tell VmRSS")


def _example(name: str) -> bytes:
    return orjson.dumps(calls.example(name))
