"""Events applied as announced, whatever the rules say of them (LUDO_REFEREE=observe or off)."""

from typing import assert_never

from ludo.rules import engine
from ludo.rules.board import Board, Game
from ludo.rules.events import Ended, Event, Moved, Rolled, Started, TurnChanged
from ludo.rules.ruleset import RuleSet
from ludo.rules.track import HOME, PIECE_IDS, PIECE_INDEX, PIECES_PER_SEAT, SEAT_OF, YARD
from ludo.rules.verdict import Ruling


def begin(event: Started, rules: RuleSet) -> Game:
    """The game that a start announces; its players are those of R4."""
    players = tuple(sorted(event.players, key=lambda player: SEAT_OF[player.color]))
    seats = tuple(SEAT_OF[player.color] for player in players)
    first = next(SEAT_OF[player.color] for player in players if player.id == event.current)
    return Game(event.sequence, players, engine.start(event.mode, seats, first, rules))


def announce(game: Game, event: Event, rules: RuleSet) -> Ruling:
    """The game after an event, taken at its word. Never raises.

    A legal event has the effect that the clauses give it. An illegal one is believed as far as a
    board can show it: who acts is in turn, a piece stands where it was put and has captured there,
    and what is due follows from that. An id of nobody here leaves the turn where it was. A piece
    or position that this board does not have, a second start, and whatever comes after the end
    change nothing but the sequence.
    """
    board, captured = _after(game, event, rules)
    names = tuple([PIECE_IDS[piece] for piece in captured])
    return Ruling(Game(event.sequence, game.players, board), names)


def _after(game: Game, event: Event, rules: RuleSet) -> tuple[Board, tuple[int, ...]]:
    board = game.board
    if board.due is None:
        return board, ()
    match event:
        case Rolled():
            return engine.roll(_acting(game, event.player), event.value, rules), ()
        case Moved():
            piece = _piece_at(board, event)
            if piece is None:
                return board, ()
            return engine.move(_acting(game, event.player), piece, event.position, rules)
        case TurnChanged():
            seat = game.seat_of(event.current)
            return engine.give_turn(board, board.turn if seat is None else seat), ()
        case Ended():
            return engine.end(_won_by(board, game.seat_of(event.winner))), ()
        case Started():
            return board, ()
        case _:
            assert_never(event)


def _piece_at(board: Board, event: Moved) -> int | None:
    """The piece that can be put there, or None if this board has no such piece or position (R2)."""
    piece = PIECE_INDEX.get(event.piece)
    if piece is None or piece // PIECES_PER_SEAT not in board.seats:
        return None
    return piece if YARD <= event.position <= HOME else None


def _acting(game: Game, player_id: str) -> Board:
    seat = game.seat_of(player_id)
    if seat is None or seat == game.board.turn:
        return game.board
    return engine.give_turn(game.board, seat)


def _won_by(board: Board, seat: int | None) -> Board:
    """The board with the announced winner as the first of the finishers."""
    if seat is None or board.finishers[:1] == (seat,):
        return board
    others = tuple(other for other in board.finishers if other != seat)
    return board._replace(finishers=(seat, *others))
