"""Accepting: durable, once, and honest about a Redis that does not answer."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from redis.asyncio import Redis

from ludo.mirror.incoming import Hint, RoomEvent, UnknownEvent
from ludo.store import keys
from ludo.store.connection import connect
from ludo.store.errors import StoreUnavailable
from ludo.store.inbox import Delivery, Inbox, Verdict
from ludo.store.scripts import Arg, Scripts
from tests.redis_servers import PrivateRedis
from tests.workers.builders import GAME, a_bench, a_history, delivery

HISTORY = a_history()


class TwiceSent(Scripts):
    """Loses every first answer."""

    async def run(
        self, name: str, *, keys: Sequence[str], args: Sequence[Arg], within: float | None = None
    ) -> Any:
        await super().run(name, keys=keys, args=args)
        return await super().run(name, keys=keys, args=args)


async def test_accepted_event_wakes_one_worker(redis: Redis) -> None:
    """Ten events in a row queue one job, not ten."""
    await a_bench(redis).accept(HISTORY[:10])

    assert await redis.xlen(keys.inbox(GAME)) == 10
    assert await redis.zcard(keys.ARQ_QUEUE) == 1
    assert await redis.llen(keys.NUDGE) == 1


async def test_full_backlog_stores_nothing(redis: Redis) -> None:
    """Beyond the global bound the delivery leaves no trace, so its retry is a first one."""
    inbox = Inbox(Scripts(redis), backlog=1)
    assert await inbox.accept(delivery(HISTORY[0])) is Verdict.ACCEPTED
    assert await inbox.accept(delivery(HISTORY[1])) is Verdict.FULL

    assert await redis.hget(keys.COUNTERS, "accepted:webhook") == b"1"
    assert not await redis.hexists(keys.seen(GAME), f"i:{delivery(HISTORY[1]).webhook_id}")


WAITING = Delivery("msg_0", b"", HISTORY[0])
BESIDE = (
    HISTORY[1],
    Hint("game:turn-change", "gm_other"),
    RoomEvent("room:closed", "ABC123"),
    UnknownEvent("game:paused"),
)


@pytest.mark.parametrize("source", ["webhook", "socket", "redrive"])
async def test_the_backlog_is_one_for_every_source_and_kind(redis: Redis, source: str) -> None:
    """What waits from one source leaves no room for another, whatever it sends."""
    inbox = Inbox(Scripts(redis), backlog=1)
    assert await inbox.accept(replace(WAITING, source=source)) is Verdict.ACCEPTED
    counted = await redis.hgetall(keys.COUNTERS)
    for other, kind in product(("webhook", "socket", "redrive"), BESIDE):
        more = Delivery("msg_1", b"{}", kind, source=other)
        assert await inbox.accept(more) is Verdict.FULL

    assert await redis.hgetall(keys.COUNTERS) == counted
    assert not await redis.exists(keys.delivery("msg_1"), keys.FILTERED, keys.game("gm_other"))


async def test_hints_are_bounded_by_the_games_they_wake(redis: Redis) -> None:
    """Games to look at are as many as events may wait; one that is looked at anyway is free."""
    inbox = Inbox(Scripts(redis), backlog=2)

    async def hinted(number: int, game_id: str) -> Verdict:
        hint = Hint("game:turn-change", game_id)
        return await inbox.accept(Delivery(f"msg_{number}", b"{}", hint))

    verdicts = [await hinted(*each) for each in enumerate(["gm_a", "gm_b", "gm_c", "gm_a"])]
    assert verdicts == [Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.FULL, Verdict.ACCEPTED]


async def test_script_that_is_sent_twice_counts_once(redis: Redis) -> None:
    """redis-py sends it again when a connection breaks before the answer."""
    inbox = Inbox(TwiceSent(redis), backlog=10)
    room = RoomEvent("room:closed", "ABC123")
    verdicts = [
        await inbox.accept(delivery(HISTORY[0], "msg_1")),
        await inbox.accept(delivery(HISTORY[1], "msg_1")),
        await inbox.accept(Delivery("msg_2", b"{}", room)),
        await inbox.accept(Delivery("msg_2", b"{ }", room)),
    ]

    assert verdicts == [Verdict.ACCEPTED, Verdict.ID_CONFLICT] * 2
    assert await redis.hgetall(keys.COUNTERS) == {
        b"accepted:webhook": b"4",
        b"pending:webhook": b"1",
        b"outcome:applied:webhook": b"1",
        b"outcome:dead:webhook": b"2",
    }


async def test_accepted_events_survive_the_death_of_redis(redis_server: PrivateRedis) -> None:
    """kill -9 right after the answer: the event is there when Redis is back."""
    async with connect(redis_server.url) as redis:
        verdicts = await a_bench(redis).accept(HISTORY[:20])
        assert verdicts == [Verdict.ACCEPTED] * 20
        redis_server.kill()
        redis_server.start()
        assert await redis.xlen(keys.inbox(GAME)) == 20


async def test_redis_that_is_away_is_said_to_be(redis_server: PrivateRedis) -> None:
    """Nothing is reported as stored that was not."""
    async with Redis.from_url(redis_server.url) as redis:
        redis_server.kill()
        with pytest.raises(StoreUnavailable):
            await Inbox(Scripts(redis), backlog=10).accept(delivery(HISTORY[0]))
