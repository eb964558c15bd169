"""The steps of a game (R4, R5, R9–R13, R15)."""

import pytest

from ludo.rules import engine
from ludo.rules.board import Board, Due
from ludo.rules.ruleset import GameMode, RuleSet
from tests.rules.builders import DEFAULT, board

NO_EXTRAS = RuleSet(
    extra_turn_on_six=False, extra_turn_on_capture=False, extra_turn_on_finish=False
)
PLAY_ON = RuleSet(play_on=True)


def moved(at: Board, piece: int, position: int, rules: RuleSet = DEFAULT) -> Board:
    """The board after a move, without the list of captures."""
    return engine.move(at, piece, position, rules)[0]


@pytest.mark.parametrize("mode", [GameMode.CLASSIC, GameMode.RANKED])
def test_r4_all_pieces_start_in_the_yard(mode: GameMode) -> None:
    """The first player is about to roll; seats are kept in seat order."""
    assert engine.start(mode, (3, 1), 3, DEFAULT) == board(seats=(1, 3), turn=3, mode=mode)


def test_r15_quick_starts_with_piece_0_of_each_player_on_position_0() -> None:
    """Only the seats in play have a piece out."""
    assert engine.start(GameMode.QUICK, (0, 2), 2, DEFAULT) == board(
        red=(0,), blue=(0,), seats=(0, 2), turn=2, mode=GameMode.QUICK
    )


def test_r5_a_roll_with_a_legal_move_makes_a_move_due() -> None:
    """The dice stay on the board until the move."""
    assert engine.roll(board(red=(4,)), 3, DEFAULT) == board(red=(4,), due=Due.MOVE, dice=3)


@pytest.mark.parametrize(("value", "sixes"), [(3, 0), (6, 1)])
def test_r11_a_roll_without_a_legal_move_makes_the_turn_pass(value: int, sixes: int) -> None:
    """A 6 too, and it is counted: it is not void."""
    at = engine.roll(board(red=(55, 55, 55, 55)), value, DEFAULT)

    assert (at.due, at.dice, at.sixes) == (Due.PASS, value, sixes)


def test_r12_the_third_six_in_a_row_is_void() -> None:
    """No move is due though one would be legal, and the count is back to 0."""
    at = engine.roll(board(red=(4,), sixes=2), 6, DEFAULT)

    assert (at.due, at.dice, at.sixes) == (Due.PASS, 6, 0)
    assert at.pieces == board(red=(4,)).pieces


def test_r12_a_third_six_without_a_legal_move_is_void_too() -> None:
    """R12 comes before R11."""
    at = engine.roll(board(red=(55, 55, 55, 55), sixes=2), 6, DEFAULT)

    assert (at.due, at.dice, at.sixes) == (Due.PASS, 6, 0)


@pytest.mark.parametrize("sixes", [0, 1])
def test_r12_the_first_two_sixes_are_counted_and_moved(sixes: int) -> None:
    """Before the third one a 6 is a roll like any other."""
    at = engine.roll(board(sixes=sixes), 6, DEFAULT)

    assert (at.due, at.sixes) == (Due.MOVE, sixes + 1)


def test_r12_a_roll_that_is_no_six_starts_the_count_again() -> None:
    """6, 6, 5, 6 is not three in a row."""
    assert engine.roll(board(red=(4,), sixes=2), 5, DEFAULT).sixes == 0


@pytest.mark.parametrize(("limit", "sixes"), [(1, 0), (2, 1), (4, 3)])
def test_r12_the_limit_is_a_switch(limit: int, sixes: int) -> None:
    """The last 6 that the switch allows is the void one, the one before it is not."""
    rules = RuleSet(max_consecutive_sixes=limit)

    assert engine.roll(board(sixes=sixes), 6, rules).due is Due.PASS
    if sixes:
        assert engine.roll(board(sixes=sixes - 1), 6, rules).due is Due.MOVE


def test_r12_switched_off_no_six_is_counted() -> None:
    """With max_consecutive_sixes 0 any number of them may be moved."""
    at = engine.roll(board(), 6, RuleSet(max_consecutive_sixes=0))

    assert (at.due, at.dice, at.sixes) == (Due.MOVE, 6, 0)


def test_r7_a_move_puts_the_piece_and_takes_the_dice() -> None:
    """After a move nothing is on the die, and the turn is to pass."""
    at = board(red=(4,), due=Due.MOVE, dice=3)

    assert engine.move(at, 0, 7, DEFAULT) == (board(red=(7,), due=Due.PASS), ())


def test_r9_everything_of_other_colours_on_the_square_goes_back() -> None:
    """Two greens and a blue on square 15 are sent to their yards at once; blue elsewhere stays."""
    at = board(red=(13,), green=(2, 5, 2), blue=(41, 42), due=Due.MOVE, dice=2)

    after, captured = engine.move(at, 0, 15, DEFAULT)

    assert captured == (4, 6, 8)
    assert after == board(red=(15,), green=(-1, 5, -1), blue=(-1, 42), due=Due.ROLL)


def test_r9_own_pieces_are_not_captured() -> None:
    """Landing on one's own piece makes two that share a square."""
    at = board(red=(13, 15), due=Due.MOVE, dice=2)

    assert engine.move(at, 0, 15, DEFAULT) == (board(red=(15, 15), due=Due.PASS), ())


@pytest.mark.parametrize(("position", "green"), [(8, 47), (13, 0), (21, 8), (26, 13)])
def test_r3_nothing_is_captured_on_a_safe_square(position: int, green: int) -> None:
    """Red lands beside green there."""
    at = board(red=(position - 1,), green=(green,), due=Due.MOVE, dice=1)

    assert engine.move(at, 0, position, DEFAULT)[1] == ()


def test_r3_nothing_is_captured_on_a_start_by_leaving_the_yard() -> None:
    """A piece of another colour on one's start stays there."""
    at = board(green=(39,), due=Due.MOVE, dice=6, sixes=1)

    assert engine.move(at, 0, 0, DEFAULT)[1] == ()


def test_r3_nothing_is_captured_on_home_columns_or_at_home() -> None:
    """Equal positions of two colours there are different places."""
    at = board(red=(50, 55), green=(52, 56), due=Due.MOVE, dice=2)

    assert engine.move(at, 0, 52, DEFAULT)[1] == ()
    assert engine.move(board(red=(55,), green=(56,), due=Due.MOVE, dice=1), 0, 56, DEFAULT)[1] == ()


def test_r9_yards_are_not_on_the_square_behind_a_start() -> None:
    """A piece in the yard is nowhere, also when the arithmetic would put it on the track."""
    at = board(red=(11,), green=(-1,), due=Due.MOVE, dice=1)

    assert engine.move(at, 0, 12, DEFAULT)[1] == ()


def test_r10_a_move_with_a_six_earns_a_roll() -> None:
    """The same player rolls on and the count of sixes stays."""
    at = board(due=Due.MOVE, dice=6, sixes=1)

    assert moved(at, 0, 0) == board(red=(0,), due=Due.ROLL, sixes=1)
    assert moved(at, 0, 0, RuleSet(extra_turn_on_six=False)).due is Due.PASS


def test_r10_a_capture_earns_a_roll() -> None:
    """The switch is for the roll; the capture stands either way."""
    at = board(red=(13,), green=(2,), due=Due.MOVE, dice=2)

    assert moved(at, 0, 15).due is Due.ROLL
    assert moved(at, 0, 15, RuleSet(extra_turn_on_capture=False)).due is Due.PASS


def test_r10_a_piece_that_comes_home_earns_a_roll() -> None:
    """As long as it is not the last one."""
    at = board(red=(54,), due=Due.MOVE, dice=2)

    assert moved(at, 0, 56).due is Due.ROLL
    assert moved(at, 0, 56, RuleSet(extra_turn_on_finish=False)).due is Due.PASS


def test_r10_without_the_switches_nothing_earns_a_roll() -> None:
    """A 6 that brings a piece home is followed by the next player."""
    assert moved(board(red=(50,), due=Due.MOVE, dice=6, sixes=1), 0, 56, NO_EXTRAS).due is Due.PASS


def test_r13_the_first_to_bring_all_home_ends_the_game() -> None:
    """R13 before R10: the winning move earns no roll."""
    at = board(red=(56, 56, 56, 50), due=Due.MOVE, dice=6, sixes=1)
    after = moved(at, 3, 56)

    assert (after.due, after.finishers, after.dice) == (Due.END, (0,), None)


def test_r13_three_pieces_home_are_not_enough() -> None:
    """The fourth decides."""
    after = moved(board(red=(56, 56, 50), due=Due.MOVE, dice=6, sixes=1), 2, 56)

    assert (after.due, after.finishers) == (Due.ROLL, ())


@pytest.mark.parametrize("rules", [DEFAULT, RuleSet(play_on=True, extra_turn_on_six=False)])
def test_r15_in_quick_the_first_piece_home_wins(rules: RuleSet) -> None:
    """Between two players the game is over then, with play_on too."""
    at = board(red=(55, 3), seats=(0, 2), mode=GameMode.QUICK, due=Due.MOVE, dice=1)

    assert (moved(at, 0, 56, rules).due, moved(at, 0, 56, rules).finishers) == (Due.END, (0,))


def test_r13_with_play_on_the_others_go_on() -> None:
    """Who has finished does not roll again, though a 6 brought the piece home (R18)."""
    at = board(red=(56, 56, 56, 50), due=Due.MOVE, dice=6, sixes=1)
    after = moved(at, 3, 56, PLAY_ON)

    assert (after.due, after.finishers) == (Due.PASS, (0,))


def test_r13_with_play_on_the_game_ends_when_one_seat_is_left() -> None:
    """The last player is placed without finishing."""
    at = board(blue=(56, 56, 56, 55), seats=(0, 1, 2), turn=2, due=Due.MOVE, dice=1, finishers=(1,))
    after = moved(at, 11, 56, PLAY_ON)

    assert (after.due, after.finishers) == (Due.END, (1, 2))


@pytest.mark.parametrize(("turn", "follower"), [(0, 2), (2, 3), (3, 0)])
def test_r4_the_turn_goes_round_in_seat_order_among_the_seats_in_play(
    turn: int, follower: int
) -> None:
    """Empty seats are passed over; after the last seat comes the first."""
    at = board(seats=(0, 2, 3), turn=turn, due=Due.PASS, dice=6, sixes=2)

    assert engine.pass_turn(at) == board(seats=(0, 2, 3), turn=follower)


def test_r13_finished_seats_are_skipped() -> None:
    """With play_on the turn passes over who has finished, and they stay in the list."""
    at = board(turn=0, due=Due.PASS, finishers=(2, 1))

    assert engine.pass_turn(at) == board(turn=3, finishers=(2, 1))


def test_r13_after_the_end_nothing_is_due() -> None:
    """The board stays as it was, with nothing on the die."""
    at = board(red=(56,) * 4, due=Due.END, finishers=(0,))

    assert engine.end(at) == board(red=(56,) * 4, due=None, finishers=(0,))
