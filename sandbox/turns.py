"""What a person may do in a game: roll, move, and ask whether a move would do."""

from typing import Any

from ludo.rules.track import PIECE_IDS, PIECES_PER_SEAT, YARD
from ludo.rules.verdict import Violation
from sandbox.answers import Refusal, conflict
from sandbox.lobby import Lobby
from sandbox.requests import Move, Roll, Validate
from sandbox.room import Room
from sandbox.table import Table, Turn, piece_name

Body = dict[str, Any]


def roll(lobby: Lobby, game_id: str, asked: Roll) -> Body | Refusal:
    """Roll the dice for the player in turn: what fell, and what may be moved with it."""
    found = lobby.rooms.find_game(game_id)
    if isinstance(found, Refusal):
        return found
    room, table = found
    player = _acting(room, table, asked.player_id)
    turn = player if isinstance(player, Refusal) else table.roll(player)
    if not isinstance(turn, Turn):
        return _refusal(turn)
    lobby.played(room, turn)
    moves = [
        {"pieceId": piece_name(move), "targetPosition": move.position} for move in table.moves()
    ]
    value = getattr(turn.happened[0].event, "value", None)
    return _standing(room, table) | {"playerId": player, "diceValue": value, "legalMoves": moves}


def move(lobby: Lobby, game_id: str, asked: Move) -> Body | Refusal:
    """Move a piece of the player in turn: where it stands now, and whom it sent back."""
    found = lobby.rooms.find_game(game_id)
    if isinstance(found, Refusal):
        return found
    room, table = found
    player = _acting(room, table, asked.player_id)
    if isinstance(player, Refusal):
        return player
    turn = table.move(player, asked.piece_id, asked.target_position)
    if not isinstance(turn, Turn):
        return _refusal(turn)
    lobby.played(room, turn)
    return _standing(room, table) | {
        "playerId": player,
        "pieceId": asked.piece_id,
        "position": asked.target_position,
        "captured": list(turn.captured),
    }


def validate(lobby: Lobby, game_id: str, asked: Validate) -> Body | Refusal:
    """Whether this move would be accepted now; a move that would not is refused with its clause."""
    found = lobby.rooms.find_game(game_id)
    if isinstance(found, Refusal):
        return found
    room, table = found
    seat = room.seat_of(asked.player_id)
    if seat is None:
        return conflict("NOT_A_PLAYER", f"expected a player of the game; found {asked.player_id!r}")
    piece = PIECES_PER_SEAT * seat + asked.token_index
    start = table.game.board.pieces[piece]
    target = 0 if start == YARD else start + asked.dice_value
    violation = table.why_not(asked.player_id, PIECE_IDS[piece], target)
    if violation is not None:
        return _refusal(violation)
    return {"valid": True, "pieceId": PIECE_IDS[piece], "targetPosition": target}


def _acting(room: Room, table: Table, player_id: str | None) -> str | Refusal:
    """Who acts: the player named, or else the one in turn; never one of the bots."""
    player = player_id or table.current.id
    seat = room.seat_of(player)
    if seat is not None and room.seats[seat].bot:
        return conflict("NOT_YOUR_TURN", f"expected your turn; {player} is a bot and plays itself")
    return player


def _refusal(found: Violation | Refusal) -> Refusal:
    if isinstance(found, Refusal):
        return found
    code = "NOT_YOUR_TURN" if found.clause == "R4" else "ILLEGAL_MOVE"
    return Refusal(409, code, found.sentence, found.clause)


def _standing(room: Room, table: Table) -> Body:
    return {
        "gameId": room.game_id,
        "sequence": table.sequence,
        "currentPlayerId": table.current.id,
        "winnerId": table.winner,
    }
