"""Mirrors, read."""

import pytest
from redis.asyncio import Redis

from ludo.rules.events import Ended
from ludo.store import keys
from ludo.store.errors import UnknownVersion
from ludo.store.games import GameReader
from tests.workers.builders import GAME, ROOM, Bench, a_bench, a_history


@pytest.fixture
def bench(redis: Redis) -> Bench:
    return a_bench(redis)


@pytest.fixture
def reader(redis: Redis) -> GameReader:
    return GameReader(redis)


async def played(bench: Bench, length: int | None = None, game_id: str = GAME) -> None:
    """Plays a game so far into its mirror."""
    await bench.accept(a_history(game_id=game_id)[:length])
    await bench.applier.apply(game_id)


async def test_unknown_game_has_no_mirror(reader: GameReader) -> None:
    """None, not an empty state."""
    assert await reader.load("gm_nowhere") is None


async def test_mirror_with_waiting_events_is_not_settled(bench: Bench, reader: GameReader) -> None:
    """What waits may change everything; a caller that needs certainty sees it."""
    await played(bench, 5)
    settled = await reader.load(GAME)
    await bench.accept(a_history()[6:7])
    unsettled = await reader.load(GAME)

    assert settled is not None
    assert settled.settled
    assert unsettled is not None
    assert not unsettled.settled


async def test_a_newer_record_is_not_read(bench: Bench, reader: GameReader, redis: Redis) -> None:
    """What a newer version wrote may mean anything; it does not take other games with it."""
    await played(bench, 5)
    await played(bench, 5, "gm_other")
    await redis.hset(keys.game(GAME), "v", "2")
    with pytest.raises(UnknownVersion, match="expected version 1; found b'2'"):
        await reader.load(GAME)
    assert set(await reader.many([GAME, "gm_other"])) == {"gm_other"}


async def test_tips_are_places_of_known_games(bench: Bench, reader: GameReader) -> None:
    """Games without a mirror are left out."""
    await played(bench, 5)
    tips = await reader.tips([GAME, "gm_nowhere"])

    assert list(tips) == [GAME]
    assert tips[GAME][1] == 5


async def test_newest_game_comes_first(bench: Bench, reader: GameReader) -> None:
    """Games are listed by when their mirrors began."""
    for game_id in ("gm_a", "gm_b"):
        await played(bench, 3, game_id)
        await bench.redis.zadd(keys.PLAYING, {game_id: ord(game_id[-1])})

    assert [stored.game_id for stored in await reader.list("playing")] == ["gm_b", "gm_a"]
    assert [stored.game_id for stored in await reader.list("playing", 1)] == ["gm_b"]


async def test_finished_game_changes_lists(bench: Bench, reader: GameReader) -> None:
    """A game that is over is among the finished, with the placements of its last event."""
    await played(bench)
    (stored,) = await reader.list("finished")

    assert await reader.list("playing") == []
    assert stored.finished
    last = a_history()[-1].event
    assert isinstance(last, Ended)
    assert stored.placements == last.placements


async def test_room_leads_to_its_game(bench: Bench, reader: GameReader) -> None:
    """A room's code finds the game that it plays."""
    await played(bench, 1)

    assert await reader.room_game(ROOM) == GAME
    assert await reader.room_game("NOROOM") is None
