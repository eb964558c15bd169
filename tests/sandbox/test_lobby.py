"""Rooms and the people in them."""

import pytest

from ludo.rules.track import Color
from sandbox import lobby as lobby_module
from sandbox.answers import Refusal
from sandbox.lobby import Lobby, Order
from sandbox.room import Room, RoomStatus
from sandbox.table import Turn
from tests.sandbox.builders import Noted, a_lobby, play_out


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def lobby(noted: Noted) -> Lobby:
    return a_lobby(noted)


def code_of(refused: object) -> str:
    assert isinstance(refused, Refusal)
    return refused.code


def joined(lobby: Lobby, room: Room, name: str = "Eve", **more: object) -> str:
    answer = lobby.join(room.code, name, **more)  # type: ignore[arg-type]
    assert not isinstance(answer, Refusal), answer
    return answer[1].id


def test_a_room_full_of_bots_starts_by_itself(lobby: Lobby, noted: Noted) -> None:
    """With autostart the last seat taken starts the game, and somebody attends to it."""
    room = lobby.open(Order(capacity=2, bots=2, autostart=True))

    assert room.status is RoomStatus.PLAYING
    assert noted.started == [room]
    assert [n.kind for n in noted.news] == ["room:created", *["room:player-joined"] * 2]
    assert [h.event.sequence for h in noted.happened] == [1]


def test_two_rooms_of_one_seed_differ_in_their_ids_alone(lobby: Lobby) -> None:
    """Code and game are new each time, the bots and their game the same."""
    one, other = (lobby.open(Order(bots=4, seed="5", autostart=True)) for _ in range(2))

    assert one.code != other.code
    assert one.game_id != other.game_id
    assert one.players == other.players


def test_the_same_seed_opens_the_same_room() -> None:
    """In another sandbox the ids are the same too."""
    one, other = (a_lobby(Noted()).open(Order(bots=4, seed="5")) for _ in range(2))

    assert (one.code, one.game_id) == (other.code, other.game_id)


def test_colours_are_chosen_or_given(lobby: Lobby) -> None:
    """Two players sit opposite each other unless they choose otherwise."""
    room, other = lobby.open(Order(capacity=2)), lobby.open(Order(capacity=4))

    joined(lobby, room, "Ann")
    joined(lobby, room, "Ben")
    joined(lobby, other, color=Color.YELLOW)

    assert [player.color for player in room.players] == [Color.RED, Color.BLUE]
    assert [player.color for player in other.players] == [Color.YELLOW]


def test_a_registered_player_keeps_the_id(lobby: Lobby) -> None:
    """Joining with it seats that player; joining twice is joining once."""
    room, account = lobby.open(Order()), lobby.register("Eve")

    for _ in range(2):
        assert joined(lobby, room, player_id=account.id) == account.id

    assert len(room.seats) == 1


def test_there_is_no_seat_for_everybody(lobby: Lobby) -> None:
    """Full rooms, taken colours, running games and strangers are refused, each with its code."""
    room = lobby.open(Order(capacity=2))
    joined(lobby, room, color=Color.RED)

    assert code_of(lobby.join("NOWHER", "Eve")) == "NOT_FOUND"
    assert code_of(lobby.join(room.code, "Eve", Color.RED)) == "COLOR_TAKEN"
    assert code_of(lobby.join(room.code, "Eve", player_id="plr_nobody")) == "NOT_FOUND"
    joined(lobby, room)
    assert code_of(lobby.join(room.code, "Eve")) == "ROOM_FULL"
    lobby.start(room.code)
    assert code_of(lobby.join(room.code, "Eve")) == "ALREADY_STARTED"


def test_a_bots_seat_is_nobody_elses(lobby: Lobby) -> None:
    """Its id opens no room to a person."""
    room = lobby.open(Order(bots=1))

    assert code_of(lobby.join(room.code, "Eve", player_id=room.players[0].id)) == "NOT_FOUND"
    assert code_of(lobby.leave(room.code, room.players[0].id)) == "NOT_FOUND"


def test_a_game_needs_two_and_starts_once(lobby: Lobby) -> None:
    """Starting alone or again is refused."""
    room = lobby.open(Order(bots=1))

    assert code_of(lobby.start(room.code)) == "NOT_ENOUGH_PLAYERS"
    joined(lobby, room)
    assert lobby.start(room.code) is room
    assert code_of(lobby.start(room.code)) == "ALREADY_STARTED"


def test_leaving_a_waiting_room_frees_the_seat(lobby: Lobby, noted: Noted) -> None:
    """The last to leave closes it."""
    room = lobby.open(Order())
    player = joined(lobby, room)

    lobby.leave(room.code, player)

    assert room.status is RoomStatus.CLOSED
    assert [n.kind for n in noted.news[-2:]] == ["room:player-left", "room:closed"]
    assert noted.news[-1].data == {"roomCode": room.code, "reason": "empty"}


def test_leaving_a_game_keeps_the_seat(lobby: Lobby, noted: Noted) -> None:
    """Who left is told to be away, and may come back."""
    room = lobby.open(Order(capacity=2, bots=1))
    player = joined(lobby, room)
    lobby.start(room.code)

    lobby.leave(room.code, player)
    away = room.connected
    joined(lobby, room, player_id=player)

    assert player not in away
    assert player in room.connected
    assert [n.kind for n in noted.news[-2:]] == ["room:player-left", "room:player-joined"]


def test_the_end_of_a_game_closes_its_room(lobby: Lobby, noted: Noted) -> None:
    """The room's end is told after the game's, and the win is counted."""
    room = lobby.open(Order(capacity=2, bots=2, autostart=True))
    assert room.table is not None
    play_out(room.table)
    lobby.played(room, Turn(tuple(room.table.log[1:])))
    winner = lobby.accounts.find(room.table.winner or "")

    assert room.status is RoomStatus.CLOSED
    assert noted.news[-1].data["reason"] == "finished"
    assert noted.happened == room.table.log
    assert winner is not None
    assert (winner.played, winner.won) == (1, 1)


def test_rooms_do_not_wait_for_ever(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the one that waited longest is closed."""
    monkeypatch.setattr(lobby_module, "MOST_WAITING", 2)

    rooms = [lobby.open(Order()) for _ in range(3)]

    assert [room.status for room in rooms] == ["closed", "waiting", "waiting"]
