"""The answers that `osteon diff` compares: of a version of the knowledge, or recorded by an earlier release.

A release cannot always read the guideline files of another one. It can read what another one answered: `--record FILE`
writes the answers of a side, and FILE can stand for a side later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from app.advice.model import Advice, OptionStatus
from app.cds_hooks.errors import CallError
from app.commands.progress import progress
from app.commands.requests import default_of, request_of
from app.engine.finding import evaluate
from app.features.model import Features
from app.pipeline import OsteonPipeline


class Why(Struct, frozen=True):
    """A statement that is cited: its criterion, and the names of the features that decided."""

    criterion: str
    facts: list[str]


class Answer(Struct, frozen=True):
    """What one request gets: the statements by advice, the drugs of each card in their order, why. Or the refusal."""

    advice: dict[str, list[str]] = {}
    drugs: dict[str, list[str]] = {}
    statements: dict[str, Why] = {}
    refused: str | None = None


class Answers(Struct, frozen=True):
    """All answers of a side, by the place of the request."""

    knowledge: str
    answers: dict[str, Answer]


def answers_of(
    side: OsteonPipeline, bodies: Sequence[tuple[str, dict[str, Any]]], today: date, profile: str | None
) -> Answers:
    """Answer each request. What the service would refuse stands there by the kind of refusal."""
    made, default = {}, default_of(side)
    for place, body in progress(bodies, "requests"):
        try:
            worked = side.work(request_of(body, default, profile), today=today)
        except (CallError, ValueError) as error:
            made[place] = Answer(refused=type(error).__name__)
            continue
        given = worked.advice.advice
        made[place] = Answer(
            {one.id: sorted({cited.id for cited in one.cited}) for one in given},
            {one.id: _drugs(one) for one in given if one.options},
            {c.id: _why(c.id, side, worked.features) for one in given for c in one.cited},
        )
    return Answers(side.knowledge.version, made)


def recorded(path: Path) -> Answers:
    """Answers from a file. Raises ValueError for a file that holds none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Answers)
    except msgspec.MsgspecError:
        raise ValueError(f"{path}: no answers that `osteon diff --record` wrote") from None


def record(answers: Answers, path: Path) -> None:
    """Write answers to a file."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(answers), indent=1))


def _drugs(advice: Advice) -> list[str]:
    """The drugs of a card in their order; what is not offered says why."""
    return [o.drug.id + ("" if o.status is OptionStatus.OFFERED else f" ({o.status})") for o in advice.options]


def _why(name: str, side: OsteonPipeline, features: Features) -> Why:
    finding = evaluate(side.knowledge.rules[name], features)
    return Why(str(finding.rule.when), sorted({evidence.feature for evidence in finding.evidence}))
