"""Every violation in words: one function for each way of breaking a clause.

Players are named by their colour and pieces by their name. No other module writes a sentence, so
that a frontend, a dead letter and the audit say the same.
"""

from collections.abc import Iterable

from ludo.rules.board import Due, Game
from ludo.rules.events import Player
from ludo.rules.track import COLORS, HOME, PIECE_IDS, PIECES_PER_SEAT, YARD
from ludo.rules.verdict import Violation


def _violation(clause: str, sentence: str) -> Violation:
    return Violation(clause, f"{clause}: {sentence}.")


def _colour_of(players: Iterable[Player], player_id: str) -> str:
    for player in players:
        if player.id == player_id:
            return player.color.value
    return "somebody outside this game"


def _in_turn(game: Game) -> str:
    return COLORS[game.board.turn].value


def not_begun() -> Violation:
    """An event of a game that has not been started."""
    return _violation("R16", "the game has not begun; its first event is game:started")


def begins_late(sequence: int) -> Violation:
    """A start that does not carry sequence 1."""
    return _violation("R16", f"a game begins with event 1; this start is event {sequence}")


def begins_again() -> Violation:
    """A second start."""
    return _violation("R16", "the game has begun already and does not begin again")


def out_of_sequence(expected: int, found: int) -> Violation:
    """A sequence that is not the next."""
    return _violation("R16", f"event {expected} is next; this is event {found}")


def after_the_end() -> Violation:
    """An event of a game that has ended."""
    return _violation("R16", "the game is over; nothing follows its end")


def unknown_piece(piece: str) -> Violation:
    """A name that no piece has; only its beginning is repeated, for a stranger may have sent it."""
    first, last = PIECE_IDS[0], PIECE_IDS[-1]
    return _violation("R2", f"no piece is called {piece[:20]!r}; they are {first} to {last}")


def impossible_position(position: int) -> Violation:
    """A position that the board does not have."""
    return _violation(
        "R2", f"there is no position {position}; they go from {YARD} (yard) to {HOME} (home)"
    )


def empty_seat(piece: int) -> Violation:
    """A piece of a colour that nobody plays."""
    colour = COLORS[piece // PIECES_PER_SEAT].value
    return _violation("R2", f"nobody plays {colour} in this game, so {PIECE_IDS[piece]} stays")


def foreign_piece(game: Game, piece: int, player_id: str) -> Violation:
    """A piece that belongs to another player than the one who moved it."""
    owner, mover = COLORS[piece // PIECES_PER_SEAT].value, _colour_of(game.players, player_id)
    return _violation("R2", f"{PIECE_IDS[piece]} belongs to {owner}, not to {mover}")


def wrong_number_of_players(count: int) -> Violation:
    """A table of fewer than two or more than four."""
    return _violation("R4", f"a game has two to four players; this one has {count}")


def shared_seat() -> Violation:
    """Two players of one colour."""
    return _violation("R4", "each player has a colour of their own; two of these share one")


def shared_name() -> Violation:
    """Two seats of one player."""
    return _violation("R4", "each player has one seat; one of these has two")


def stranger_begins() -> Violation:
    """A first player who does not play."""
    return _violation("R4", "one of the players begins, not somebody outside this game")


def out_of_turn(game: Game, player_id: str) -> Violation:
    """A roll or a move by another player than the one in turn."""
    other = _colour_of(game.players, player_id)
    return _violation("R4", f"it is the turn of {_in_turn(game)}, not of {other}")


def wrong_successor(game: Game, seat: int, player_id: str) -> Violation:
    """A turn given to another player than the next."""
    right, wrong = COLORS[seat].value, _colour_of(game.players, player_id)
    return _violation("R4", f"after {_in_turn(game)} the turn goes to {right}, not to {wrong}")


def void_roll(game: Game, limit: int) -> Violation:
    """A move made with the 6 that is one too many."""
    return _violation(
        "R12", f"6 number {limit} in a row is void; {_in_turn(game)} makes no move with it"
    )


def nothing_to_move(game: Game) -> Violation:
    """A move made with a roll that allows none."""
    return _violation("R11", f"{_in_turn(game)} has no legal move with a {game.board.dice}")


def no_roll(game: Game) -> Violation:
    """A move without a roll."""
    return _violation("R5", f"{_in_turn(game)} has no roll to move by")


def impossible_roll(value: int) -> Violation:
    """A number that is not on the die."""
    return _violation("R5", f"a die shows 1 to 6, not {value}")


def move_owed(game: Game) -> Violation:
    """A second roll while the first is still to be moved."""
    return _violation("R5", f"{_in_turn(game)} moves by the {game.board.dice} before rolling again")


def may_not_pass(game: Game) -> Violation:
    """A turn passed although a move was legal."""
    return _violation("R5", f"{_in_turn(game)} can move by the {game.board.dice} and may not pass")


def stays_in_yard(piece: int, dice: int, position: int) -> Violation:
    """A piece that leaves the yard without a 6, or to another position than 0."""
    found = f"the roll was {dice}" if dice != 6 else f"{position} is not its place"
    return _violation(
        "R6", f"{PIECE_IDS[piece]} leaves the yard only on a 6, to position 0; {found}"
    )


def already_home(piece: int) -> Violation:
    """A piece that moves though it is home."""
    return _violation("R7", f"{PIECE_IDS[piece]} is home and does not move")


def overshoots(piece: int, start: int, dice: int) -> Violation:
    """A roll that is too large for the way that is left."""
    return _violation(
        "R7", f"{PIECE_IDS[piece]} is {HOME - start} from home, by exact count; the roll was {dice}"
    )


def inexact(piece: int, start: int, dice: int, position: int) -> Violation:
    """A move by another number than the roll."""
    return _violation(
        "R7",
        f"{PIECE_IDS[piece]} moves from {start} by exactly the {dice}, "
        f"to {start + dice} and not to {position}",
    )


def blocked(piece: int, square: int) -> Violation:
    """A move onto or past a block."""
    return _violation("R8", f"{PIECE_IDS[piece]} cannot reach or pass the block on square {square}")


def roll_owed(game: Game) -> Violation:
    """A turn passed although a roll was due."""
    return _violation("R10", f"{_in_turn(game)} has a roll to make before the turn passes")


def no_further_roll(game: Game) -> Violation:
    """A roll by a player whose turn is to pass."""
    return _violation("R10", f"{_in_turn(game)} has no further roll; the turn passes")


def not_over(game: Game) -> Violation:
    """An end announced too early."""
    due = game.board.due or Due.END
    return _violation("R13", f"the game is not over; {_in_turn(game)} is to {due.value}")


def end_owed(winner: int) -> Violation:
    """A game that goes on though it is over."""
    return _violation(
        "R13", f"the game is over and {COLORS[winner].value} has won; only its end is due"
    )


def wrong_winner(game: Game, winner: int, player_id: str) -> Violation:
    """An end that names another winner."""
    wrong = _colour_of(game.players, player_id)
    return _violation("R13", f"{COLORS[winner].value} has won, not {wrong}")


def wrong_placements(game: Game, order: Iterable[int], player_ids: Iterable[str]) -> Violation:
    """An end that places the players in another order."""
    right = ", ".join(COLORS[seat].value for seat in order)
    wrong = ", ".join(_colour_of(game.players, player_id) for player_id in player_ids) or "nobody"
    return _violation("R14", f"the placements are {right}; not {wrong}")
