"""What a person may do in a game."""

from typing import Any

import pytest

from ludo.rules.ruleset import GameMode
from ludo.rules.track import Color
from sandbox import turns
from sandbox.answers import Refusal
from sandbox.lobby import Lobby, Order
from sandbox.requests import Move, Roll, Validate
from sandbox.room import Room
from sandbox.table import Table
from tests.sandbox.builders import Noted, a_lobby


@pytest.fixture
def lobby() -> Lobby:
    return a_lobby(Noted())


def a_game(lobby: Lobby) -> tuple[Room, Table]:
    """Two people in a quick game, in which every roll leaves a move."""
    room = lobby.open(Order(capacity=2, mode=GameMode.QUICK, seed="1"))
    for color in (Color.RED, Color.BLUE):
        lobby.join(room.code, color.title(), color)
    lobby.start(room.code)
    assert room.table is not None
    return room, room.table


def rolled(lobby: Lobby, room: Room) -> dict[str, Any]:
    answer = turns.roll(lobby, room.game_id, Roll())
    assert not isinstance(answer, Refusal)
    return answer


def test_a_roll_tells_what_may_be_moved(lobby: Lobby) -> None:
    """Each offered move is one that the game would accept."""
    room, table = a_game(lobby)
    player = table.current.id

    answer = rolled(lobby, room)

    assert answer["playerId"] == player
    assert 1 <= answer["diceValue"] <= 6
    assert answer["legalMoves"]
    for each in answer["legalMoves"]:
        assert table.why_not(player, each["pieceId"], each["targetPosition"]) is None


def test_a_move_tells_where_things_stand(lobby: Lobby) -> None:
    """The piece stands there, and whoever is in turn now is named."""
    room, table = a_game(lobby)
    offered = rolled(lobby, room)["legalMoves"][0]

    answer = turns.move(lobby, room.game_id, Move.model_validate(offered))

    assert not isinstance(answer, Refusal)
    assert (answer["pieceId"], answer["position"]) == tuple(offered.values())
    assert answer["sequence"] == table.sequence
    assert answer["currentPlayerId"] == table.current.id


def test_an_illegal_move_is_refused_with_its_clause(lobby: Lobby) -> None:
    """409, and the sentence of the referee."""
    room, table = a_game(lobby)
    piece = f"{table.current.color}-0"

    refused = turns.move(lobby, room.game_id, Move(piece_id=piece, target_position=30))

    assert isinstance(refused, Refusal)
    assert (refused.status, refused.code, refused.clause) == (409, "ILLEGAL_MOVE", "R5")


def test_nobody_plays_out_of_turn(lobby: Lobby) -> None:
    """The other player's roll is refused."""
    room, table = a_game(lobby)
    other = next(p.id for p in room.players if p.id != table.current.id)

    refused = turns.roll(lobby, room.game_id, Roll(player_id=other))

    assert isinstance(refused, Refusal)
    assert (refused.status, refused.code, refused.clause) == (409, "NOT_YOUR_TURN", "R4")


@pytest.mark.parametrize("named", [True, False])
def test_nobody_plays_for_a_bot(lobby: Lobby, named: bool) -> None:
    """Named or not: a bot plays by itself."""
    room = lobby.open(Order(capacity=2, bots=2, autostart=True))
    assert room.table is not None
    player = room.table.current.id if named else None

    refused = turns.roll(lobby, room.game_id, Roll(player_id=player))

    assert isinstance(refused, Refusal)
    assert refused.code == "NOT_YOUR_TURN"


def test_validating_answers_as_moving_would(lobby: Lobby) -> None:
    """A move by the roll is valid; by another roll, or by a stranger, it is refused."""
    room, table = a_game(lobby)
    player, value = table.current.id, rolled(lobby, room)["diceValue"]

    valid = turns.validate(
        lobby, room.game_id, Validate(player_id=player, token_index=0, dice_value=value)
    )
    wrong = turns.validate(
        lobby, room.game_id, Validate(player_id=player, token_index=0, dice_value=value % 6 + 1)
    )
    strange = turns.validate(
        lobby, room.game_id, Validate(player_id="plr_x", token_index=0, dice_value=value)
    )

    assert valid == {
        "valid": True,
        "pieceId": f"{table.current.color}-0",
        "targetPosition": value,
    }
    assert isinstance(wrong, Refusal)
    assert wrong.clause == "R7"
    assert isinstance(strange, Refusal)
    assert table.sequence == 2


def test_an_unknown_game_is_not_found(lobby: Lobby) -> None:
    """404 for everything that can be asked of it."""
    asked = (
        turns.roll(lobby, "gm_x", Roll()),
        turns.move(lobby, "gm_x", Move(piece_id="red-0", target_position=0)),
        turns.validate(lobby, "gm_x", Validate(player_id="p", token_index=0, dice_value=1)),
    )

    assert [each.status for each in asked if isinstance(each, Refusal)] == [404, 404, 404]
