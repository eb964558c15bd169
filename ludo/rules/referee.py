"""Is this event the one that the clauses allow next (R16, R17)?

Each kind of event has one function, and its checks stand in the order in which R17 names the
clauses: R16, R2, R4, R12, R11, R5, R6, R7, R8, R10, R13, R14. R9 has no check of its own: a
captured piece that moves from where it stood breaks R6 or R7, as R17 allows it to be said.
"""

from typing import assert_never

from ludo.rules import sentences
from ludo.rules.board import Board, Due, Game
from ludo.rules.engine import next_seat
from ludo.rules.events import Ended, Event, Moved, Rolled, Started, TurnChanged
from ludo.rules.moves import why_illegal
from ludo.rules.observer import announce, begin
from ludo.rules.placements import placements
from ludo.rules.ruleset import RuleSet
from ludo.rules.track import HOME, PIECE_INDEX, PIECES_PER_SEAT, SEATS, YARD
from ludo.rules.verdict import Ruling, Violation

__all__ = ["Ruling", "Violation", "announce", "judge"]


def judge(game: Game | None, event: Event, rules: RuleSet) -> Ruling | Violation:
    """The game after an event, or the first clause in the order of R17 that the event breaks.

    `game` is None before `game:started`.
    """
    if game is None:
        if not isinstance(event, Started):
            return sentences.not_begun()
        return _why_not_begun(event) or Ruling(begin(event, rules))
    return _why_not(game, event, rules) or announce(game, event, rules)


def _why_not(game: Game, event: Event, rules: RuleSet) -> Violation | None:
    if event.sequence != game.sequence + 1:
        return sentences.out_of_sequence(game.sequence + 1, event.sequence)
    if game.board.due is None:
        return sentences.after_the_end()
    match event:
        case Rolled():
            return _why_not_rolled(game, event)
        case Moved():
            return _why_not_moved(game, event, rules)
        case TurnChanged():
            return _why_not_passed(game, event)
        case Ended():
            return _why_not_ended(game, event)
        case Started():
            return sentences.begins_again()
        case _:
            assert_never(event)


def _why_not_begun(event: Started) -> Violation | None:
    players = event.players
    if event.sequence != 1:
        return sentences.begins_late(event.sequence)
    if not 2 <= len(players) <= SEATS:
        return sentences.wrong_number_of_players(len(players))
    if len({player.color for player in players}) < len(players):
        return sentences.shared_seat()
    if len({player.id for player in players}) < len(players):
        return sentences.shared_name()
    if all(player.id != event.current for player in players):
        return sentences.stranger_begins()
    return None


def _why_not_rolled(game: Game, event: Rolled) -> Violation | None:
    due = game.board.due
    if not _in_turn(game, event.player):
        return sentences.out_of_turn(game, event.player)
    if not 1 <= event.value <= 6:
        return sentences.impossible_roll(event.value)
    if due is Due.MOVE:
        return sentences.move_owed(game)
    if due is Due.PASS:
        return sentences.no_further_roll(game)
    if due is Due.END:
        return sentences.end_owed(placements(game.board)[0])
    return None


def _why_not_moved(game: Game, event: Moved, rules: RuleSet) -> Violation | None:
    board, piece = game.board, PIECE_INDEX.get(event.piece)
    if piece is None:
        return sentences.unknown_piece(event.piece)
    if not YARD <= event.position <= HOME:
        return sentences.impossible_position(event.position)
    seat = piece // PIECES_PER_SEAT
    if seat not in board.seats:
        return sentences.empty_seat(piece)
    if game.seat_of(event.player) != seat:
        return sentences.foreign_piece(game, piece, event.player)
    if seat != board.turn:
        return sentences.out_of_turn(game, event.player)
    if board.due is not Due.MOVE:
        return _why_no_move(game, rules)
    return why_illegal(board, piece, event.position, rules)


def _why_no_move(game: Game, rules: RuleSet) -> Violation:
    if is_void(game.board, rules):
        return sentences.void_roll(game, rules.max_consecutive_sixes)
    if game.board.due is Due.PASS and game.board.dice is not None:
        return sentences.nothing_to_move(game)
    return sentences.no_roll(game)


def is_void(board: Board, rules: RuleSet) -> bool:
    """Whether the roll on the board is the 6 that is one too many (R12)."""
    return (
        board.due is Due.PASS
        and board.dice == 6
        and board.sixes == 0
        and rules.max_consecutive_sixes > 0
    )


def _why_not_passed(game: Game, event: TurnChanged) -> Violation | None:
    board, follower = game.board, next_seat(game.board)
    if game.seat_of(event.current) != follower:
        return sentences.wrong_successor(game, follower, event.current)
    if board.due is Due.MOVE:
        return sentences.may_not_pass(game)
    if board.due is Due.ROLL:
        return sentences.roll_owed(game)
    if board.due is Due.END:
        return sentences.end_owed(placements(board)[0])
    return None


def _why_not_ended(game: Game, event: Ended) -> Violation | None:
    if game.board.due is not Due.END:
        return sentences.not_over(game)
    order = placements(game.board)
    if game.seat_of(event.winner) != order[0]:
        return sentences.wrong_winner(game, order[0], event.winner)
    if event.placements != tuple(game.player_at(seat).id for seat in order):
        return sentences.wrong_placements(game, order, event.placements)
    return None


def _in_turn(game: Game, player_id: str) -> bool:
    return game.seat_of(player_id) == game.board.turn
