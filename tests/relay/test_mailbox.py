"""Changes that wait for one caller."""

import asyncio

import pytest

from ludo.relay.changes import Change, Delta, Ended, Place, Said, Snapshot
from ludo.relay.errors import RelayStopped
from ludo.relay.mailbox import Mailbox


def delta(seq: int, game: str = "g") -> Delta:
    """A change."""
    return Delta(game, seq, 0, {}, {}, {"sequence": seq})


def look(game: str, why: str) -> Snapshot:
    """Where every game is."""
    return Snapshot(game, Place("e", 99), {"sequence": 99}, why, 0, stale=False)


async def taken(box: Mailbox) -> list[Change]:
    """Everything up to the end."""
    box.end()
    found = []
    while (change := await box.take()) is not None:
        found.append(change)
    return found


async def test_changes_are_taken_in_order() -> None:
    """Whoever takes them waits for the next."""
    box = Mailbox(look)
    waiting = asyncio.ensure_future(box.take())
    await asyncio.sleep(0)
    box.put(delta(1))
    box.put(delta(2))
    assert await waiting == delta(1)
    assert await taken(box) == [delta(2)]


async def test_who_falls_behind_gets_one_snapshot() -> None:
    """At the bound the game's changes go, and the snapshot is made when it is taken."""
    box = Mailbox(look, most=3)
    box.put(delta(7, "other"))
    for seq in range(1, 10):
        box.put(delta(seq))
    found = await taken(box)
    assert found == [delta(7, "other"), look("g", "behind")]


async def test_after_the_snapshot_changes_follow_again() -> None:
    """What comes after it was taken is not left out."""
    box = Mailbox(look, most=1)
    box.put(delta(1))
    box.put(delta(2))
    assert isinstance(await box.take(), Snapshot)
    box.put(delta(100))
    assert await box.take() == delta(100)


async def test_an_end_is_never_left_out() -> None:
    """However many changes wait before it, and whatever chatter does."""
    box = Mailbox(look, most=2)
    for seq in range(5):
        box.put(delta(seq))
        box.put(Said("g", {}))
    box.put(Ended("g", None, ()))
    assert await taken(box) == [look("g", "behind"), Ended("g", None, ())]


async def test_a_stop_is_raised_after_what_came_before_it() -> None:
    """Nothing is lost, and nobody waits for ever."""
    box = Mailbox(look)
    box.put(delta(1))
    box.end(RelayStopped(4503, "forbidden"))
    assert await box.take() == delta(1)
    with pytest.raises(RelayStopped):
        await box.take()
