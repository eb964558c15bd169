"""Every way to break a clause, the clause that names it, and the sentence (R16, R17)."""

from dataclasses import replace

import pytest

from ludo.rules.board import Board, Due
from ludo.rules.events import Ended, Event, Moved, Player, Rolled, Started, TurnChanged
from ludo.rules.referee import Ruling, Violation, judge
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import Color
from tests.rules.builders import DEFAULT, board, game, player, started

RED, GREEN, BLUE, YELLOW = (f"player-{color.value}" for color in Color)
NEXT = 11
ROLL = board(red=(4,))
MOVE = board(red=(4,), due=Due.MOVE, dice=3)
PASS = board(red=(4,), due=Due.PASS)
STUCK = board(due=Due.PASS, dice=3)
STUCK_SIX = board(red=(55,) * 4, due=Due.PASS, dice=6, sixes=1)
VOID = board(red=(4,), due=Due.PASS, dice=6)
WON = board(red=(56,) * 4, green=(56,), due=Due.END, finishers=(0,))
OVER = WON._replace(due=None)
TWO = board(red=(4,), seats=(0, 2), due=Due.MOVE, dice=3)


def refusal(on: Board, event: Event, rules: RuleSet = DEFAULT) -> str:
    """The sentence with which an event on a board is refused; its clause comes first in it."""
    verdict = judge(game(on), event, rules)
    assert isinstance(verdict, Violation)
    assert verdict.sentence.startswith(f"{verdict.clause}: ")
    return verdict.sentence


def first_refusal(event: Event) -> str:
    """The sentence with which a first event is refused."""
    verdict = judge(None, event, DEFAULT)
    assert isinstance(verdict, Violation)
    assert verdict.sentence.startswith(f"{verdict.clause}: ")
    return verdict.sentence


def test_r16_a_start_begins_a_game() -> None:
    """The players are kept in seat order, whatever order they come in (R4)."""
    verdict = judge(None, started((3, 0, 1), first=3), DEFAULT)

    assert isinstance(verdict, Ruling)
    assert verdict.game.sequence == 1
    assert verdict.game.players == (player(0), player(1), player(3))
    assert verdict.game.board == board(seats=(0, 1, 3), turn=3)
    assert verdict.captured == ()


@pytest.mark.parametrize("mode", list(GameMode))
@pytest.mark.parametrize("count", [2, 3, 4])
def test_r4_two_to_four_players_make_a_game(mode: GameMode, count: int) -> None:
    """In every mode."""
    seats = tuple(range(count))

    assert isinstance(judge(None, started(seats, mode=mode), DEFAULT), Ruling)


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (Rolled(1, RED, 6), "R16: the game has not begun; its first event is game:started."),
        (Ended(5, RED, (RED,)), "R16: the game has not begun; its first event is game:started."),
        (
            replace(started((0,)), sequence=2),
            "R16: a game begins with event 1; this start is event 2.",
        ),
        (started((0,)), "R4: a game has two to four players; this one has 1."),
        (
            Started(1, GameMode.CLASSIC, (*map(player, range(4)), player(0)), RED),
            "R4: a game has two to four players; this one has 5.",
        ),
        (
            Started(1, GameMode.CLASSIC, (player(0), Player("x", "X", Color.RED)), RED),
            "R4: each player has a colour of their own; two of these share one.",
        ),
        (
            Started(1, GameMode.CLASSIC, (player(0), Player(RED, "X", Color.BLUE)), RED),
            "R4: each player has one seat; one of these has two.",
        ),
        (
            replace(started((0, 1)), current=BLUE),
            "R4: one of the players begins, not somebody outside this game.",
        ),
    ],
)
def test_r4_r16_what_cannot_begin_a_game_is_refused(event: Event, sentence: str) -> None:
    """The first event is a start with sequence 1, of two to four different players."""
    assert first_refusal(event) == sentence


@pytest.mark.parametrize("sequence", [0, 1, 10, 12])
@pytest.mark.parametrize("on", [ROLL, OVER])
def test_r16_a_sequence_that_is_not_the_next_comes_before_everything(
    on: Board, sequence: int
) -> None:
    """A duplicate, an older one and a later one are refused, whatever else is wrong with them."""
    for event in (
        Rolled(sequence, RED, 3),
        Moved(sequence, "nobody", "pink-9", 99),
        TurnChanged(sequence, GREEN),
        Ended(sequence, RED, ()),
        replace(started(), sequence=sequence),
    ):
        assert refusal(on, event) == f"R16: event 11 is next; this is event {sequence}."


@pytest.mark.parametrize(
    "event",
    [
        Rolled(NEXT, RED, 3),
        Moved(NEXT, RED, "red-0", 7),
        TurnChanged(NEXT, GREEN),
        Ended(NEXT, RED, (RED, GREEN, BLUE, YELLOW)),
        replace(started(), sequence=NEXT),
    ],
)
def test_r16_nothing_follows_the_end(event: Event) -> None:
    """Of any kind."""
    assert refusal(OVER, event) == "R16: the game is over; nothing follows its end."


def test_r16_a_game_does_not_begin_again() -> None:
    """Not even with the next sequence."""
    event = replace(started(), sequence=NEXT)

    assert refusal(ROLL, event) == "R16: the game has begun already and does not begin again."


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (
            Moved(NEXT, RED, "red-4", 7),
            "R2: no piece is called 'red-4'; they are red-0 to yellow-3.",
        ),
        (
            Moved(NEXT, RED, "x" * 1000, 7),
            "R2: no piece is called 'xxxxxxxxxxxxxxxxxxxx'; they are red-0 to yellow-3.",
        ),
        (
            Moved(NEXT, RED, "red-0", 57),
            "R2: there is no position 57; they go from -1 (yard) to 56 (home).",
        ),
        (
            Moved(NEXT, RED, "red-0", -2),
            "R2: there is no position -2; they go from -1 (yard) to 56 (home).",
        ),
        (
            Moved(NEXT, GREEN, "green-0", 7),
            "R2: nobody plays green in this game, so green-0 stays.",
        ),
        (Moved(NEXT, RED, "blue-1", 7), "R2: blue-1 belongs to blue, not to red."),
        (Moved(NEXT, BLUE, "red-0", 7), "R2: red-0 belongs to red, not to blue."),
        (
            Moved(NEXT, "x", "red-0", 7),
            "R2: red-0 belongs to red, not to somebody outside this game.",
        ),
    ],
)
def test_r2_impossible_pieces_and_positions_and_foreign_pieces(event: Event, sentence: str) -> None:
    """What cannot be on the board is named before whose turn it is."""
    assert refusal(TWO, event) == sentence
    assert refusal(TWO._replace(turn=2, due=Due.PASS, dice=None), event) == sentence


@pytest.mark.parametrize("on", [ROLL, MOVE, PASS, STUCK, VOID, WON])
def test_r4_only_the_player_in_turn_rolls_and_moves(on: Board) -> None:
    """Whatever is due, and whatever the roll or the move would be."""
    sentence = "R4: it is the turn of red, not of blue."

    assert refusal(on, Rolled(NEXT, BLUE, 9)) == sentence
    assert refusal(on, Moved(NEXT, BLUE, "blue-0", 0)) == sentence
    assert refusal(on, Rolled(NEXT, "x", 1)) == (
        "R4: it is the turn of red, not of somebody outside this game."
    )


@pytest.mark.parametrize("on", [ROLL, MOVE, PASS, STUCK, VOID, WON])
@pytest.mark.parametrize("wrong", ["red", "blue", "yellow"])
def test_r4_the_turn_goes_to_the_next_seat(on: Board, wrong: str) -> None:
    """Whatever is due, another next player is the first thing wrong."""
    assert refusal(on, TurnChanged(NEXT, f"player-{wrong}")) == (
        f"R4: after red the turn goes to green, not to {wrong}."
    )


def test_r4_the_turn_goes_to_nobody_outside_the_game() -> None:
    """A stranger is not the next player."""
    assert refusal(PASS, TurnChanged(NEXT, "x")) == (
        "R4: after red the turn goes to green, not to somebody outside this game."
    )


@pytest.mark.parametrize("limit", [1, 3])
def test_r12_a_void_six_is_not_moved(limit: int) -> None:
    """The move is refused although the 6 would allow it, and although it would be too far."""
    rules = RuleSet(max_consecutive_sixes=limit)
    sentence = f"R12: 6 number {limit} in a row is void; red makes no move with it."

    assert refusal(VOID, Moved(NEXT, RED, "red-0", 10), rules) == sentence
    assert refusal(VOID, Moved(NEXT, RED, "red-0", 11), rules) == sentence


@pytest.mark.parametrize(
    ("on", "rules", "dice"),
    [
        (STUCK, DEFAULT, 3),
        (STUCK_SIX, DEFAULT, 6),
        (STUCK_SIX._replace(sixes=0), RuleSet(max_consecutive_sixes=0), 6),
    ],
)
def test_r11_no_piece_moves_when_none_can(on: Board, rules: RuleSet, dice: int) -> None:
    """A 6 without a legal move is no void 6 unless it is one too many."""
    assert refusal(on, Moved(NEXT, RED, "red-0", 7), rules) == (
        f"R11: red has no legal move with a {dice}."
    )


@pytest.mark.parametrize("on", [ROLL, PASS, WON])
def test_r5_no_piece_moves_without_a_roll(on: Board) -> None:
    """Before the roll, and again after the move that it allowed."""
    assert refusal(on, Moved(NEXT, RED, "red-0", 7)) == "R5: red has no roll to move by."


@pytest.mark.parametrize("on", [ROLL, MOVE, PASS, WON])
@pytest.mark.parametrize("value", [0, 7, -1])
def test_r5_a_die_shows_one_to_six(on: Board, value: int) -> None:
    """Another number is wrong whether or not a roll is due."""
    assert refusal(on, Rolled(NEXT, RED, value)) == f"R5: a die shows 1 to 6, not {value}."


def test_r5_a_roll_is_moved_before_the_next_one() -> None:
    """The player in turn rolls once."""
    assert refusal(MOVE, Rolled(NEXT, RED, 1)) == "R5: red moves by the 3 before rolling again."


def test_r5_there_is_no_choosing_to_pass() -> None:
    """With a legal move the turn does not go on, though the next player is the right one."""
    assert refusal(MOVE, TurnChanged(NEXT, GREEN)) == "R5: red can move by the 3 and may not pass."


@pytest.mark.parametrize(
    ("dice", "position", "found"),
    [(4, 0, "the roll was 4"), (4, 3, "the roll was 4"), (6, 5, "5 is not its place")],
)
def test_r6_a_piece_leaves_the_yard_only_on_a_six_to_position_0(
    dice: int, position: int, found: str
) -> None:
    """Without a 6, or to another place, it stays."""
    on = board(red=(4,), due=Due.MOVE, dice=dice)

    assert refusal(on, Moved(NEXT, RED, "red-2", position)) == (
        f"R6: red-2 leaves the yard only on a 6, to position 0; {found}."
    )


@pytest.mark.parametrize("position", [-1, 0, 4, 6, 8, 56])
def test_r7_a_piece_moves_by_exactly_the_roll(position: int) -> None:
    """Not one more or less, not backwards, and not by staying."""
    assert refusal(MOVE, Moved(NEXT, RED, "red-0", position)) == (
        f"R7: red-0 moves from 4 by exactly the 3, to 7 and not to {position}."
    )


@pytest.mark.parametrize("position", [54, 56])
def test_r7_home_is_reached_by_exact_count(position: int) -> None:
    """A roll that is too large moves the piece not at all, not even a part of the way."""
    on = board(red=(53, 4), due=Due.MOVE, dice=4)

    assert refusal(on, Moved(NEXT, RED, "red-0", position)) == (
        "R7: red-0 is 3 from home, by exact count; the roll was 4."
    )


@pytest.mark.parametrize("position", [-1, 0, 56])
def test_r7_a_piece_at_home_does_not_move(position: int) -> None:
    """Nor is staying there a move."""
    on = board(red=(56, 4), due=Due.MOVE, dice=6)

    assert refusal(on, Moved(NEXT, RED, "red-0", position)) == (
        "R7: red-0 is home and does not move."
    )


@pytest.mark.parametrize("dice", [2, 3])
def test_r8_a_block_is_neither_passed_nor_landed_on(dice: int) -> None:
    """With the switch on; without it the same move is legal."""
    on = board(red=(13, 0), green=(2, 2), due=Due.MOVE, dice=dice)
    event = Moved(NEXT, RED, "red-0", 13 + dice)

    assert refusal(on, event, RuleSet(blocks=True)) == (
        "R8: red-0 cannot reach or pass the block on square 15."
    )
    assert isinstance(judge(game(on), event, DEFAULT), Ruling)


def test_r7_the_distance_is_named_before_the_block() -> None:
    """R7 comes before R8."""
    on = board(red=(13, 0), green=(2, 2), due=Due.MOVE, dice=3)
    sentence = refusal(on, Moved(NEXT, RED, "red-0", 15), RuleSet(blocks=True))

    assert sentence.startswith("R7: ")


def test_r9_a_ruling_names_the_captured_pieces() -> None:
    """They are not announced; the engine derives them."""
    on = board(red=(13,), green=(2, 2), blue=(41,), due=Due.MOVE, dice=2)
    verdict = judge(game(on), Moved(NEXT, RED, "red-0", 15), DEFAULT)

    assert verdict == Ruling(
        game(board(red=(15,), due=Due.ROLL), sequence=NEXT), ("green-0", "green-1", "blue-0")
    )


@pytest.mark.parametrize(("position", "clause"), [(18, "R6"), (0, "R6")])
def test_r9_a_captured_piece_does_not_move_from_where_it_stood(position: int, clause: str) -> None:
    """It is in its yard, and R6 says so."""
    on = board(red=(15,), green=(-1, 5), turn=1, due=Due.MOVE, dice=3)

    assert refusal(on, Moved(NEXT, GREEN, "green-0", position)).startswith(clause)


@pytest.mark.parametrize("on", [ROLL, board(red=(4,), sixes=1)])
def test_r10_the_turn_does_not_pass_while_a_roll_is_due(on: Board) -> None:
    """Neither the first roll of a turn nor a further one is left out."""
    assert refusal(on, TurnChanged(NEXT, GREEN)) == (
        "R10: red has a roll to make before the turn passes."
    )


@pytest.mark.parametrize("on", [PASS, STUCK, STUCK_SIX, VOID])
def test_r10_nobody_rolls_on_when_the_turn_is_to_pass(on: Board) -> None:
    """After a move without a reason, a roll without a move, or a void 6."""
    assert refusal(on, Rolled(NEXT, RED, 2)) == "R10: red has no further roll; the turn passes."


def test_r18_who_has_finished_does_not_roll_again() -> None:
    """With play_on the last piece home earns no roll, not even by a 6."""
    rules = RuleSet(play_on=True)
    on = board(red=(56, 56, 56, 50), due=Due.MOVE, dice=6, sixes=1)
    verdict = judge(game(on), Moved(NEXT, RED, "red-3", 56), rules)

    assert isinstance(verdict, Ruling)
    assert refusal(verdict.game.board, Rolled(NEXT, RED, 2), rules).startswith("R10: ")
    assert isinstance(
        judge(verdict.game._replace(sequence=10), TurnChanged(NEXT, GREEN), rules), Ruling
    )


@pytest.mark.parametrize(
    ("on", "due"), [(ROLL, "roll"), (MOVE, "move"), (PASS, "pass"), (VOID, "pass")]
)
def test_r13_a_game_does_not_end_before_somebody_has_won(on: Board, due: Due | None) -> None:
    """Whatever else is due."""
    event = Ended(NEXT, RED, (RED, GREEN, BLUE, YELLOW))

    assert refusal(on, event) == f"R13: the game is not over; red is to {due}."


@pytest.mark.parametrize("event", [Rolled(NEXT, RED, 2), TurnChanged(NEXT, GREEN)])
def test_r13_a_game_that_is_won_only_ends(event: Event) -> None:
    """No further roll follows the winning move, and no turn."""
    assert refusal(WON, event) == "R13: the game is over and red has won; only its end is due."


@pytest.mark.parametrize(
    ("winner", "name"), [(GREEN, "green"), ("x", "somebody outside this game")]
)
def test_r13_the_winner_is_who_finished_first(winner: str, name: str) -> None:
    """A wrong winner is named before wrong placements."""
    assert refusal(WON, Ended(NEXT, winner, ())) == f"R13: red has won, not {name}."


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ((), "nobody"),
        ((RED,), "red"),
        ((RED, BLUE, GREEN, YELLOW), "red, blue, green, yellow"),
        ((RED, GREEN, BLUE, "x"), "red, green, blue, somebody outside this game"),
        ((RED, GREEN, BLUE, YELLOW, RED), "red, green, blue, yellow, red"),
    ],
)
def test_r14_the_placements_list_all_players_in_order(order: tuple[str, ...], found: str) -> None:
    """Nobody is missing, doubled, strange or in another's place."""
    assert refusal(WON, Ended(NEXT, RED, order)) == (
        f"R14: the placements are red, green, blue, yellow; not {found}."
    )


def test_r14_the_right_end_ends_the_game() -> None:
    """Nothing is due after it."""
    verdict = judge(game(WON), Ended(NEXT, RED, (RED, GREEN, BLUE, YELLOW)), DEFAULT)

    assert verdict == Ruling(game(OVER, sequence=NEXT))
