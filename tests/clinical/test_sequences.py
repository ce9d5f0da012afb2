"""A piece of advice goes away when it has been followed: patient-view, order-select, accept, order-sign, patient-view.

Each sequence begins with a card that suggests something. The suggestion becomes the draft of order-select (no card
may contradict it), is accepted, is signed, stands in the chart as an active order, and the card does not come back.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest

from app.cases.builder import SERVICE, Builder
from tests.clinical.cases import TODAY
from tests.conftest import Client

Json = dict[str, Any]
UNSAFE = {"do-not-start-drug", "order-other-drug", "check-before-signing"}

KIDNEYS = {"concept": "crcl", "value": 70, "unit": "mL/min", "days_ago": 20}
CALCIUM = {"concept": "calcium_total", "value": 2.32, "days_ago": 20, "reference_low": 2.15, "reference_high": 2.5}
POST = {"concept": "menopausal_status", "value": "post", "days_ago": 400}
LABORATORY = [POST, KIDNEYS, CALCIUM]
SCAN = {"concept": "dxa_scan", "days_ago": 60}


def score(value: float) -> Json:
    return {"concept": "dxa_t_score", "site": "total_hip", "value": value, "unit": "SD", "days_ago": 60}


@dataclass(frozen=True)
class Sequence:
    """A patient, and the advice that is followed."""

    name: str
    profile: str
    advice: str
    kind: str  # of the resource that the suggestion creates
    facts: Json


SEQUENCES = [
    Sequence(
        "start after a vertebral fracture, Uppsala",
        "se",
        "start-bone-drug",
        "MedicationRequest",
        {
            "patient": {"sex": "female", "age": 68},
            "observations": [*LABORATORY, score(-2.8)],
            "conditions": [{"concept": "fragility_fracture", "site": "vertebra", "days_ago": 100, "low_energy": True}],
            "procedures": [SCAN],
        },
    ),
    Sequence(
        "start after a hip fracture, MSD",
        "intl",
        "start-bone-drug",
        "MedicationRequest",
        {
            "patient": {"sex": "female", "age": 77},
            "observations": LABORATORY,
            "conditions": [{"concept": "fragility_fracture", "site": "hip", "days_ago": 10, "low_energy": True}],
        },
    ),
    Sequence(
        "start at high risk, China",
        "cn",
        "start-bone-drug",
        "MedicationRequest",
        {
            "patient": {"sex": "female", "age": 74},
            "observations": [*LABORATORY, score(-2.9)],
            "conditions": [{"concept": "fragility_fracture", "site": "wrist", "days_ago": 300, "low_energy": True}],
            "procedures": [SCAN],
        },
    ),
    Sequence(
        "zoledronic acid after denosumab that has ended, Uppsala",
        "se",
        "follow-denosumab",
        "MedicationRequest",
        {
            "patient": {"sex": "female", "age": 72},
            "observations": [*LABORATORY, score(-2.6)],
            "procedures": [SCAN],
            "medications": [
                {
                    "concept": "denosumab",
                    "route": "subcutaneous",
                    "dose_mg": 60,
                    "every_days": 182,
                    "status": "completed",
                    "started_days_ago": 1100,
                    "ended_days_ago": 200,
                    "last_given_days_ago": 200,
                }
            ],
        },
    ),
    Sequence(
        "denosumab stopped, MSD",
        "intl",
        "follow-denosumab",
        "MedicationRequest",
        {
            "patient": {"sex": "female", "age": 72},
            "observations": [*LABORATORY, score(-2.6)],
            "procedures": [SCAN],
            "medications": [
                {
                    "concept": "denosumab",
                    "route": "subcutaneous",
                    "dose_mg": 60,
                    "every_days": 182,
                    "status": "stopped",
                    "started_days_ago": 1100,
                    "ended_days_ago": 190,
                    "last_given_days_ago": 190,
                }
            ],
        },
    ),
    Sequence(
        "another drug where clearance has fallen, Uppsala",
        "se",
        "use-other-drug",
        "MedicationRequest",
        {
            "patient": {"sex": "female", "age": 82},
            "observations": [POST, KIDNEYS | {"value": 26}, CALCIUM, score(-2.9)],
            "procedures": [SCAN],
            "medications": [
                {
                    "concept": "alendronate",
                    "route": "oral",
                    "dose_mg": 70,
                    "every_days": 7,
                    "started_days_ago": 400,
                    "replaced": True,
                }
            ],
        },
    ),
    Sequence(
        "calcium and vitamin D beside a bone drug, Uppsala",
        "se",
        "give-calcium-vitamin-d",
        "MedicationRequest",
        {
            "patient": {"sex": "female", "age": 68},
            "observations": [*LABORATORY, score(-2.8)],
            "procedures": [SCAN],
            "medications": [
                {
                    "concept": "alendronate",
                    "route": "oral",
                    "dose_mg": 70,
                    "every_days": 7,
                    "started_days_ago": 200,
                }
            ],
        },
    ),
    Sequence(
        "DXA after a wrist fracture, Uppsala",
        "se",
        "refer-dxa",
        "ServiceRequest",
        {
            "patient": {"sex": "female", "age": 63},
            "observations": [POST],
            "conditions": [{"concept": "fragility_fracture", "site": "wrist", "days_ago": 60, "low_energy": True}],
        },
    ),
    Sequence(
        "DXA from 65, MSD",
        "intl",
        "refer-dxa",
        "ServiceRequest",
        {"patient": {"sex": "female", "age": 66}, "observations": [POST]},
    ),
    Sequence(
        "laboratory panel, Uppsala",
        "se",
        "work-up-secondary",
        "ServiceRequest",
        {
            "patient": {"sex": "female", "age": 66},
            "observations": [POST, score(-2.9)],
            "conditions": [{"concept": "osteoporosis", "days_ago": 50}],
            "procedures": [SCAN],
        },
    ),
    Sequence(
        "calcium and creatinine before the next infusion, Uppsala",
        "se",
        "check-calcium-creatinine",
        "ServiceRequest",
        {
            "patient": {"sex": "female", "age": 70},
            "observations": [POST, score(-2.6)],
            "procedures": [SCAN],
            "medications": [
                {
                    "concept": "zoledronic_acid",
                    "route": "intravenous",
                    "dose_mg": 5,
                    "every_days": 365,
                    "started_days_ago": 350,
                    "last_given_days_ago": 350,
                }
            ],
        },
    ),
]


def advice_of(card: Json) -> str:
    name: str = card["extension"]["osteon.explanation"]["advice"]
    return name


def answer(osteon: Client, body: Json) -> list[Json]:
    response = osteon.call(body, service=SERVICE[body["hook"]])
    assert response.status_code == 200, response.text
    cards: list[Json] = response.json()["cards"]
    return cards


def accepted(card: Json) -> list[Json]:
    """The resources that the recommended suggestion of a card creates."""
    suggestion = next(one for one in card["suggestions"] if one.get("isRecommended"))
    return [action["resource"] for action in suggestion["actions"] if action["type"] == "create"]


def with_drafts(view: Json, hook: str, drafts: list[Json]) -> Json:
    body = copy.deepcopy(view) | {"hook": hook}
    body["context"]["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": draft} for draft in drafts]}
    if hook == "order-select":
        body["context"]["selections"] = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts]
    return body


def signed(view: Json, drafts: list[Json], replaced: set[str]) -> Json:
    """The chart afterwards: the orders active, and what they replace stopped by the clinician."""
    body = copy.deepcopy(view)
    for draft in drafts:
        order = draft | {"status": "active", "authoredOn": TODAY.isoformat()}
        key = "serviceRequests" if draft["resourceType"] == "ServiceRequest" else "medicationRequests"
        bundle = body["prefetch"].setdefault(key, {"resourceType": "Bundle", "type": "searchset", "entry": []})
        bundle["entry"].append({"resource": order})
    for entry in body["prefetch"]["medications"]["entry"]:
        if entry["resource"]["id"] in replaced:
            entry["resource"]["status"] = "stopped"
            entry["resource"]["effectivePeriod"]["end"] = TODAY.isoformat()
    return body


@pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda sequence: sequence.name)
def test_followed_advice_goes_away(osteon: Client, sequence: Sequence) -> None:
    facts = sequence.facts
    view = Builder({"profile": sequence.profile} | facts, TODAY).request()
    view["prefetch"]["serviceRequests"] = {"resourceType": "Bundle", "type": "searchset", "entry": []}
    replaced = {
        f"medicationstatement-{number}"
        for number, drug in enumerate(facts.get("medications", []), 1)
        if drug.get("replaced")
    }
    first = answer(osteon, view)
    card = next((card for card in first if advice_of(card) == sequence.advice), None)
    assert card is not None, [advice_of(card) for card in first]

    drafts = [resource | {"id": f"draft-{number}"} for number, resource in enumerate(accepted(card), 1)]
    assert {draft["resourceType"] for draft in drafts} == {sequence.kind}
    assert all(draft["status"] == "draft" for draft in drafts)

    for hook in ("order-select", "order-sign"):
        spoken = {advice_of(card) for card in answer(osteon, with_drafts(view, hook, drafts))}
        assert not spoken & (UNSAFE | {sequence.advice}), (hook, spoken)

    last = answer(osteon, signed(view, drafts, replaced))
    assert sequence.advice not in {advice_of(card) for card in last}
