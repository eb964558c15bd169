"""Real processes: killed at each step, told to leave while they work, and left without Redis."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from arq.constants import in_progress_key_prefix, retry_key_prefix
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.mirror.body import to_body
from ludo.mirror.incoming import GameEvent
from ludo.store import keys
from ludo.store.counters import accounts, read_counters
from ludo.store.games import GameReader
from ludo.store.inbox import Delivery
from ludo.upstream.keyring import SigningKey
from ludo.upstream.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from tests.chaos.deployment import free_port
from tests.chaos.ledger import HOST, Acknowledged
from tests.chaos.outcomes import find_outcomes
from tests.chaos.parts import PORT, Body, Part, serve, work
from tests.e2e.demos import clean_environ
from tests.mirror.builders import snapshot_after
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until
from tests.workers.builders import GAME, a_bench, a_history, delivery
from tests.workers.dying import DIES, dying_proxy, dying_worker

pytestmark = pytest.mark.e2e

HISTORY = a_history()
WITHIN_S = 60.0
BACK_WITHIN_S = 5.0
SECRET = "whsec_" + "A" * 43 + "="
DOWN_S = 1.0
STEPS = ["after claim", "before commit", "after commit", "after begin_resync", "after fetch"]
"""What lies before a claim or a question is what lies after the step before it."""


@dataclass
class Upstream:
    """Answers with one state once it may; notes that it was asked."""

    state: object
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        if not request.path.endswith("/state"):
            return web.json_response({"success": True, "data": []})
        self.asked.set()
        await self.may_answer.wait()
        return web.json_response({"success": True, "data": self.state})


@dataclass
class House:
    """Real processes of ours on one Redis, with an upstream in this process."""

    folder: Path
    environ: dict[str, str]
    upstream: Upstream
    parts: list[Part] = field(default_factory=list)

    def start(self, name: str, body: Body, **settings: str) -> Part:
        part = Part(name, body, self.environ | settings, self.folder / f"{name}.log")
        self.parts.append(part)
        part.start()
        return part


@asynccontextmanager
async def housed(folder: Path, redis_url: str, state: object = None) -> AsyncIterator[House]:
    upstream = Upstream(state)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", upstream.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, HOST, port).start()
    environ = clean_environ(
        REDIS_URL=redis_url,
        LUDO_DATA_DIR=str(folder),
        LUDO_API_BASE_URL=f"http://{HOST}:{port}/v1",
        LUDO_API_KEY="lk_test_real",
        LUDO_AUTH="open",
        LUDO_GAP_WAIT="0s",
        LUDO_WEBHOOK_SECRETS=SECRET,
        LUDO_DRAIN="0s",
    )
    house = House(folder, environ, upstream)
    try:
        yield house
    finally:
        for part in house.parts:
            await part.kill()
        upstream.may_answer.set()
        await runner.cleanup()


def reached(redis: Redis, sequence: int, game_id: str = GAME) -> Callable[[], object]:
    """Whether the mirror is there; a Redis that is away has no mirror."""

    async def look() -> bool:
        try:
            stored = await GameReader(redis).load(game_id)
        except (RedisError, OSError):
            return False
        return stored is not None and stored.seq == sequence

    return look


async def is_once_and_in_order(redis: Redis, events: list[GameEvent], applied: int) -> None:
    """Every one of these events has an outcome, and so many were applied, each once."""
    told = [delivery(event) for event in events]
    entries = [Acknowledged(each.webhook_id, each.body, time.time()) for each in told]
    found = await find_outcomes(redis, entries)
    counters = await read_counters(redis)
    (account,) = accounts(counters)
    assert found.lost == []
    assert (found.doubled, found.out_of_order) == (0, 0)
    assert (account.unaccounted, account.pending, account.accepted) == (0, 0, len(events))
    assert counters["outcome:applied:webhook"] == found.effects == applied


@pytest.mark.parametrize("step", STEPS)
async def test_worker_may_be_killed_at_each_step(
    redis_url: str, redis: Redis, tmp_path: Path, step: str
) -> None:
    """SIGKILL before or after a step: another worker goes on, and each effect is there once."""
    events = [*HISTORY[:5], *HISTORY[6:8]]  # the sixth never comes: the state has to be fetched
    async with housed(tmp_path, redis_url, to_body(snapshot_after(HISTORY[:8]))) as house:
        house.upstream.may_answer.set()
        await a_bench(redis).accept(events)
        dying = house.start("dying", dying_worker, **{DIES: step})
        assert await dying.ended(WITHIN_S) == -signal.SIGKILL, dying.log.read_text()

        # What the dead one held ends by itself; the test does not wait for that.
        await redis.delete(keys.lease(GAME), keys.flight(GAME))
        house.start("living", work)
        await wait_until(reached(redis, 8), WITHIN_S)
        await is_once_and_in_order(redis, events, applied=5)


@pytest.mark.parametrize("side", ["before", "after"])
async def test_proxy_may_be_killed_while_it_accepts(
    redis_url: str, redis: Redis, tmp_path: Path, side: str
) -> None:
    """The sender hears nothing and delivers again: the event is in the inbox once."""
    told, port = delivery(HISTORY[0]), free_port()
    async with housed(tmp_path, redis_url) as house, httpx.AsyncClient(trust_env=False) as http:

        async def acknowledged() -> int:
            """The 2xx that tells a sender to forget the event; 0 if it has to deliver again."""
            try:
                status = await _delivered(http, port, told)
            except httpx.TransportError:
                return 0
            return status if status < 300 else 0

        dying = house.start("dying", dying_proxy, **{PORT: str(port), DIES: f"{side} accept_event"})

        async def died() -> bool:
            assert await acknowledged() == 0
            return dying.died

        await wait_until(died, WITHIN_S, every=0.1)
        assert await dying.ended(WITHIN_S) == -signal.SIGKILL, dying.log.read_text()
        stored = 1 if side == "after" else 0
        assert await redis.xlen(keys.inbox(GAME)) == stored

        house.start("living", serve, **{PORT: str(port)})
        again = await wait_until(acknowledged, WITHIN_S, every=0.1)
        assert again == (200 if stored else 202)
        assert await redis.xlen(keys.inbox(GAME)) == 1


async def _delivered(http: httpx.AsyncClient, port: int, told: Delivery) -> int:
    now = int(time.time())
    headers = {
        "content-type": "application/json",
        ID_HEADER: told.webhook_id,
        TIMESTAMP_HEADER: str(now),
        SIGNATURE_HEADER: sign(SigningKey.parse(SECRET), told.webhook_id, now, told.body),
    }
    url = f"http://{HOST}:{port}/webhooks/ludo"
    return (await http.post(url, content=told.body, headers=headers)).status_code


async def test_worker_that_is_told_to_leave_ends_what_it_does(
    redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    """SIGTERM while a game is being settled: that is finished, the exit code is 0, no try is
    consumed, and another worker goes on with the game."""
    async with housed(tmp_path, redis_url, to_body(snapshot_after(HISTORY[:3]))) as house:
        bench = a_bench(redis)
        await bench.accept([HISTORY[0], HISTORY[2]])
        leaving = house.start("leaving", work)
        await asyncio.wait_for(house.upstream.asked.wait(), WITHIN_S)
        ending = asyncio.create_task(leaving.terminate(WITHIN_S))
        await wait_until(lambda: "worker.leaving" in leaving.log.read_text(), WITHIN_S)
        house.upstream.may_answer.set()
        assert await ending == 0, leaving.log.read_text()

        assert await reached(redis, 3)(), "what was begun was not finished"
        for prefix in (retry_key_prefix, in_progress_key_prefix):
            assert await redis.keys(f"{prefix}*_game:*") == []
        assert not await redis.exists(keys.lease(GAME), keys.flight(GAME))
        await bench.accept(HISTORY[3:6])
        house.start("staying", work)
        await wait_until(reached(redis, 6), WITHIN_S)


async def _seconds_to_come_back(folder: Path, server: PrivateRedis) -> float:
    """From the moment in which Redis answers again to the application of a new event."""
    async with housed(folder, server.url) as house, Redis.from_url(server.url) as redis:
        parts = [house.start(f"worker-{n}", work) for n in (1, 2)]
        await a_bench(redis).accept(HISTORY[:3])
        await wait_until(reached(redis, 3), WITHIN_S)
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(DOWN_S)
        await asyncio.to_thread(server.start)
        began = time.monotonic()
        async with Redis.from_url(server.url) as again:
            await a_bench(again).accept(HISTORY[3:6])
            await wait_until(reached(again, 6), WITHIN_S)
        assert not any(part.died for part in parts)
        return time.monotonic() - began


async def test_workers_come_back_by_themselves_after_redis(
    redis_server: PrivateRedis, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Redis is killed under two workers and started again: both live, and work goes on."""
    record_property("seconds", await _seconds_to_come_back(tmp_path, redis_server))


@pytest.mark.prove
@pytest.mark.timeout(600)
async def test_workers_are_back_within_five_seconds(tmp_path: Path) -> None:
    """The same by the clock, some times, the worst of which counts."""
    seconds = []
    for number in range(5):
        folder = tmp_path / str(number)
        await asyncio.to_thread(folder.mkdir)
        with PrivateRedis() as server:
            seconds.append(await _seconds_to_come_back(folder, server))
    assert max(seconds) <= BACK_WITHIN_S, seconds
