"""Snapshots to and from the `data` of `GET /games/{id}/state` (design section 5)."""

from collections.abc import Iterator, Mapping
from itertools import permutations, product
from typing import Any, TypeVar

from ludo.mirror.snapshot import Snapshot, Status
from ludo.rules.board import Board, Due, Game
from ludo.rules.events import Player
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import (
    HOME,
    PIECE_IDS,
    PIECE_INDEX,
    PIECES_PER_SEAT,
    SEAT_OF,
    YARD,
    Color,
)

Body = dict[str, Any]
T = TypeVar("T")


def to_body(snapshot: Snapshot) -> Body:
    """The body that says what this snapshot says; what it leaves open is null."""
    game = snapshot.games[0]
    board = game.board
    finishers = _agreed(other.board.finishers for other in snapshot.games)
    phase = _agreed(other.board.due for other in snapshot.games)
    return {
        "gameId": snapshot.game_id,
        "roomCode": snapshot.room_code,
        "gameMode": board.mode.value,
        "status": snapshot.status.value,
        "sequence": game.sequence,
        "players": [_player_body(player, board, snapshot) for player in game.players],
        "pieces": [_piece_body(player, n, board) for player in game.players for n in range(4)],
        "currentPlayerId": game.player_at(board.turn).id,
        "diceValue": board.dice,
        "phase": None if phase is None else phase.value,
        "consecutiveSixes": _agreed(other.board.sixes for other in snapshot.games),
        "finishOrder": None if finishers is None else [game.player_at(s).id for s in finishers],
        "winnerId": winner_id(snapshot),
        "updatedAt": snapshot.updated_at,
    }


def _player_body(player: Player, board: Board, snapshot: Snapshot) -> Body:
    return {
        "playerId": player.id,
        "playerName": player.name,
        "color": player.color.value,
        "connected": player.id in snapshot.connected,
        "finishedPieces": board.home_count(SEAT_OF[player.color]),
    }


def _piece_body(player: Player, number: int, board: Board) -> Body:
    index = PIECES_PER_SEAT * SEAT_OF[player.color] + number
    position = board.pieces[index]
    return {
        "pieceId": PIECE_IDS[index],
        "playerId": player.id,
        "color": player.color.value,
        "position": position,
        "finished": position == HOME,
    }


def winner_id(snapshot: Snapshot) -> str | None:
    """Who won a game that is finished."""
    if snapshot.status is not Status.FINISHED:
        return None
    game = snapshot.games[0]
    if not game.board.finishers:
        return None
    return game.player_at(game.board.finishers[0]).id


def _agreed(values: Iterator[T]) -> T | None:
    first, *others = values
    return first if all(other == first for other in others) else None


def from_body(body: Mapping[str, Any], rules: RuleSet) -> Snapshot:
    """The snapshot that a structurally sound body describes.

    Missing or null `phase`, `consecutiveSixes` and `finishOrder` stand for every value that fits
    the rest of the body.
    """
    players = tuple(
        Player(entry["playerId"], entry["playerName"], Color(entry["color"]))
        for entry in sorted(body["players"], key=lambda entry: SEAT_OF[Color(entry["color"])])
    )
    status = Status(body["status"])
    return Snapshot(
        game_id=body["gameId"],
        room_code=body["roomCode"],
        status=status,
        games=tuple(
            Game(body["sequence"], players, board)
            for board in _boards(body, players, status, rules)
        ),
        updated_at=body.get("updatedAt") or "",
        connected=frozenset(p["playerId"] for p in body["players"] if p.get("connected", True)),
    )


def _boards(
    body: Mapping[str, Any], players: tuple[Player, ...], status: Status, rules: RuleSet
) -> Iterator[Board]:
    if status is Status.WAITING or not players:
        return
    mode = GameMode(body["gameMode"])
    seat_of = {player.id: SEAT_OF[player.color] for player in players}
    pieces = _pieces(body)
    dice: int | None = body.get("diceValue")
    over = status in (Status.FINISHED, Status.ABANDONED)
    turn = seat_of.get(body.get("currentPlayerId") or "", min(seat_of.values()))
    orders = _finish_orders(body, seat_of, mode, pieces)
    for due, sixes, finishers in product(_dues(body, over), _sixes(body, dice, rules), orders):
        if _fits(due, dice, sixes, bool(finishers)):
            yield Board(
                mode=mode,
                seats=tuple(seat_of.values()),
                pieces=pieces,
                turn=turn,
                due=due,
                dice=dice,
                sixes=sixes,
                finishers=finishers,
            )


def _pieces(body: Mapping[str, Any]) -> tuple[int, ...]:
    pieces = [YARD] * len(PIECE_IDS)
    for entry in body["pieces"]:
        pieces[PIECE_INDEX[entry["pieceId"]]] = entry["position"]
    return tuple(pieces)


def _dues(body: Mapping[str, Any], over: bool) -> tuple[Due | None, ...]:
    if over:
        return (None,)
    phase = body.get("phase")
    return tuple(Due) if phase is None else (Due(phase),)


def _sixes(body: Mapping[str, Any], dice: int | None, rules: RuleSet) -> tuple[int, ...]:
    told = body.get("consecutiveSixes")
    if told is not None:
        return (told,)
    if dice not in (None, 6):
        return (0,)
    return tuple(range(max(rules.max_consecutive_sixes, 1)))


def _fits(due: Due | None, dice: int | None, sixes: int, finished: bool) -> bool:
    """Whether the clauses can lead to these values together (R5, R12, R13)."""
    match due:
        case Due.ROLL:
            return dice is None
        case Due.MOVE:
            return dice is not None and (dice == 6 or sixes == 0)
        case Due.PASS:
            return True
        case Due.END:
            return dice is None and finished
        case None:
            return True


def _finish_orders(
    body: Mapping[str, Any], seat_of: Mapping[str, int], mode: GameMode, pieces: tuple[int, ...]
) -> tuple[tuple[int, ...], ...]:
    told = body.get("finishOrder")
    if told is not None:
        return (tuple(seat_of[player] for player in told if player in seat_of),)
    finished = [
        seat
        for seat in seat_of.values()
        if pieces[PIECES_PER_SEAT * seat : PIECES_PER_SEAT * (seat + 1)].count(HOME)
        >= mode.pieces_to_finish
    ]
    winner = seat_of.get(body.get("winnerId") or "")
    orders = tuple(permutations(finished))
    return tuple(order for order in orders if winner is None or order[:1] == (winner,)) or orders
