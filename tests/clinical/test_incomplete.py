"""PFD-6: records that came in part."""

from __future__ import annotations

from tests.clinical.builder import Builder
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
    assert not any("further pages were not sent" in card["detail"] for card in whole)
    assert all("further pages were not sent" in card["detail"] for card in part)
