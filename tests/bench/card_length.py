"""How long the cards are: words of details and of first screens over all clinical cases, and over sample patients.

    python -m tests.bench.card_length [--language sv] [../shared/samples/dev/*.ndjson.gz]

Figures for docs/measurements.md; `tests/clinical/test_card_length.py` asserts the limits over the cases (decision 69).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from app.cards.length import words_in
from app.cases.builder import SERVICE, Builder
from app.cds_hooks.errors import CallError
from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import read_request
from app.engine.locale import Phrases
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from tests.bench.quiet import requests
from tests.clinical.cases import TODAY, all_cases
from tests.support.wire import call

TREATMENT = frozenset({"treatment", "drug-switch"})
"""Topics of treatment and switch cards."""


class Length(NamedTuple):
    """Lengths of one card."""

    case: str
    advice: str
    topic: str
    words: int
    first_words: int
    first_characters: int


def length_of(case: str, card: dict[str, Any], phrases: Phrases) -> Length:
    """The lengths of a card. The first screen ends where the sources, or remarks below them, begin."""
    detail = card.get("detail") or ""
    first = detail.split(f"**{phrases.sources}**")[0].strip()
    return Length(
        case,
        card["extension"]["osteon.explanation"]["advice"],
        card["source"]["topic"]["code"],
        words_in(detail),
        words_in(first),
        len(first),
    )


def of_cases(pipeline: OsteonPipeline, language: str) -> Iterator[tuple[str, dict[str, Any], date]]:
    """The requests of all clinical cases: name, body, and the day on which they are answered."""
    for _, case in all_cases():
        body = Builder(case, TODAY).request()
        body.setdefault("extension", {}).setdefault("osteon.configuration", {})["language"] = language
        yield f"{SERVICE[case.get('hook', 'patient-view')]} {case['id']}", body, TODAY


def of_samples(files: list[Path], language: str) -> Iterator[tuple[str, dict[str, Any], date]]:
    """A patient-view request for each sample patient and profile."""
    for path in files:
        for body in requests(path):
            for profile in ("se", "intl", "dk", "cn"):
                body["extension"] = {"osteon.configuration": {"profile": profile, "language": language}}
                yield f"osteoporosis-patient-view {body['context']['patientId']} {profile}", body, date.today()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--language", default="en")
    arguments = parser.parse_args()
    pipeline = build_pipeline(Settings())
    services = {service.id: service for service in SERVICES}
    phrases = pipeline.knowledge.locale(arguments.language).phrases
    lengths: list[Length] = []
    bodies = of_samples(arguments.files, arguments.language) if arguments.files else ()
    for name, body, today in (*of_cases(pipeline, arguments.language), *bodies):
        service, _, case = name.partition(" ")
        try:
            answer = pipeline.answer(read_request(call(body), services[service]), today=today)
        except CallError:
            continue
        lengths += [length_of(case, card.to_json(), phrases) for card in answer.cards]
    for title, some in (
        ("treatment and switch cards", [one for one in lengths if one.topic in TREATMENT]),
        ("all cards", lengths),
    ):
        longest = max(some, key=lambda one: one.words)
        first = max(some, key=lambda one: one.first_words)
        widest = max(some, key=lambda one: one.first_characters)
        print(f"{title}: {len(some)}")
        print(f"  words: median {median(one.words for one in some)}, maximum {longest.words} ({longest.case})")
        print(
            f"  first screen: median {median(one.first_words for one in some)} words, maximum {first.first_words}"
            f" ({first.case}, {first.advice}), {widest.first_characters} characters ({widest.case}, {widest.advice})"
        )
    worst: dict[str, Length] = {}
    for one in lengths:
        worst[one.advice] = max(worst.get(one.advice, one), one, key=lambda each: each.first_words)
    for one in sorted(worst.values(), key=lambda each: -each.first_words)[:12]:
        print(f"  {one.first_words:4} {one.first_characters:5} {one.advice} ({one.case})")


if __name__ == "__main__":
    main()
