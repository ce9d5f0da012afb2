"""The client for `fhirServer` against a real server process that is slow, broken, lying or after the token."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.cds_hooks.request import FhirAuthorization
from app.outbound.fhir_client import FetchResult, FhirClient
from app.outbound.settings import FhirClientSettings
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
TOKEN = "very-secret-token"
OBSERVATIONS = {"observations": "Observation?patient=p1"}


@dataclass
class Server:
    port: int

    def base(self, habit: str) -> str:
        return f"http://127.0.0.1:{self.port}/{habit}"

    def seen(self) -> list[dict[str, str | None]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/log", timeout=PATIENCE) as answer:
            log: list[dict[str, str | None]] = json.load(answer)
        return log


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.fhir_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield Server(int(process.stdout.readline()))
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def authorization(scope: str = "patient/*.read", patient: str | None = "p1", **other: object) -> FhirAuthorization:
    members: dict[str, object] = {
        "access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": scope, "subject": "osteon",
        "patient": patient,
    }  # fmt: skip
    return FhirAuthorization(**(members | other))  # type: ignore[arg-type]


Fetch = Callable[..., Mapping[str, FetchResult]]


@pytest.fixture
def fetch(server: Server) -> Fetch:
    def run(
        habit: str,
        keys: Mapping[str, str] = OBSERVATIONS,
        *,
        auth: FhirAuthorization | None = None,
        deadline: float = PATIENCE,
        listed: str | None = None,
        **limits: object,
    ) -> Mapping[str, FetchResult]:
        servers = (server.base(habit) if listed is None else listed,)
        settings = FhirClientSettings(fhir_servers=servers, **limits)  # type: ignore[arg-type]

        async def work() -> Mapping[str, FetchResult]:
            client = FhirClient(settings)
            try:
                return await client.fetch_missing(
                    fhir_server=server.base(habit),
                    authorization=auth,
                    patient_id="p1",
                    keys=keys,
                    deadline_seconds=deadline,
                )
            finally:
                await client.aclose()

        return asyncio.run(work())

    return run


def ids(result: FetchResult) -> list[str]:
    assert result.value is not None
    return [entry["resource"]["id"] for entry in result.value["entry"]]


def test_what_is_missing_is_fetched_with_the_token(server: Server, fetch: Fetch) -> None:
    results = fetch("good", {"patient": "Patient/p1", **OBSERVATIONS}, auth=authorization())
    assert results["patient"] == FetchResult({"resourceType": "Patient", "id": "p1"})
    assert results["patient"].value == {"resourceType": "Patient", "id": "p1"}
    assert ids(results["observations"]) == ["observation-1"]
    sent = {entry["path"]: entry for entry in server.seen()}
    assert sent["/good/Patient/p1"]["authorization"] == f"Bearer {TOKEN}"
    assert sent["/good/Observation?patient=p1&_count=500"]["host"] == f"127.0.0.1:{server.port}"


def test_a_server_that_is_not_listed_is_not_called(server: Server, fetch: Fetch) -> None:
    before = len(server.seen())
    for listed in ("https://fhir.example.org/r4", server.base("goo"), server.base("good/deeper")):
        assert fetch("good", auth=authorization(), listed=listed)["observations"].failure == "not-listed"
    assert len(server.seen()) == before


def test_no_server_is_called_without_a_setting() -> None:
    assert not FhirClient(FhirClientSettings()).allows("http://127.0.0.1:1/fhir")


def test_all_pages_are_followed(fetch: Fetch) -> None:
    result = fetch("paging")["observations"]
    assert ids(result) == ["page-1", "page-2", "page-3"]
    assert result.failure is None
    assert result.value is not None
    assert result.value["link"] == []


@pytest.mark.parametrize(
    ("habit", "entries", "failure"),
    [
        ("slowpage", ["page-1"], "timeout"),
        ("circle", ["page", "page"], "too-many-pages"),
        ("elsewhere", ["page-1"], "not-listed"),
    ],
)
def test_a_list_that_lacks_pages_says_so(fetch: Fetch, habit: str, entries: list[str], failure: str) -> None:
    result = fetch(habit, deadline=5.0)["observations"]
    assert (ids(result), result.failure) == (entries, failure)
    assert result.value is not None
    assert result.value["link"][0]["relation"] == "next"


def rewritten(server: Server) -> tuple[str]:
    return (f"http://inner.example:8080/fhir={server.base('numbered')}",)


def test_pages_behind_a_proxy_are_fetched_from_the_address_that_is_reached(server: Server, fetch: Fetch) -> None:
    before = len(server.seen())
    result = fetch("numbered", fhir_rewrite=rewritten(server))["observations"]
    assert ids(result) == [f"o{number}" for number in range(7)]
    assert (result.failure, result.pages) == (None, 4)
    offsets = sorted(str(entry["path"]).rpartition("_getpagesoffset=")[2] for entry in server.seen()[before + 1 :])
    assert offsets == ["2&_count=2", "4&_count=2", "6&_count=2"]


def test_without_the_setting_the_inner_address_is_not_called(fetch: Fetch) -> None:
    result = fetch("numbered")["observations"]
    assert (ids(result), result.failure) == (["o0", "o1"], "not-listed")
    assert result.value is not None
    assert result.value["link"][0]["relation"] == "next"


def test_a_server_that_wants_a_category_is_asked_by_category(server: Server, fetch: Fetch) -> None:
    before = len(server.seen())
    keys = {**OBSERVATIONS, "conditions": "Condition?patient=p1"}
    results = fetch("demanding", keys)
    conditions = results["conditions"]
    assert sorted(ids(conditions)) == ["encounter-diagnosis", "health-concern", "problem-list-item"]
    assert conditions.failure is None
    observations = results["observations"]
    assert observations.value is not None
    kinds = [entry["resource"]["resourceType"] for entry in observations.value["entry"]]
    assert kinds == ["Observation"] * 5 + ["OperationOutcome"]  # imaging failed: the list is incomplete, and says so
    assert observations.failure == "status"
    assert len(server.seen()) == before + 2 + 6 + 3


def test_a_narrower_search_is_not_asked_again(server: Server, fetch: Fetch) -> None:
    before = len(server.seen())
    assert fetch("demanding", {"procedures": "Procedure?patient=p1"})["procedures"].failure == "required"
    assert len(server.seen()) == before + 1


def test_pages_are_counted(fetch: Fetch) -> None:
    result = fetch("endless", fhir_max_pages=5)["observations"]
    assert (len(ids(result)), result.failure) == (5, "too-many-pages")


def test_the_next_page_never_gets_the_token_elsewhere(server: Server, fetch: Fetch) -> None:
    before = len(server.seen())
    fetch("elsewhere", auth=authorization(), listed=f"http://127.0.0.1:{server.port}")
    assert [entry["path"] for entry in server.seen()[before:]] == ["/elsewhere/Observation?patient=p1&_count=500"]


def test_a_redirect_is_not_followed(server: Server, fetch: Fetch) -> None:
    before = len(server.seen())
    result = fetch("redirect", auth=authorization(), listed=f"http://127.0.0.1:{server.port}")["observations"]
    assert result == FetchResult(failure="redirect")
    assert [entry["path"] for entry in server.seen()[before:]] == ["/redirect/Observation?patient=p1&_count=500"]


def test_one_deadline_for_all_keys_and_the_quick_ones_count(fetch: Fetch) -> None:
    keys = {
        "observations": "Observation?patient=p1",
        "conditions": "Condition?patient=p1",
        "procedures": "Procedure?patient=p1",
    }
    results = fetch("slow", keys, deadline=5.0)  # the slow ones take far longer
    assert ids(results["conditions"]) == ["condition-1"]
    assert results["observations"] == results["procedures"] == FetchResult(failure="timeout")


@pytest.mark.parametrize(
    ("habit", "failure"),
    [
        ("html", "not-fhir"),
        ("htmlasjson", "not-fhir"),
        ("unauthorized", "unauthorized"),
        ("forbidden", "forbidden"),
        ("badquery", "refused-query"),
        ("gone", "not-found"),
        ("failing", "status"),
        ("huge", "too-large"),
        ("zipped", "broken"),
        ("outcome", "not-fhir"),
    ],
)
def test_a_bad_answer_costs_its_key_only(fetch: Fetch, habit: str, failure: str) -> None:
    assert fetch(habit, fhir_max_bytes=1_000_000)["observations"] == FetchResult(failure=failure)


def test_a_read_gives_that_resource_or_nothing(fetch: Fetch) -> None:
    assert fetch("otherpatient", {"patient": "Patient/p1"})["patient"] == FetchResult(failure="not-fhir")


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("Observation", "broken"),
        ("Condition", "not-fhir"),
        ("Procedure", "broken"),
        ("MedicationRequest", "broken"),
        ("AllergyIntolerance", "broken"),
        ("ServiceRequest", "broken"),
        ("DiagnosticReport", "too-large"),
    ],
)
def test_lies_about_lengths_are_found(fetch: Fetch, kind: str, failure: str) -> None:
    assert fetch("raw", {"key": f"{kind}?patient=p1"}, fhir_max_bytes=1_000_000)["key"] == FetchResult(failure=failure)


def test_several_answers_together_have_a_limit_too(fetch: Fetch) -> None:
    # One page is some 180 bytes: within the limit of an answer for ever, but not four times it.
    result = fetch("endless", fhir_max_bytes=1024, fhir_max_pages=1000)["observations"]
    assert result.failure == "too-large"
    assert 10 < len(ids(result)) < 50


@pytest.mark.parametrize(
    ("auth", "failure"),
    [
        (authorization(patient="somebody-else"), "not-permitted"),
        (authorization(scope="patient/Patient.read openid"), "not-permitted"),
        (authorization(scope="patient/Observation.write"), "not-permitted"),
        (authorization(expires_in=0), "token"),
        (authorization(access_token="a\r\nX-Injected: 1"), "token"),
        (authorization(scope="patient/Observation.rs?category=laboratory"), None),
        (authorization(scope="user/*.cruds"), None),
        (authorization(scope="something of the vendor's own"), None),
        (authorization(patient="Patient/p1"), None),
    ],
)
def test_requests_stay_within_the_grant(fetch: Fetch, auth: FhirAuthorization, failure: str | None) -> None:
    assert fetch("good", auth=auth)["observations"].failure == failure


def test_a_host_that_is_down(fetch: Fetch) -> None:
    async def work() -> Mapping[str, FetchResult]:
        client = FhirClient(FhirClientSettings(fhir_servers=("http://127.0.0.1:9/fhir",)))
        return await client.fetch_missing(
            fhir_server="http://127.0.0.1:9/fhir", authorization=None, patient_id="p1", keys=OBSERVATIONS
        )

    assert asyncio.run(work()) == {"observations": FetchResult(failure="unreachable")}


def test_the_token_is_in_no_representation(fetch: Fetch) -> None:
    assert TOKEN not in repr(authorization())
    assert "observation-1" not in repr(fetch("good", auth=authorization()))
