"""The sandbox at the tables."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from ludo.rules.ruleset import GameMode
from ludo.rules.track import Color
from sandbox.lobby import Lobby, Order
from sandbox.outbox import Outbox
from sandbox.playing import Playing
from sandbox.retry import Schedule
from sandbox.room import Room
from sandbox.table import Table, Turn
from sandbox.tally import Tally
from tests.sandbox.builders import Noted, a_lobby, judged
from tests.waiting import wait_until

Sat = Callable[[float], tuple[Lobby, Playing]]


@pytest.fixture
async def sat() -> AsyncIterator[Sat]:
    """Makes sandboxes that play with a turn timer, and ends them."""
    made: list[Playing] = []

    def sit(turn_timer: float) -> tuple[Lobby, Playing]:
        lobby = a_lobby(Noted())
        made.append(Playing(lobby, Outbox(None, Schedule(), Tally()), turn_timer))
        return lobby, made[-1]

    yield sit
    for playing in made:
        await playing.aclose()


def a_game(lobby: Lobby, playing: Playing, bots: int, people: int = 0) -> tuple[Room, Table]:
    """A started quick game of bots, and of people in the seats after them."""
    room = lobby.open(Order(bots + people, GameMode.QUICK, bots=bots, seed="5"))
    for n in range(people):
        lobby.join(room.code, f"P{n}")
    lobby.start(room.code)
    assert room.table is not None
    playing.attend(room)
    return room, room.table


async def test_bots_play_a_game_to_its_end(sat: Sat) -> None:
    """By themselves and by the rules."""
    lobby, playing = sat(60)
    room, table = a_game(lobby, playing, bots=4)

    await playing.ended(room)

    assert table.over
    assert judged(table.log) == table.game
    assert playing.games == 0


async def test_a_player_who_does_nothing_is_played_for(sat: Sat) -> None:
    """After the turn timer; so a game of absent people ends as well."""
    lobby, playing = sat(0.001)
    room, table = a_game(lobby, playing, bots=1, people=1)

    await asyncio.wait_for(playing.ended(room), 10)

    assert table.over


async def test_the_rest_of_an_absent_players_turn_is_played_at_once(
    sat: Sat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn timer runs once a turn, not once for the roll and once more for the move."""
    lobby, playing = sat(60)
    waited: list[Room] = []

    async def timed_out(room: Room) -> bool:
        waited.append(room)
        return True

    monkeypatch.setattr(playing, "_timed_out", timed_out)
    room, table = a_game(lobby, playing, bots=1, people=1)
    await playing.ended(room)

    person = next(seat.player.id for seat in room.seats.values() if not seat.bot)
    turns = [each for each in table.log if getattr(each.event, "current", None) == person]
    assert len(waited) == len(turns)


async def test_a_player_is_waited_for(sat: Sat) -> None:
    """Within the turn timer the game stands still at that seat."""
    lobby, playing = sat(60)
    room, table = a_game(lobby, playing, bots=1, people=1)
    person = next(seat.player.id for seat in room.seats.values() if not seat.bot)

    await wait_until(lambda: table.current.id == person)
    stands_at = table.sequence
    for _ in range(20):
        await asyncio.sleep(0)

    assert table.sequence == stands_at
    assert playing.games == 1


async def test_the_game_goes_on_with_a_players_own_roll(sat: Sat) -> None:
    """Whoever acts in time is not played for; the bot answers."""
    lobby, playing = sat(60)
    room, table = a_game(lobby, playing, bots=1, people=1)
    person = next(seat.player.id for seat in room.seats.values() if not seat.bot)

    while not table.over:
        await wait_until(lambda: table.over or table.current.id == person)
        act(lobby, room, table)

    assert judged(table.log) == table.game


def act(lobby: Lobby, room: Room, table: Table) -> None:
    """The person's roll, or the first move there is."""
    if table.over:
        return
    player, color = table.current.id, Color(table.current.color)
    if table.must_roll:
        turn = table.roll(player)
    else:
        move = table.moves()[0]
        turn = table.move(player, f"{color}-{move.piece % 4}", move.position)
    assert isinstance(turn, Turn)
    lobby.played(room, turn)


async def test_closing_leaves_every_table(sat: Sat) -> None:
    """A game in which somebody is waited for stays where it is."""
    lobby, playing = sat(60)
    a_game(lobby, playing, bots=0, people=2)

    await playing.aclose()

    assert playing.games == 0
