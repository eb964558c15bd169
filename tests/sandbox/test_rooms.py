"""The rooms that are remembered."""

from sandbox.answers import Refusal
from sandbox.lobby import Order
from tests.sandbox.builders import Noted, a_lobby


def test_rooms_are_found_in_any_casing() -> None:
    """A code is read out and typed."""
    lobby = a_lobby(Noted())
    room = lobby.open(Order())

    assert lobby.rooms.find(room.code.lower()) is room


def test_a_game_is_found_once_it_has_started() -> None:
    """Before that nobody knows its id."""
    lobby = a_lobby(Noted())
    room = lobby.open(Order(capacity=2, bots=2))
    before = lobby.rooms.find_game(room.game_id)
    lobby.start(room.code)

    assert isinstance(before, Refusal)
    assert lobby.rooms.find_game(room.game_id) == (room, room.table)
    assert lobby.rooms.games() == [(room, room.table)]


def test_rooms_are_listed_by_status() -> None:
    """Without a status those that are closed are left out."""
    lobby = a_lobby(Noted())
    waiting, closed = lobby.open(Order()), lobby.open(Order())
    lobby.rooms.close(closed)

    assert lobby.rooms.of() == lobby.rooms.of("waiting") == [waiting]
    assert lobby.rooms.of("closed") == [closed]


def test_the_oldest_closed_rooms_are_forgotten() -> None:
    """Memory is bounded, and a forgotten code may be used again."""
    lobby = a_lobby(Noted(), keep=2)
    rooms = [lobby.open(Order(seed="5")) for _ in range(3)]
    for room in rooms:
        lobby.rooms.close(room)

    assert lobby.rooms.of("closed") == rooms[1:]
    assert isinstance(lobby.rooms.find(rooms[0].code), Refusal)
    assert lobby.open(Order(seed="5")).code == rooms[0].code
