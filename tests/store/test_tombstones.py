"""What a leaving game takes along."""

import pytest
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.scripts import Scripts
from ludo.store.tombstones import Tombstones
from tests.workers.builders import GAME, a_bench, a_history

HISTORY = a_history()


@pytest.fixture
def tombstones(redis: Redis) -> Tombstones:
    return Tombstones(redis, Scripts(redis))


async def test_only_a_hot_game_leaves(redis: Redis, tombstones: Tombstones) -> None:
    """There is nothing to take of an unknown game, and of one that has left."""
    assert await tombstones.leaving(GAME) is None
    bench = a_bench(redis)
    await bench.accept(HISTORY)
    await bench.applier.apply(GAME)
    leaving = await tombstones.leaving(GAME)
    assert leaving is not None
    assert leaving.status == "finished"
    assert len(leaving.log) == len(HISTORY)
    assert leaving.ended_at == await redis.zscore(keys.FINISHED, GAME)

    assert await tombstones.entomb(leaving)
    assert await tombstones.leaving(GAME) is None


async def test_script_sent_twice_does_its_work_once(redis: Redis, tombstones: Tombstones) -> None:
    """A connection that broke has the script sent again."""
    bench = a_bench(redis)
    await bench.accept(HISTORY)
    await bench.applier.apply(GAME)
    leaving = await tombstones.leaving(GAME)
    assert leaving is not None
    assert [await tombstones.entomb(leaving) for _ in range(2)] == [True, True]
    assert await redis.hget(keys.COUNTERS, "archived:finished") == b"1"


@pytest.mark.parametrize("field", ["renewed", None])
async def test_game_with_something_new_stays(
    redis: Redis, tombstones: Tombstones, field: str | None
) -> None:
    """A debt that came in, or a worker that holds it, keeps the hot copy."""
    bench = a_bench(redis)
    await bench.accept(HISTORY)
    await bench.applier.apply(GAME)
    leaving = await tombstones.leaving(GAME)
    assert leaving is not None
    if field:
        await redis.hset(keys.game(GAME), field, "1")
    else:
        await redis.set(keys.lease(GAME), "another", px=5_000)
    assert not await tombstones.entomb(leaving)
    assert await redis.hexists(keys.game(GAME), "body")


async def test_failures_are_counted(redis: Redis, tombstones: Tombstones) -> None:
    """Metrics show how often the archive did not take a game."""
    await tombstones.note_failure()
    assert await redis.hget(keys.COUNTERS, "archive:failed") == b"1"
