"""Games that never run out."""

import asyncio

from ludo.rules.ruleset import RuleSet
from sandbox.continuous import Continuous, order
from sandbox.lobby import Lobby
from sandbox.outbox import Outbox
from sandbox.playing import Playing
from sandbox.retry import Schedule
from sandbox.room import Room
from sandbox.tally import Tally
from tests.sandbox.builders import NOW, Noted
from tests.waiting import wait_until


def a_pair(noted: Noted) -> tuple[Lobby, Playing]:
    """A lobby whose started games are played."""
    playing: Playing

    def attend(room: Room) -> None:
        noted.started.append(room)
        playing.attend(room)

    lobby = Lobby(noted, attend, lambda: NOW * 1000, seed="7", speed=0, rules=RuleSet(), keep=100)
    playing = Playing(lobby, Outbox(None, Schedule(), Tally()), 60)
    return lobby, playing


async def test_the_total_is_played_and_no_more() -> None:
    """Two at a time until five games have ended."""
    lobby, playing = a_pair(noted := Noted())
    continuous = Continuous(lobby, playing, "7", total=5)

    await continuous.run(2)

    assert continuous.over
    assert len(noted.started) == 5
    assert all(room.table is not None and room.table.over for room in noted.started)


async def test_without_a_total_there_is_always_a_next_game() -> None:
    """Until it is cancelled."""
    lobby, playing = a_pair(noted := Noted())
    running = asyncio.create_task(Continuous(lobby, playing, "7", total=None).run(1))

    await wait_until(lambda: len(noted.started) > 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await playing.aclose()


async def test_the_same_seed_plays_the_same_games_however_many_at_once() -> None:
    """Every event of every game is the same, whatever the order in which games end."""
    played = []
    for at_once in (1, 3):
        lobby, playing = a_pair(Noted())
        await Continuous(lobby, playing, "7", total=3).run(at_once)
        played.append(
            {room.game_id: [each.event for each in t.log] for room, t in lobby.rooms.games()}
        )

    assert played[0] == played[1]


def test_games_are_of_every_kind() -> None:
    """Players and modes vary with the number, and follow from the seed."""
    orders = [order("7", n) for n in range(1, 40)]

    assert orders == [order("7", n) for n in range(1, 40)]
    assert {each.capacity for each in orders} == {2, 3, 4}
    assert len({each.mode for each in orders}) == 3
