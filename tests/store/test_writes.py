"""Marks of writes: whose next read has to wait, and for what."""

import pytest
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.writes import NO_MIRROR, Standing, Writes

GAME = "gm_1"


@pytest.fixture
def writes(redis: Redis) -> Writes:
    return Writes(redis)


async def mirrored(redis: Redis, sequence: int) -> None:
    await redis.hset(keys.game(GAME), mapping={"seq": sequence, "divergences": 2})
    await redis.expire(keys.game(GAME), 60)


async def test_a_write_is_remembered_with_the_mirror_s_place(redis: Redis, writes: Writes) -> None:
    """The write shows once the mirror is past that sequence."""
    await mirrored(redis, 12)
    await writes.mark(GAME, "ann")
    assert await writes.standing(GAME) == Standing(12, 2)


async def test_the_writer_s_next_read_is_told_once(redis: Redis, writes: Writes) -> None:
    """Others do not wait, and the writer waits once."""
    await mirrored(redis, 12)
    await writes.mark(GAME, "ann")
    assert await writes.pending(GAME, "bob") is None
    assert await writes.pending(GAME, "ann") == 12
    assert await writes.pending(GAME, "ann") is None


async def test_a_write_before_the_first_event_waits_for_a_mirror(writes: Writes) -> None:
    """Any mirror at all is past it."""
    await writes.mark(GAME, "ann")
    assert await writes.pending(GAME, "ann") == NO_MIRROR


async def test_a_refused_write_is_not_waited_for(redis: Redis, writes: Writes) -> None:
    """Nothing changed for its caller; the game stays marked, to be on the safe side."""
    await mirrored(redis, 12)
    await writes.mark(GAME, "ann")
    await writes.forget(GAME, "ann")
    assert await writes.pending(GAME, "ann") is None
    assert (await writes.standing(GAME)).written_at == 12


async def test_a_game_nobody_wrote_to_has_no_mark(writes: Writes) -> None:
    """That is most of them."""
    assert await writes.standing(GAME) == Standing(None, 0)
