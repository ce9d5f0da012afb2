"""Cards of one answer do not contradict each other, and a statement that only supports a card is not lost with it.

The pairs are data: `withheld_by` and `never_beside` of `guidelines/advice/advice.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from app.advice.model import Findings
from app.advice.profile import active_recommendations, roles_in
from app.cds_hooks.errors import CallError
from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import read_request
from app.engine.linker import load_knowledge
from app.engine.schema import Use
from app.pipeline import Answering, OsteonPipeline, build_pipeline
from app.settings import Settings
from tests.bench.card_length import of_cases
from tests.support.wire import call

PROFILES = ("se", "intl", "dk", "cn")
BARRED_FRAX, ITS_OWN_CARD = "uppsala.contra.frax-not-valid", "judge-barred-frax"
ORAL, OF_ORAL = "oral_bisphosphonate", "uppsala.contra.oral-bp-elderly-"
"""Statements about oral bisphosphonates: due where one runs or is ordered; without one they only qualify an option."""

Answer = tuple[str, str, Answering]
"""A case or patient, the profile, and what came of the call."""


@cache
def pipeline() -> OsteonPipeline:
    return build_pipeline(Settings())


def answered(bodies: Iterator[tuple[str, dict[str, Any], Any]], profiles: Sequence[str]) -> Iterator[Answer]:
    services = {service.id: service for service in SERVICES}
    for name, body, today in bodies:
        service, _, case = name.partition(" ")
        for profile in profiles or [""]:
            if profile:
                body["extension"]["osteon.configuration"]["profile"] = profile
            try:
                request = read_request(call(body), services[service])
                yield case, str(request.configuration.profile), pipeline().work(request, today=today)
            except CallError:
                continue


@pytest.fixture(scope="module")
def answers() -> list[Answer]:
    return list(answered(of_cases(pipeline(), "en"), PROFILES))


def exclusive() -> frozenset[frozenset[str]]:
    """The pairs of advice that must not stand on one answer."""
    kinds = load_knowledge().advice.values()
    return frozenset(
        frozenset((kind.id, other)) for kind in kinds for other in (*kind.block.withheld_by, *kind.block.never_beside)
    )


def contradictions(found: Iterator[Answer] | list[Answer]) -> list[tuple[str, str, frozenset[str]]]:
    pairs = exclusive()
    return [
        (case, profile, frozenset(pair))
        for case, profile, worked in found
        for pair in combinations(sorted({one.id for one in worked.advice.advice}), 2)
        if frozenset(pair) in pairs
    ]


def test_no_case_has_cards_that_contradict_each_other_in_any_profile(answers: list[Answer]) -> None:
    assert len(exclusive()) > 25
    assert contradictions(answers) == []


def test_each_side_of_a_pair_stands_somewhere(answers: list[Answer]) -> None:
    """A pair with an advice that no patient gets would prove nothing."""
    given = {one.id for _, _, worked in answers for one in worked.advice.advice}
    assert sorted(name for pair in exclusive() for name in pair if name not in given) == []


def test_what_is_safety_and_only_supports_a_card_has_a_host(answers: list[Answer]) -> None:
    """Wherever such a statement holds and one of its hosts is due, a card cites it.

    A statement of an answer that an emergency leaves alone, or about a drug that nobody ordered here, is not due.
    """
    seen: set[str] = set()
    lost: set[tuple[str, str, str]] = set()
    for case, profile, worked in answers:
        cited = {cited.id for one in worked.advice.advice for cited in one.cited}
        for rule_id, due in _safety_riders(profile, worked):
            seen.add(rule_id)
            if due and rule_id not in cited:
                lost.add((case, profile, rule_id))
    knowledge = load_knowledge()
    riders = {r.id for r in knowledge.rules.values() if r.block.use is Use.RIDES and r.block.safety}
    assert seen == riders, "a statement that holds for no case is not tested here"
    assert lost == set()


def _safety_riders(profile: str, worked: Answering) -> Iterator[tuple[str, bool]]:
    """The safety statements without a card of their own that hold, and whether each is due."""
    active = _active(profile, worked)
    findings, chart = Findings(worked.features), worked.chart
    occasion = "orders" if chart.about_orders else "chart"
    hosts_due = {rule.block.advise for rule, _ in active.triggers[occasion] if findings.truth(rule) is True}
    orders = [order.course.drugs for order in chart.draft_orders if order.selected]
    for host, found in active.supporting.items():
        for rule, _ in found:
            if rule.block.use is not Use.RIDES or not rule.block.safety or findings.truth(rule) is not True:
                continue
            if rule.block.id.startswith(OF_ORAL):
                ordered = any(ORAL in drugs for drugs in orders)
                runs = worked.features.feature(f"takes.{ORAL}").value is True
                yield rule.block.id, ordered if chart.about_orders else runs
            else:
                yield rule.block.id, host in hosts_due


def _active(profile: str, worked: Answering) -> Any:
    return active_recommendations(
        pipeline().knowledge, roles_in(pipeline().knowledge, profile, worked.features), frozenset()
    )


def test_a_barred_value_that_explains_a_silence_is_said(answers: list[Answer]) -> None:
    """FRAX above a threshold that is not valid here: on the card of its own, or on one that stands (decision 46)."""
    said = 0
    knowledge = load_knowledge()
    barred = knowledge.advice[ITS_OWN_CARD].opens
    for case, profile, worked in answers:
        if worked.chart.occasion.about_orders or barred.truth(worked.features) is not True:
            continue
        active = {rule.id for found in _active(profile, worked).supporting.values() for rule, _ in found}
        if BARRED_FRAX not in active or _is_withheld(knowledge.advice[ITS_OWN_CARD].gates, worked):
            continue
        cited = {cited.id for one in worked.advice.advice for cited in one.cited}
        said += BARRED_FRAX in cited
        assert BARRED_FRAX in cited, (case, profile)
    assert said > 3


def _is_withheld(gates: Sequence[Any], worked: Answering) -> bool:
    return any(gate.node.truth(worked.features) is True for gate in gates)


def test_only_patients_on_a_bone_drug_are_asked_about_adherence(answers: list[Answer]) -> None:
    asked = [
        (case, profile, worked.features.feature("takes.bone_drug").value)
        for case, profile, worked in answers
        for one in worked.advice.advice
        if {"adherence", "poor_adherence"} & set(one.missing)
    ]
    assert len(asked) > 20
    assert [found for found in asked if found[2] is not True] == []
