"""The routes of the guideline browser."""

from __future__ import annotations

import pytest

from tests.conftest import Client


@pytest.mark.parametrize(
    "path",
    [
        "/guidelines",
        "/guidelines?q=denosumab&source=uppsala&use=card",
        "/guidelines/changes",
        "/guidelines/uppsala",
        "/guidelines/uppsala/uppsala.dxa.glucocorticoids",
    ],
)
def test_pages_are_html_with_a_policy_that_loads_nothing(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/guidelines/nothing", "/guidelines/uppsala/nothing", "/guidelines/msd/uppsala.dxa.glucocorticoids"],
)
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_the_browser_is_read_only(client: Client) -> None:
    assert client.post("/guidelines", json={}).status_code == 405
