"""Events taken at their word (LUDO_REFEREE=observe and off)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from ludo.rules.board import Due, Game
from ludo.rules.events import Ended, Event, Moved, Rolled, TurnChanged
from ludo.rules.placements import winner
from ludo.rules.referee import announce
from ludo.rules.ruleset import RuleSet
from ludo.rules.track import HOME, YARD
from tests.rules.builders import DEFAULT, board, game, started
from tests.rules.strategies import any_events, games, rule_sets

RED, GREEN, BLUE = "player-red", "player-green", "player-blue"


def told(on: Game, event: Event) -> Game:
    """The game after an announcement."""
    return announce(on, event, DEFAULT).game


def test_a_roll_out_of_turn_gives_its_player_the_turn() -> None:
    """What is due follows from that player's pieces, and the sixes are counted from there."""
    on = game(board(red=(4,), green=(9,), sixes=2))

    assert told(on, Rolled(11, GREEN, 6)) == game(
        board(red=(4,), green=(9,), turn=1, due=Due.MOVE, dice=6, sixes=1), 11
    )


def test_a_roll_of_nobody_here_is_that_of_the_player_in_turn() -> None:
    """An unknown id leaves the turn where it was."""
    on = game(board(red=(4,), due=Due.PASS))

    assert told(on, Rolled(11, "x", 2)) == game(board(red=(4,), due=Due.MOVE, dice=2), 11)


def test_a_piece_stands_where_it_was_put_and_captures_there() -> None:
    """By whatever way it came; the capture earns a roll as always."""
    on = game(board(red=(13,), green=(2, 2), due=Due.MOVE, dice=6, sixes=1))
    ruling = announce(on, Moved(11, RED, "red-0", 15), RuleSet(extra_turn_on_six=False))

    assert ruling.captured == ("green-0", "green-1")
    assert ruling.game == game(board(red=(15,), sixes=1), 11)


def test_a_move_out_of_turn_gives_its_player_the_turn() -> None:
    """With the move made, that player's turn is to pass."""
    on = game(board(red=(4,), due=Due.MOVE, dice=6, sixes=1))

    assert told(on, Moved(11, BLUE, "blue-1", 3)) == game(
        board(red=(4,), blue=(-1, 3), turn=2, due=Due.PASS), 11
    )


def test_a_piece_may_be_put_back_into_its_yard() -> None:
    """The yard is a position like any other; nothing is captured there."""
    on = game(board(red=(4,), due=Due.MOVE, dice=3))

    assert announce(on, Moved(11, RED, "red-0", -1), DEFAULT).game.board == board(due=Due.PASS)


def test_a_piece_taken_out_of_home_takes_its_player_off_the_finishers() -> None:
    """Who has three pieces home has not finished."""
    on = game(board(red=(56,) * 4, blue=(56,) * 4, turn=2, due=Due.END, finishers=(0, 2)))
    after = told(on, Moved(11, RED, "red-0", 12))

    assert (after.board.of(0), after.board.finishers) == ((12, 56, 56, 56), (2,))


def test_a_piece_kept_at_home_earns_no_roll() -> None:
    """Only coming home does."""
    on = game(board(red=(56, 4), due=Due.MOVE, dice=3))

    assert told(on, Moved(11, RED, "red-0", 56)).board.due is Due.PASS


@pytest.mark.parametrize(
    "event",
    [
        Moved(11, BLUE, "red-9", 3),
        Moved(11, BLUE, "blue-0", 57),
        Moved(11, BLUE, "blue-0", -2),
        Moved(11, BLUE, "green-0", 3),
        replace(started(), sequence=11),
    ],
)
def test_what_this_board_cannot_show_changes_only_the_sequence(event: Event) -> None:
    """An unknown piece or position, a piece of an empty seat, a second start."""
    on = game(board(red=(4,), seats=(0, 2), due=Due.MOVE, dice=3))

    assert announce(on, event, DEFAULT).game == on._replace(sequence=11)


@pytest.mark.parametrize(
    "event",
    [Rolled(11, RED, 3), TurnChanged(11, GREEN), Moved(11, RED, "red-0", 3), Ended(11, GREEN, ())],
)
def test_after_the_end_only_the_sequence_changes(event: Event) -> None:
    """A game that is over stays over."""
    on = game(board(red=(56,) * 4, due=None, finishers=(0,)))

    assert announce(on, event, DEFAULT).game == on._replace(sequence=11)


@pytest.mark.parametrize(("current", "turn"), [(BLUE, 2), (RED, 0), ("x", 0)])
def test_the_turn_goes_to_whom_it_was_given(current: str, turn: int) -> None:
    """The roll is due next; an unknown id leaves the turn where it was."""
    on = game(board(red=(4,), due=Due.MOVE, dice=6, sixes=1, finishers=(1,)))

    assert told(on, TurnChanged(11, current)) == game(
        board(red=(4,), turn=turn, finishers=(1,)), 11
    )


@pytest.mark.parametrize(
    ("announced", "finishers"), [(BLUE, (2, 0)), (RED, (0, 2)), ("x", (0, 2)), (GREEN, (1, 0, 2))]
)
def test_an_announced_end_ends_the_game_with_its_winner(
    announced: str, finishers: tuple[int, ...]
) -> None:
    """The winner comes first, also one who had not finished; nothing is on the die."""
    on = game(board(red=(4,), due=Due.MOVE, dice=3, finishers=(0, 2)))
    after = told(on, Ended(11, announced, ()))

    assert after == game(board(red=(4,), due=None, finishers=finishers), 11)
    assert winner(after.board) == finishers[0]


@settings(deadline=None)
@given(on=games(), event=any_events(), rules=rule_sets())
def test_any_event_leaves_a_sound_game(on: Game, event: Event, rules: RuleSet) -> None:
    """Announcing never raises: positions exist, finishers play, the turn belongs to a player."""
    after = announce(on, event, rules).game

    assert after.sequence == event.sequence
    assert after.players == on.players
    assert after.board.turn in after.board.seats
    assert set(after.board.finishers) <= set(after.board.seats)
    assert len(set(after.board.finishers)) == len(after.board.finishers)
    assert len(after.board.pieces) == 16
    assert all(YARD <= position <= HOME for position in after.board.pieces)
