"""Large charts are answered in processes of their own: in turn, ended when their time is over, within their memory."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from app.api import inline
from app.api.inline import TooLong, limited
from app.cds_hooks.request import HookRequest
from app.cds_hooks.response import HookAnswer
from app.main import create_app
from app.settings import Settings
from tests.support import calls
from tests.support.fake import constant_card, passing
from tests.support.patience import PATIENCE, wait_until

URL = f"/cds-services/{calls.PATIENT_VIEW}"
LARGE = orjson.dumps(calls.patient_view(observations=calls.bundle(*map(calls.observation, range(3_000)))))
SMALL = orjson.dumps(calls.patient_view())


class Pipeline:
    """Answers with the id of the process that did it, after `work`; notes in `folder` who is at work."""

    def __init__(self, folder: Path, work: Any = None) -> None:
        self.folder = folder
        self.work = work

    def answer(self, request: HookRequest, *, today: date) -> HookAnswer:
        mark = self.folder / f"{os.getpid()}"
        mark.touch()
        if self.work:
            self.work()
        mark.unlink()
        return HookAnswer((constant_card(),), guideline_version=str(os.getpid()))


def app_of(pipeline: Pipeline, **settings: Any) -> Any:
    settings.setdefault("request_timeout_seconds", PATIENCE)
    return create_app(pipeline=pipeline, settings=Settings(**settings), self_test=passing, worker_processes=True)


def post_all(app: Any, *bodies: bytes, then: Any = None, after: bytes = b"") -> list[httpx.Response]:
    """The answers to the bodies, sent at once, within the life of the app; then to `after`, once `then` was called."""

    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://osteon.test", timeout=PATIENCE) as http,
        ):
            headers = {"Content-Type": "application/json"}
            answers = await asyncio.gather(*(http.post(URL, content=body, headers=headers) for body in bodies))
            if after:
                then()
                answers.append(await http.post(URL, content=after, headers=headers))
            return answers

    return asyncio.run(run())


@pytest.fixture
def at_work(tmp_path: Path) -> Path:
    folder = tmp_path / "at-work"
    folder.mkdir()
    return folder


def until_released(release: Path) -> Any:
    def wait() -> None:
        while not release.exists():
            time.sleep(0.01)

    return wait


def test_a_large_chart_is_answered_elsewhere_and_a_small_one_here(
    at_work: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    large, small = post_all(app_of(Pipeline(at_work)), LARGE, SMALL)
    assert large.json()["cards"][0]["summary"] == small.json()["cards"][0]["summary"]
    lines = [orjson.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    processes = {line["guideline_version"] for line in lines if line["event"] == "answered"}
    assert len(processes) == 2 or not lines
    assert not list(at_work.iterdir())


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_than_the_limit_are_at_work(at_work: Path, tmp_path: Path, workers: int) -> None:
    release, most = tmp_path / "release", 0
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.is_set():
            most = max(most, len(list(at_work.iterdir())))
            if most == workers:
                time.sleep(0.3)  # another one would show now
                most = max(most, len(list(at_work.iterdir())))
                release.touch()
            time.sleep(0.01)

    app = app_of(Pipeline(at_work, until_released(release)), max_large_charts=workers)
    watching = threading.Thread(target=watch)
    watching.start()
    answers = post_all(app, *[LARGE] * 5)
    done.set()
    watching.join()
    assert [answer.status_code for answer in answers] == [200] * 5
    assert most == workers


def test_work_that_takes_too_long_is_ended(at_work: Path, tmp_path: Path) -> None:
    """A 503 with Retry-After, no process left at work, and the next call has the turn."""
    release = tmp_path / "release"
    app = app_of(Pipeline(at_work, until_released(release)), max_large_charts=1, request_timeout_seconds=1.0)
    left: list[int] = []

    def then() -> None:
        left.extend(int(mark.name) for mark in at_work.iterdir())
        release.touch()

    answer, later = post_all(app, LARGE, then=then, after=LARGE)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert not Path(f"/proc/{left[0]}").exists()
    assert later.status_code == 200


def test_a_chart_that_takes_too_much_memory_is_refused(at_work: Path) -> None:
    service = os.getpid()

    def work() -> None:
        if os.getpid() != service:  # in the service itself, a slow machine could take too long for so many bytes
            bytearray(400_000_000)

    app = app_of(Pipeline(at_work, work), large_chart_bytes=100_000_000)
    large, small = post_all(app, LARGE, SMALL)
    assert large.status_code == 413
    assert "memory" in large.json()["issue"][0]["diagnostics"]
    assert small.status_code == 200


@pytest.mark.parametrize("piece", [b"[]", b"{}", b"0", b'{"a":[]}'])
def test_more_values_than_memory_is_for_are_refused(at_work: Path, piece: bytes) -> None:
    """Two bytes of JSON can be sixty of memory: the number is looked at before anything is decoded."""
    body = SMALL[:-1] + b',"x":[' + b",".join([piece] * 2_100_000) + b"]}"
    (answer,) = post_all(app_of(Pipeline(at_work), max_body_bytes=64 * 1024 * 1024), body)
    assert answer.status_code == 413
    assert "values" in answer.json()["issue"][0]["diagnostics"]


def test_a_worker_that_dies_costs_one_call(at_work: Path) -> None:
    app = app_of(Pipeline(at_work, lambda: os.kill(os.getpid(), 9)))
    (answer,) = post_all(app, LARGE)
    assert answer.status_code == 500
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_small_chart_that_takes_long_is_handed_over(at_work: Path, tmp_path: Path) -> None:
    """Nothing holds up the event loop for more than its share, whatever the size: the work is done elsewhere."""
    here = os.getpid()

    def long_here() -> None:
        while os.getpid() == here:
            pass

    app = app_of(Pipeline(at_work, long_here))
    assert [answer.status_code for answer in post_all(app, SMALL, SMALL)] == [200, 200]
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_work_within_its_share_is_not_ended() -> None:
    assert inline.install()
    assert limited(lambda: sum(range(10))) == 45
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    with pytest.raises(TooLong):
        limited(lambda: all(True for _ in count()), seconds=0.02)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    with pytest.raises(ValueError, match="own"):
        limited(fail)


def fail() -> None:
    raise ValueError("its own fault")


def test_what_a_client_must_change_is_told_as_for_small_ones(at_work: Path) -> None:
    wrong = LARGE.replace(b'"patient-view"', b'"order-sign"', 1)
    (answer,) = post_all(app_of(Pipeline(at_work)), wrong)
    assert answer.status_code == 400


def test_workers_end_with_the_service(at_work: Path, tmp_path: Path) -> None:
    """However it ends: here the process that forked them is killed."""
    reading, writing = os.pipe()
    if (service := os.fork()) == 0:
        app = app_of(Pipeline(at_work, until_released(tmp_path / "never")))
        os.write(writing, b"1")
        post_all(app, LARGE)
        os._exit(0)
    os.read(reading, 1)
    wait_until(lambda: bool(list(at_work.iterdir())), lambda: "no worker began")
    (worker,) = (int(mark.name) for mark in at_work.iterdir())
    os.kill(service, 9)
    os.waitpid(service, 0)
    wait_until(lambda: not Path(f"/proc/{worker}").exists(), lambda: "the worker lives on")
