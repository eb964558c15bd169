"""Entries of a log as text, and the log of a hot game."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from ludo.mirror.log import Happened, Resynced
from ludo.rules.ruleset import RuleSet
from ludo.store import keys
from ludo.store.log import HotLog, from_kept, to_kept
from tests.mirror.builders import snapshot_after
from tests.workers.builders import GAME, a_bench, a_history

HISTORY = a_history()


def test_entries_come_back_as_they_were() -> None:
    """Each kind of event and a resync survive the text."""
    entries = [
        *(Happened(event) for event in HISTORY),
        Resynced(snapshot_after(HISTORY[:9]), "gap"),
    ]
    assert [from_kept(to_kept(entry), RuleSet()) for entry in entries] == entries


def test_text_that_is_no_entry_is_refused() -> None:
    """A room's event has no place in a log."""
    kept = to_kept(Happened(HISTORY[0]))
    other = b'{"type":"room:closed","data":{"roomCode":"A","reason":"x"}}'
    with pytest.raises(ValueError, match="expected an event"):
        from_kept(replace(kept, body=other), RuleSet())


async def test_log_of_a_hot_game_holds_what_was_applied(redis: Redis) -> None:
    """In order, each once, with the time; duplicates and gaps leave no trace."""
    bench = a_bench(redis)
    await bench.accept([HISTORY[1], HISTORY[0], HISTORY[0], HISTORY[2], HISTORY[4]])
    await bench.applier.apply(GAME)

    log = await HotLog(redis).load(GAME)
    assert [from_kept(kept, RuleSet()) for kept in log] == [Happened(e) for e in HISTORY[:3]]
    assert all(kept.at > 0 for kept in log)
    assert 0 < await redis.ttl(keys.log(GAME)) <= keys.GAME_TTL_S


async def test_long_log_is_read_whole(redis: Redis) -> None:
    """It is read in pieces, and none is left out."""
    async with redis.pipeline(transaction=True) as pipe:
        for n in range(2_500):
            pipe.xadd(keys.log("gm_long"), {"v": 1, "k": "event", "s": n, "w": "", "b": "{}"})
        pipe.expire(keys.log("gm_long"), 60)
        await pipe.execute()
    log = await HotLog(redis).load("gm_long")
    assert [kept.sequence for kept in log] == list(range(2_500))
    assert await HotLog(redis).load("gm_none") == []
