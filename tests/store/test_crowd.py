"""Users' connections, counted over several nodes."""

from redis.asyncio import Redis

from ludo.store.crowd import Crowd
from ludo.store.scripts import Scripts
from tests.waiting import wait_until


def node(redis: Redis, name: str, lease: float = 5.0) -> Crowd:
    """One of the nodes."""
    return Crowd(Scripts(redis), name, lease)


async def test_the_connections_of_all_nodes_count_together(redis: Redis) -> None:
    """The limit is the user's, wherever he connects."""
    one, two = node(redis, "a"), node(redis, "b")
    assert await one.enter("ann", 1, 2)
    assert await two.enter("ann", 1, 2)
    assert not await one.enter("ann", 2, 2)
    assert not await two.enter("ann", 2, 2)
    assert await one.enter("bob", 1, 2)


async def test_what_is_sent_again_counts_once(redis: Redis) -> None:
    """A broken connection to Redis makes a client send the same once more."""
    one = node(redis, "a")
    for _ in range(3):
        assert await one.enter("ann", 1, 1)


async def test_who_leaves_makes_room(redis: Redis) -> None:
    """As soon as his node says so."""
    one, two = node(redis, "a"), node(redis, "b")
    await one.enter("ann", 1, 1)
    assert not await two.enter("ann", 1, 1)
    await one.tell({"ann": 0}, whole=False)
    assert await two.enter("ann", 1, 1)


async def test_a_node_that_is_gone_does_not_count(redis: Redis) -> None:
    """Nobody is kept out for long by connections that died with their replica."""
    await node(redis, "killed", lease=0.05).enter("ann", 1, 1)
    await wait_until(lambda: node(redis, "b").enter("ann", 1, 1))


async def test_a_node_is_told_when_it_was_forgotten(redis: Redis) -> None:
    """An emptied Redis learns of everybody again."""
    one, two = node(redis, "a"), node(redis, "b")
    await one.enter("ann", 1, 1)
    await redis.flushall()
    assert not await one.tell({}, whole=False)
    assert await one.tell({"ann": 1}, whole=True)
    assert not await two.enter("ann", 1, 1)


async def test_whole_means_nobody_else(redis: Redis) -> None:
    """Counts that are not told any more are gone."""
    one, two = node(redis, "a"), node(redis, "b")
    await one.enter("ann", 1, 1)
    await one.tell({"bob": 1}, whole=True)
    assert await two.enter("ann", 1, 1)
