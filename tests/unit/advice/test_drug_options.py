"""Drug options: every source's contraindications first, then what must be known, then the rank of who may speak."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.advice.model import AdviceSet, OptionStatus
from app.advice.reconcile import Advisor
from app.cases.builder import Builder
from app.cds_hooks.hooks import SERVICES
from app.cds_hooks.request import read_request
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from tests.support.wire import call

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def pipeline() -> OsteonPipeline:
    return build_pipeline(Settings())


def woman(profile: str = "se", **facts: Any) -> dict[str, Any]:
    """A woman of 71 with a wrist fracture and T-score -2.6: an indication in every profile but for DXA details."""
    base: dict[str, Any] = {
        "id": "x",
        "profile": profile,
        "patient": {"sex": "female", "age": 71},
        "observations": [
            {"concept": "menopausal_status", "value": "post", "days_ago": 900},
            {"concept": "dxa_t_score", "site": "total_hip", "value": -2.6, "days_ago": 30},
            *facts.pop("observations", [{"concept": "crcl", "value": 70, "unit": "mL/min", "days_ago": 10}]),
        ],
        "conditions": [
            {"concept": "fracture", "site": "distal_radius", "low_energy": True, "days_ago": 90},
            *facts.pop("conditions", []),
        ],
        "procedures": [{"concept": "dxa_scan", "days_ago": 30}],
    }
    return base | facts


def advice_for(pipeline: OsteonPipeline, case: dict[str, Any]) -> AdviceSet:
    body = Builder(case, TODAY).request()
    service = next(service for service in SERVICES if service.hook == body["hook"])
    return pipeline.work(read_request(call(body), service), today=TODAY).advice


def statuses(pipeline: OsteonPipeline, case: dict[str, Any]) -> list[tuple[str, OptionStatus]]:
    found = next(one for one in advice_for(pipeline, case).advice if one.id == "start-bone-drug")
    return [(option.drug.id, option.status) for option in found.options]


def test_first_choices_come_in_the_order_of_the_lead(pipeline: OsteonPipeline) -> None:
    assert statuses(pipeline, woman()) == [
        ("alendronate", OptionStatus.OFFERED),
        ("zoledronate", OptionStatus.OFFERED),
    ]


def test_a_contraindication_of_any_source_blocks_in_every_profile(pipeline: OsteonPipeline) -> None:
    low = [{"concept": "crcl", "value": 29, "unit": "mL/min", "days_ago": 10}]
    for profile in ("se", "intl", "dk", "cn"):
        found = dict(statuses(pipeline, woman(profile, observations=low)))
        assert found["alendronate"] is OptionStatus.BLOCKED, profile
        assert found["zoledronate"] is OptionStatus.BLOCKED, profile


def test_what_must_be_known_first_holds_a_drug_back_and_is_named(pipeline: OsteonPipeline) -> None:
    advice = next(one for one in advice_for(pipeline, woman(observations=[])).advice if one.options)
    assert {option.status for option in advice.options} == {OptionStatus.WITHHELD}
    assert "creatinine_clearance" in advice.missing


def test_a_caution_moves_a_drug_back_but_offers_it(pipeline: OsteonPipeline) -> None:
    dementia = [{"concept": "dementia", "days_ago": 400}]
    assert statuses(pipeline, woman(conditions=dementia)) == [
        ("zoledronate", OptionStatus.OFFERED),
        ("alendronate", OptionStatus.OFFERED),
    ]


def test_a_drug_that_was_not_tolerated_is_not_offered(pipeline: OsteonPipeline) -> None:
    case = woman(allergies=[{"concept": "alendronate", "reaction": "oesophagitis"}])
    offered = [drug for drug, status in statuses(pipeline, case) if status is OptionStatus.OFFERED]
    assert "alendronate" not in offered
    assert "zoledronate" in offered


def test_two_sources_differ_at_a_clearance_of_33(pipeline: OsteonPipeline) -> None:
    between = [{"concept": "crcl", "value": 33, "unit": "mL/min", "days_ago": 10}]
    assert dict(statuses(pipeline, woman("se", observations=between)))["alendronate"] is OptionStatus.OFFERED
    assert dict(statuses(pipeline, woman("intl", observations=between)))["alendronate"] is OptionStatus.BLOCKED


def test_a_recommendation_can_be_switched_off(pipeline: OsteonPipeline) -> None:
    body = Builder(woman(), TODAY).request()
    service = next(service for service in SERVICES if service.hook == body["hook"])
    request = read_request(call(body), service)
    worked = pipeline.work(request, today=TODAY)
    rule = "uppsala.treat.pm-fragility-fracture-t-below-minus2"
    quieter = Advisor(pipeline.knowledge, [rule]).advise("se", worked.features, worked.chart, request.occasion)
    assert rule in {c.id for one in worked.advice.advice for c in one.cited}
    assert rule not in {c.id for one in quieter.advice for c in one.cited}


def test_a_gate_does_not_act_where_the_statements_that_it_cites_are_switched_off(pipeline: OsteonPipeline) -> None:
    cortisone = {"concept": "prednisolone", "dose_mg": 15, "times_per_day": 1, "route": "oral", "started_days_ago": 40}
    parathyroid = {"concept": "primary_hyperparathyroidism", "days_ago": 100}
    body = Builder(woman(conditions=[parathyroid], medications=[cortisone]), TODAY).request()
    service = next(service for service in SERVICES if service.hook == body["hook"])
    request = read_request(call(body), service)
    worked = pipeline.work(request, today=TODAY)
    rule = "uppsala.calcium-vitd.exemptions"
    quieter = Advisor(pipeline.knowledge, [rule]).advise("se", worked.features, worked.chart, request.occasion)
    assert rule in {c.id for one in worked.advice.advice for c in one.cited}
    assert rule not in {c.id for one in quieter.advice for c in one.cited}
    assert "weigh-drug-caution" in {one.id for one in worked.advice.advice}
    assert {one.id for one in quieter.advice} >= {"give-calcium-vitamin-d"}


def test_at_an_order_only_the_order_is_spoken_of(pipeline: OsteonPipeline) -> None:
    case = woman(hook="order-sign", draft_orders=[{"concept": "alendronate", "dose_mg": 70, "every_days": 7}])
    answer = advice_for(pipeline, case)
    assert not {one.topic for one in answer.advice} & {"treatment", "secondary-workup", "drug-safety"}
