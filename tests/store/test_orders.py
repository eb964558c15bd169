"""Orders to all nodes, and what is revoked."""

import time

from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.orders import Kick, Orders, Revoke
from ludo.store.scripts import Scripts


def orders(redis: Redis) -> Orders:
    """One node's."""
    return Orders(redis, Scripts(redis))


async def test_orders_are_read_from_a_place_on(redis: Redis) -> None:
    """Each once, in the order in which they were given."""
    given, read = orders(redis), orders(redis)
    await given.give(Kick(player="old"))
    place = await read.last()
    await given.give(Revoke(player="ann"))
    await given.give(Kick(conn="c1", reason="noise"))

    found = await read.after(place)
    assert [each.order for each in found] == [Revoke(player="ann"), Kick(conn="c1", reason="noise")]
    assert await read.after(found[-1].id) == []


async def test_an_order_that_cannot_be_read_is_passed_over(redis: Redis) -> None:
    """A newer version's is none of ours."""
    await redis.xadd(keys.ORDERS, {"o": '{"kind":"dance"}'})
    await orders(redis).give(Kick(player="ann"))

    assert [each.order for each in await orders(redis).after("0-0")] == [Kick(player="ann")]


async def test_a_players_tokens_up_to_now_are_revoked(redis: Redis) -> None:
    """One issued later is good again; one that does not say when counts as old."""
    now = int(time.time())
    one = orders(redis)
    await one.give(Revoke(player="ann"), kept_s=60)

    assert await one.is_revoked("ann", None, now - 5)
    assert await one.is_revoked("ann", None, None)
    assert not await one.is_revoked("ann", None, now + 5)
    assert not await one.is_revoked("bob", None, None)
    assert 0 < await redis.ttl(keys.revoked_player("ann")) <= 60


async def test_one_token_is_revoked_by_its_id(redis: Redis) -> None:
    """Its owner's others stay good."""
    one = orders(redis)
    await one.give(Revoke(token="j1"))

    assert await one.is_revoked("ann", "j1", int(time.time()) + 5)
    assert not await one.is_revoked("ann", "j2", int(time.time()) + 5)


async def test_orders_are_bounded_and_end(redis: Redis) -> None:
    """Whoever gives many does not fill Redis."""
    one = orders(redis)
    for n in range(1_010):
        await one.give(Kick(player=f"p{n}"))

    assert await redis.xlen(keys.ORDERS) == 1_000
    assert await redis.ttl(keys.ORDERS) > 0
