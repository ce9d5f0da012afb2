"""Logs: what is written about a call, and what never is."""

from __future__ import annotations

import logging
from typing import Any

import orjson
import pytest

from app.api.logs import configure, logger
from tests.conftest import ClientMaker
from tests.support import calls
from tests.support.fake import BrokenPipeline


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Any:
    """A function that gives the log lines written so far."""
    import structlog

    root = logging.getLogger()
    kept = root.handlers[:], root.level
    configure("info")
    yield lambda: [orjson.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.reset_defaults()
    root.handlers[:], level = kept
    root.setLevel(level)


MARK = "MARKED"


def marked(**members: Any) -> dict[str, Any]:
    """A call with marked values in every place that a client fills."""
    observation = {**calls.observation(patient=f"{MARK}-id"), "note": [{"text": MARK}], "id": MARK}
    body = calls.patient_view(
        patient={"resourceType": "Patient", "id": f"{MARK}-id", "name": [{"family": MARK}]},
        observations=calls.bundle(observation),
    )
    body["context"] = {"userId": f"Practitioner/{MARK}", "patientId": f"{MARK}-id", "encounterId": MARK}
    authorization = {"access_token": MARK, "token_type": "Bearer", "expires_in": 1, "scope": MARK, "subject": MARK}
    return {
        **body,
        "hookInstance": f"{MARK}-call",
        "fhirServer": f"https://{MARK}.test",
        "fhirAuthorization": authorization,
        **members,
    }


def test_one_line_per_answered_call(make_client: ClientMaker, logs: Any) -> None:
    """AUD-1: what was asked and which cards were given, with ids and without content."""
    answer = make_client().call(calls.patient_view(), headers={"X-Request-ID": "call-1"}).json()
    (line,) = [line for line in logs() if line["event"] == "answered"]
    assert line["card_ids"] == [card["uuid"] for card in answer["cards"]]
    assert line["advice"] == ["refer-dxa"]
    assert (line["service"], line["hook"], line["request_id"]) == (calls.PATIENT_VIEW, "patient-view", "call-1")
    assert (line["profile"], line["language"]) == ("intl", "en")
    assert line["user_type"] == "Practitioner"
    assert len(line["user_hash"]) == 16
    assert line["guideline_version"] == "guidelines-1"


def test_the_trace_of_the_client_is_taken_over(make_client: ClientMaker, logs: Any) -> None:
    """AUD-1: W3C traceparent; a malformed one is ignored."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    make_client().get("/cds-services", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    make_client().get("/cds-services", headers={"traceparent": "nonsense"})
    requests = [line for line in logs() if line["event"] == "request"]
    assert [line.get("trace_id") for line in requests] == [trace, None]


@pytest.mark.parametrize(
    "body",
    [
        marked(),
        marked(hook=MARK),
        marked(fhirServer=MARK),
        marked(extension={"osteon.configuration": {"profile": MARK}}),
        marked(prefetch={MARK: MARK, "patient": MARK}),
        marked(prefetch={"patient": {"resourceType": "Patient", "id": f"{MARK}-other"}}),
        marked(context={"userId": MARK, "patientId": MARK}),
        {MARK: MARK},
    ],
    ids=lambda _: "body",
)
def test_nothing_of_the_patient_is_written(make_client: ClientMaker, logs: Any, body: Any) -> None:
    """FHIR-3, AUD-1, FB-10: marked values through every path reach neither log nor metrics nor error."""
    for client in (make_client(), make_client(pipeline=BrokenPipeline())):
        response = client.call(body, headers={"Authorization": f"Bearer {MARK}", "X-Request-ID": "call-1"})
        if response.status_code != 200:
            assert MARK not in response.text
        client.get(f"/nothing/{MARK}?{MARK}={MARK}")
        client.post(f"/cds-services/{MARK}", json=body)
        assert MARK not in client.get("/metrics").text
    written = logs()
    assert written
    assert MARK not in str(written)


def test_keys_that_are_not_listed_are_dropped_and_counted(logs: Any) -> None:
    """FHIR-3: a slip in the code does not leak, and shows."""
    logger().info("x", patient="Berg", status=200)
    (line,) = logs()
    assert line["dropped_keys"] == 1
    assert line["status"] == 200
    assert "Berg" not in str(line)


def test_messages_of_libraries_are_withheld(logs: Any) -> None:
    """FHIR-3: a library may print what it was given; the server's own messages are about the process."""
    try:
        raise ValueError("Berg")
    except ValueError:
        logging.getLogger("some.library").exception("about %s", "Berg")
    logging.getLogger("uvicorn.error").warning("Started server process")
    library, server = logs()
    assert "Berg" not in str(library)
    assert library["error_type"] == "ValueError"
    assert server["event"] == "Started server process"
