"""What one process of all does."""

from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.ownership import Ownership
from ludo.store.scripts import Scripts


async def test_one_of_two_holds_it_until_it_lets_go(redis: Redis) -> None:
    """The holder goes on; the other one has it once it was released."""
    one, other = (Ownership(Scripts(redis), keys.LISTENER, 60.0) for _ in range(2))

    assert [await one.hold(), await other.hold(), await one.hold()] == [True, False, True]
    await other.release()
    assert not await other.hold()
    await one.release()
    assert await other.hold()
    assert not await one.hold()


async def test_it_ends_with_its_holder(redis: Redis) -> None:
    """Whoever was killed releases nothing; the key's end does."""
    one, other = (Ownership(Scripts(redis), keys.LISTENER, 60.0) for _ in range(2))
    await one.hold()

    assert 0 < await redis.pttl(keys.LISTENER) <= 60_000
    await redis.delete(keys.LISTENER)
    assert await other.hold()
    assert not await one.hold()
