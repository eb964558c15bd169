"""How many events a second does a worker process apply, and how soon does one reach the mirror?

    make bench

A worker of its own process on a Redis that syncs every write. It is stopped while the inboxes of
some games are filled, goes on, and is timed until every event is in its mirror, the feed and the
log, judged by the clauses. In turn with it, an arq worker takes one job an event, and does nothing
in it: the least that this way costs. Then events come at a steady rate, and the time from offering
one to the receiver's script until its delta is published is measured. Medians are shown, and the
processor time that worker, Redis and this driver spent on an event: whose is near the time that an
event had is what limits the rate.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import msgspec
from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.asyncio import Redis

from ludo import tasks
from ludo.mirror.incoming import GameEvent
from ludo.rules.ruleset import GameMode
from ludo.store import keys
from ludo.store.batching import BatchedScripts
from ludo.store.connection import connect, connect_arq
from ludo.store.inbox import Inbox
from tests.chaos.parts import Part, work
from tests.redis_servers import PrivateRedis
from tests.rules.builders import play_game
from tests.waiting import wait_until
from tests.workers.builders import delivery, told

ROUNDS: Final = 3
GAMES: Final = 20
JOBS: Final = 2_000
A_SECOND: Final = 500
SECONDS: Final = 6.0
FEED: Final = keys.channel("*")

Histories = Sequence[Sequence[GameEvent]]


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of processor time of each process so far."""

    worker: float
    redis: float
    driver: float

    @classmethod
    def by(cls, worker: Part, server: PrivateRedis) -> "Spent":
        """What they and this process have spent."""
        return cls(_seconds(worker.pid), _seconds(server.pid), time.process_time())

    def since(self, before: "Spent", events: int, took: float) -> str:
        """How long each of them was at work for an event, beside the time that it had."""
        each = 1e6 / events
        return (
            f"  an event: {took * each:.0f} µs"
            f"; of CPU worker {(self.worker - before.worker) * each:.0f}"
            f", Redis {(self.redis - before.redis) * each:.0f}"
            f", driver {(self.driver - before.driver) * each:.0f}"
        )


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def histories(games: int, first: int = 0) -> Histories:
    """Whole games for two, of some 470 events each."""
    return [
        [told(event, f"gm_{seed}") for event in play_game(seed, GameMode.CLASSIC, 2)]
        for seed in range(first, first + games)
    ]


@asynccontextmanager
async def a_worker(url: str, folder: Path) -> AsyncIterator[Part]:
    """A worker process on that Redis, which has nothing to do yet."""
    environ = {
        "REDIS_URL": url,
        "LUDO_DATA_DIR": str(folder),
        "LUDO_API_BASE_URL": "http://127.0.0.1:9/v1",
        "LUDO_UPSTREAM_LIMIT": "off",
    }
    part = Part("worker", work, environ, folder / "worker.log")
    part.start()
    try:
        async with connect(url) as redis:
            await wait_until(lambda: redis.exists(keys.WORKERS_ALIVE), timeout=60)
        yield part
    finally:
        await part.kill()


@asynccontextmanager
async def an_inbox(redis: Redis) -> AsyncIterator[Inbox]:
    """An inbox as the receiver has it, sharing pipelines."""
    scripts = BatchedScripts(redis)
    async with tasks.beside("accepting", scripts.serve()):
        yield Inbox(scripts, backlog=1_000_000)


async def applied(redis: Redis) -> int:
    """How many events of games were applied."""
    return int(await redis.hget(keys.COUNTERS, "outcome:applied:webhook") or 0)


async def full_inbox(
    redis: Redis, worker: Part, server: PrivateRedis, games: Histories
) -> tuple[float, str]:
    """Events a second, from full inboxes to mirrors, and what they cost."""
    await worker.freeze()
    async with an_inbox(redis) as inbox:
        for game in games:
            for start in range(0, len(game), 128):
                chunk = game[start : start + 128]
                await asyncio.gather(*(inbox.accept(delivery(event)) for event in chunk))
    before, total = await applied(redis), sum(map(len, games))
    spent, begun = Spent.by(worker, server), time.perf_counter()
    await worker.thaw()
    while await applied(redis) < before + total:
        await asyncio.sleep(0.01)
    took = time.perf_counter() - begun
    return total / took, Spent.by(worker, server).since(spent, total, took)


async def one_job_an_event(url: str) -> float:
    """Jobs a second of an arq worker that does nothing in them."""
    done = asyncio.Event()
    left = JOBS

    async def nothing(_: dict[str, object]) -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    pool: ArqRedis = connect_arq(
        url, serializer=msgspec.json.encode, deserializer=msgspec.json.decode
    )
    for _ in range(JOBS // 100):
        each = (pool.enqueue_job("nothing", _queue_name="bench:queue") for _ in range(100))
        await asyncio.gather(*each)
    worker = Worker(
        functions=[func(nothing, name="nothing", keep_result=0)],
        queue_name="bench:queue",
        redis_pool=pool,
        max_jobs=100,
        poll_delay=0.01,
        queue_read_limit=1_000,
        handle_signals=False,
        job_serializer=msgspec.json.encode,
        job_deserializer=msgspec.json.decode,
    )
    begun = time.perf_counter()
    async with tasks.beside("arq", worker.main()):
        await done.wait()
        took = time.perf_counter() - begun
        worker.allow_pick_jobs = False
        await asyncio.gather(*worker.tasks.values())
        await asyncio.sleep(0.1)  # ended within its look at a job, arq leaves a pipeline open
    await pool.aclose()
    return JOBS / took


async def steady(redis: Redis, games: Histories) -> list[float]:
    """Seconds from offering an event to its delta's publication, for events at a steady rate."""
    offered: dict[tuple[str, int], float] = {}
    waits: list[float] = []
    async with redis.pubsub() as heard, an_inbox(redis) as inbox:
        await heard.psubscribe(FEED)

        async def hear() -> None:
            async for message in heard.listen():
                if message["type"] == "pmessage" and message["data"].startswith(b"1 d "):
                    game_id = message["channel"].decode().removeprefix(keys.channel(""))
                    place = (game_id, int(message["data"].split(b" ", 4)[3]))
                    waits.append(time.perf_counter() - offered[place])

        async with tasks.beside("hearing", hear()), asyncio.TaskGroup() as offering:
            begun, number = time.perf_counter(), 0
            for turn in range(min(map(len, games))):
                for game in games:
                    await asyncio.sleep(begun + number / A_SECOND - time.perf_counter())
                    event, number = game[turn], number + 1
                    offered[(event.game_id, event.event.sequence)] = time.perf_counter()
                    offering.create_task(inbox.accept(delivery(event)))
                if number > A_SECOND * SECONDS:
                    break
            await asyncio.sleep(1)
    return waits


async def main() -> None:
    """Measure everything, and print it."""
    ours, arqs, spent = [], [], []
    with PrivateRedis() as server, tempfile.TemporaryDirectory() as folder:
        async with a_worker(server.url, Path(folder)) as worker, connect(server.url) as redis:
            for number in range(ROUNDS):
                games = histories(GAMES, first=number * GAMES)
                rate, cost = await full_inbox(redis, worker, server, games)
                ours.append(rate)
                spent.append(cost)
                await worker.freeze()
                arqs.append(await one_job_an_event(server.url))
                await worker.thaw()
            await redis.flushall()
            paced = histories(100, first=10_000)
            before, begun = Spent.by(worker, server), time.perf_counter()
            waits = await steady(redis, paced)
            took = time.perf_counter() - begun
            spent.append(Spent.by(worker, server).since(before, len(waits), took))
    cuts = quantiles(waits, n=100)
    ratio = median(a / b for a, b in zip(ours, arqs, strict=True))
    print(f"full inbox: {median(ours):,.0f} events/s ({min(ours):,.0f} to {max(ours):,.0f})")
    print(*spent[:-1], sep="\n")
    print(
        f"one arq job an event: {median(arqs):,.0f} jobs/s ({min(arqs):,.0f} to {max(arqs):,.0f})"
    )
    print(f"ratio: {ratio:.1f}x")
    print(
        f"{A_SECOND} events/s: p50 {cuts[49] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.1f} ms "
        f"({len(waits)} events)"
    )
    print(spent[-1])


if __name__ == "__main__":
    asyncio.run(main())
