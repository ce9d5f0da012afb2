"""What a client wants of the advice: fewer cards, topics off, recommendations switched off, another time zone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.cases.builder import Builder
from app.cds_hooks.configuration import Preferences
from app.cds_hooks.hooks import SERVICES_BY_ID
from app.cds_hooks.request import read_request
from app.engine.knowledge import UnusableSetting
from app.pipeline import OsteonPipeline, build_pipeline
from app.settings import Settings
from tests.clinical.cases import TODAY
from tests.clinical.test_personas import case_at, stories
from tests.conftest import Client
from tests.support import calls
from tests.support.wire import call as as_call

SIGN = calls.example("order-sign.request")
VIEW = calls.example("patient-view.request")


def asked(body: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {**body, "extension": {"osteon.configuration": {"profile": "se", **options}}}


def advice(answer: dict[str, Any]) -> list[str]:
    return [card["extension"]["osteon.explanation"]["advice"] for card in answer["cards"]]


def call(osteon: Client, body: dict[str, Any]) -> dict[str, Any]:
    response = osteon.call(body, f"osteoporosis-{body['hook']}")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_the_most_urgent_cards_are_sent_and_the_others_named(osteon: Client) -> None:
    everything = advice(call(osteon, asked(VIEW)))
    assert len(everything) > 2
    fewer = call(osteon, asked(VIEW, **{"max-cards": 2}))
    assert advice(fewer) == everything[:2]
    assert fewer["extension"]["osteon.explanation"]["leftOut"] == everything[2:]
    assert "extension" not in call(osteon, asked(VIEW, **{"max-cards": len(everything)}))


def test_a_topic_is_turned_off_and_named(osteon: Client) -> None:
    quieter = call(osteon, asked(VIEW, **{"dxa-referral": False}))
    assert "refer-dxa" not in advice(quieter)
    assert quieter["extension"]["osteon.explanation"]["leftOut"] == ["refer-dxa"]


def test_drug_safety_always_comes(osteon: Client) -> None:
    every_topic = dict.fromkeys(("treatment", "drug-switch", "dxa-referral", "monitoring", "drug-safety"), False)
    quieter = call(osteon, asked(SIGN, **every_topic))
    assert "do-not-start-drug" in advice(quieter)


def test_what_a_safety_statement_opens_always_comes(osteon: Client) -> None:
    """Decision 39: the mark of the statement decides, not the topic: a drug must follow denosumab."""
    story = next(story for story in stories() if story["id"] == "denosumab")
    moment = next(one for one in story["moments"] if (one["month"], one["hook"]) == (68, "patient-view"))
    body = Builder(case_at(story, moment), TODAY).request()
    body["extension"]["osteon.configuration"] |= {"drug-switch": False, "max-cards": 1, "secondary-workup": False}
    answer = call(osteon, body)
    assert "follow-denosumab" in advice(answer)
    assert "work-up-secondary" in answer["extension"]["osteon.explanation"]["leftOut"]


@pytest.fixture(scope="module")
def pipeline() -> OsteonPipeline:
    return build_pipeline(Settings())


def test_a_client_switches_a_recommendation_off(pipeline: OsteonPipeline) -> None:
    request = read_request(as_call(asked(VIEW)), SERVICES_BY_ID["osteoporosis-patient-view"])
    rule = "uppsala.gio.calcium-vitd-all"
    quieter = replace(request, configuration=replace(request.configuration, switched=frozenset({rule})))
    for one, expected in ((request, True), (quieter, False), (request, True)):
        cited = {c.id for given in pipeline.work(one, today=TODAY).advice.advice for c in given.cited}
        assert (rule in cited) is expected


def test_a_client_has_its_own_day(pipeline: OsteonPipeline) -> None:
    """A moment shortly before midnight UTC is of the next day in Stockholm."""
    scan = {
        "resourceType": "Procedure",
        "id": "scan",
        "status": "completed",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "312681000"}]},
        "performedDateTime": "2026-11-10T23:30:00Z",
    }
    body = calls.replaced(asked(VIEW), calls.bundle(scan), "prefetch", "procedures")
    service = SERVICES_BY_ID["osteoporosis-patient-view"]
    for preferences, day in (((), 10), ((Preferences(timezone="Europe/Stockholm"),), 11)):
        chart = pipeline.chart(read_request(as_call(body), service, preferences=preferences), today=TODAY)
        (done,) = chart.procedures
        assert done.when is not None
        assert done.when.latest.day == day


def test_an_unknown_recommendation_stops_the_start(pipeline: OsteonPipeline) -> None:
    with pytest.raises(UnusableSetting, match=r"did you mean uppsala\.gio\.calcium-vitd-all"):
        pipeline.knowledge.check_switched(["uppsala.gio.calcium-vitd-al"], "OSTEON_DISABLED_RECOMMENDATIONS")
    with pytest.raises(UnusableSetting, match="safety statement"):
        pipeline.knowledge.check_switched(["uppsala.stop.denosumab-is-continuous"], "X")
    pipeline.knowledge.check_switched(["uppsala.gio.calcium-vitd-all"], "X")
