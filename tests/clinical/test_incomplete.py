"""PFD-6: records that came in part."""

from __future__ import annotations

from typing import Any

from app.cases.builder import Builder
from tests.clinical.cases import TODAY
from tests.conftest import Client

CASE = {
    "profile": "intl",
    "patient": {"sex": "female", "age": 68},
    "conditions": [{"concept": "copd", "days_ago": 900, "clinical_status": "active"}],
}


def test_every_card_says_that_further_pages_were_not_sent(osteon: Client) -> None:
    request = Builder(CASE, TODAY).request()
    whole = osteon.call(request).json()["cards"]
    request["prefetch"]["conditions"]["link"] = [{"relation": "next", "url": "https://ehr.example.org/fhir/page2"}]
    part = osteon.call(request).json()["cards"]
    assert whole
    assert part
    assert not any("The record came in part" in card["detail"] for card in whole)
    assert all("The record came in part" in card["detail"] for card in part)


def test_an_empty_answer_says_which_lists_did_not_come(osteon: Client) -> None:
    patient = {"sex": "male", "age": 40}
    request = Builder({"profile": "se", "patient": patient}, TODAY).request()
    assert osteon.call(request).json() == {"cards": []}
    del request["prefetch"]["conditions"]
    assert missing(osteon.call(request).json()) == ["conditions"]
    request["prefetch"]["conditions"] = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
    assert missing(osteon.call(request).json()) == ["conditions"]


def missing(answer: dict[str, Any]) -> list[str]:
    assert answer["cards"] == []
    named: list[str] = answer["extension"]["osteon.explanation"]["missing"]
    return named
