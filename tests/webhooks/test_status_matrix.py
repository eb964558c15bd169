"""What a sender is told while the store is at fault: each fault is made on a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.batching import BatchedScripts
from ludo.store.connection import connect
from ludo.tasks import beside
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until
from tests.webhooks.builders import OTHER, Receiver, a_receiver, an_intake, bytes_of
from tests.workers.builders import GAME, a_history

HISTORY = [bytes_of(event) for event in a_history()]


@dataclass(frozen=True)
class Store:
    """A Redis of this test's own, and a client that no fault can hold up."""

    server: PrivateRedis
    client: Redis

    async def config(self, name: str) -> str:
        return str((await self.client.config_get(name))[name])


async def frozen(store: Store) -> None:
    store.server.freeze()


async def thawed(store: Store) -> None:
    store.server.thaw()


async def killed(store: Store) -> None:
    store.server.kill()


async def started(store: Store) -> None:
    await asyncio.to_thread(store.server.start)


async def out_of_memory(store: Store) -> None:
    await store.client.config_set("maxmemory", "1")


async def with_memory(store: Store) -> None:
    await store.client.config_set("maxmemory", "0")


async def a_replica(store: Store) -> None:
    await store.client.replicaof("127.0.0.1", "1")


async def a_primary(store: Store) -> None:
    await store.client.replicaof("NO", "ONE")


async def slow(store: Store) -> None:
    await store.client.client_pause(60_000, all=False)


async def quick(store: Store) -> None:
    await store.client.client_unpause()


async def failing_to_save(store: Store) -> None:
    """MISCONF: a snapshot cannot be renamed to where a folder is."""
    folder = Path(await store.config("dir")) / await store.config("dbfilename")
    await asyncio.to_thread(lambda: (folder / "in the way").mkdir(parents=True))
    await store.client.config_set("save", "3600 1")
    await store.client.bgsave()

    async def failed() -> bool:
        return (await store.client.info("persistence"))["rdb_last_bgsave_status"] == "err"

    await wait_until(failed)


async def not_saving(store: Store) -> None:
    await store.client.config_set("save", "")


Fault = Callable[[Store], Awaitable[None]]
FAULTS: dict[str, tuple[Fault, Fault]] = {
    "stopped": (frozen, thawed),
    "killed": (killed, started),
    "out of memory": (out_of_memory, with_memory),
    "read-only replica": (a_replica, a_primary),
    "slow": (slow, quick),
    "failing to save": (failing_to_save, not_saving),
}


@pytest.fixture
async def store(redis_server: PrivateRedis) -> AsyncIterator[Store]:
    async with Redis.from_url(redis_server.url, decode_responses=True) as client:
        yield Store(redis_server, client)


@asynccontextmanager
async def a_receiver_of(store: Store, **intake: Any) -> AsyncIterator[Receiver]:
    """The receiver as a proxy has it: with shared pipelines, over its own client."""
    async with connect(store.server.url) as redis:
        scripts = BatchedScripts(redis)
        async with (
            beside("accepting", scripts.serve()),
            a_receiver(an_intake(redis, scripts=scripts, **intake)) as receiver,
        ):
            yield receiver


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_store_at_fault_is_503_and_nothing_is_lost(store: Store, fault: str) -> None:
    """Never 2xx, never 4xx, always with Retry-After; what is wrong with a delivery is still said.

    When the fault is over the sender's next attempt is taken, and the event is there once.
    """
    begin, finish = FAULTS[fault]
    async with a_receiver_of(store) as receiver:
        assert (await receiver.deliver(HISTORY[0], webhook_id="msg_0")).status_code == 202
        await begin(store)
        try:
            async with asyncio.timeout(20):
                genuine = await asyncio.gather(
                    *(
                        receiver.deliver(body, webhook_id=f"msg_{number}")
                        for number, body in enumerate(HISTORY[:4])
                    )
                )
            forged = await receiver.deliver(HISTORY[1], secret=OTHER)
            unreadable = await receiver.deliver(b"[]")
            too_large = await receiver.deliver(b"x" * 300_000)
        finally:
            await finish(store)

        assert {answer.status_code for answer in genuine} == {503}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in genuine)
        told = [answer.status_code for answer in (forged, unreadable, too_large)]
        assert told == [401, 400, 413]

        async def is_taken() -> bool:
            return (await receiver.deliver(HISTORY[1], webhook_id="msg_1")).is_success

        await wait_until(is_taken, timeout=20)
    assert await store.client.xlen(keys.inbox(GAME)) == len(await sequences(store))
    assert {"1", "2"} <= await sequences(store)


async def sequences(store: Store) -> set[str]:
    """The sequences that wait in the inbox."""
    return {fields["s"] for _, fields in await store.client.xrange(keys.inbox(GAME))}


async def test_a_slow_store_is_not_waited_for_longer_than_its_deadline(store: Store) -> None:
    """A sender's own timeout is never what ends its attempt."""
    async with a_receiver_of(store) as receiver:
        store.server.freeze()
        begun = asyncio.get_running_loop().time()
        answer = await receiver.deliver(HISTORY[0])
        waited = asyncio.get_running_loop().time() - begun
        store.server.thaw()
    assert answer.status_code == 503
    assert waited < 6  # 2 s, on a machine that is busy


@pytest.mark.parametrize("again", ["restarted", "without its scripts"])
async def test_a_store_that_came_back_takes_deliveries_at_once(store: Store, again: str) -> None:
    """Broken connections and NOSCRIPT are our business, not the sender's."""
    async with a_receiver_of(store) as receiver:
        assert (await receiver.deliver(HISTORY[0], webhook_id="msg_0")).status_code == 202
        if again == "restarted":
            store.server.kill()
            await started(store)
        else:
            await store.client.script_flush()
        answers = await asyncio.gather(
            *(
                receiver.deliver(body, webhook_id=f"msg_{number}")
                for number, body in enumerate(HISTORY[:5])
            )
        )

    assert [answer.status_code for answer in answers] == [200, 202, 202, 202, 202]
    assert await store.client.xlen(keys.inbox(GAME)) == 5


async def test_a_limiter_without_a_store_lets_the_store_answer(store: Store) -> None:
    """A quota that cannot be asked refuses nobody: it is the store that says 503."""
    async with a_receiver_of(store, quota="1/60s") as receiver:
        store.server.kill()
        answers = [await receiver.deliver(HISTORY[0]) for _ in range(1)]
        await started(store)
    assert [answer.status_code for answer in answers] == [503]
