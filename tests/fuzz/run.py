"""Sending mutated charts to the whole service, in one process and one event loop."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from app.cases.builder import SERVICE, Builder
from app.main import create_app
from app.pipeline import build_pipeline
from tests.clinical.cases import TODAY, all_cases
from tests.fuzz.mutations import mutated
from tests.fuzz.verdict import wrong
from tests.support.patience import patient_settings


@dataclass
class Report:
    """What came of a run: how many answers of each status, and what was wrong (chart number, case, fault)."""

    statuses: Counter[int] = field(default_factory=Counter)
    with_cards: int = 0
    faults: list[tuple[int, str, str]] = field(default_factory=list)


def requests() -> list[tuple[str, dict[str, Any]]]:
    """The requests that are mutated: those of all clinical cases."""
    return [(case["id"], Builder(case, TODAY).request()) for _, case in all_cases()]


def payload(body: dict[str, Any], random: Random) -> bytes:
    """The bytes of a request; one in two hundred is not even JSON any more."""
    # Lone surrogates and control characters go out as JSON escapes, as a careless client would send them.
    content = json.dumps(body).encode()
    if random.random() < 0.005:
        cut = random.randrange(len(content))
        content = random.choice([content[:cut], content[:cut] + b"\xff\xfe" + content[cut:], content + content[:cut]])
    return content


def chart(bases: list[tuple[str, dict[str, Any]]], seed: int, number: int) -> tuple[str, str, bytes]:
    """Chart `number` of a run: case, service and bytes. The same for the same seed and the same cases."""
    random = Random(f"{seed}:{number}")
    name, base = random.choice(bases)
    return name, SERVICE[base["hook"]], payload(mutated(base, random), random)


async def _run(seed: int, numbers: range, progress: Callable[[int, Report], None] | None) -> Report:
    settings = patient_settings()
    app = create_app(pipeline=build_pipeline(settings), settings=settings, today=lambda: TODAY)
    report, bases = Report(), requests()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://osteon.test", headers=headers) as client:
        for number in numbers:
            name, service, content = chart(bases, seed, number)
            answer = await client.post(f"/cds-services/{service}", content=content)
            report.statuses[answer.status_code] += 1
            report.with_cards += answer.status_code == 200 and bool(answer.json()["cards"])
            report.faults += [(number, name, fault) for fault in wrong(answer.status_code, answer.content)]
            if progress:
                progress(number, report)
    return report


def run(seed: int, numbers: range, progress: Callable[[int, Report], None] | None = None) -> Report:
    """Send these charts and judge every answer."""
    return asyncio.run(_run(seed, numbers, progress))
