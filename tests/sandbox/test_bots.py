"""How bots choose."""

from random import Random

from ludo.rules.board import Board, Due
from ludo.rules.engine import start
from ludo.rules.moves import Move, legal_moves
from ludo.rules.ruleset import GameMode, RuleSet
from sandbox.bots import BOTS, choose


class NoWhim(Random):
    """A chance that never has a bot play on a whim."""

    def random(self) -> float:
        return 0.99


def a_board(pieces: dict[int, int], dice: int) -> Board:
    """Red and green; red has to move by the roll, pieces standing where it is told."""
    board = start(GameMode.CLASSIC, (0, 1), 0, RuleSet())
    placed = tuple(pieces.get(n, -1) for n in range(16))
    return board._replace(pieces=placed, due=Due.MOVE, dice=dice)


def chosen(board: Board) -> Move:
    return choose(board, legal_moves(board, RuleSet()), NoWhim())


def test_a_bot_captures_when_it_can() -> None:
    """Green stands on square 15, two before red's second piece and far behind the first."""
    assert chosen(a_board({0: 30, 1: 13, 4: 2}, dice=2)) == Move(1, 15)


def test_a_bot_brings_home_rather_than_out() -> None:
    """Home is worth more than a new piece on the track."""
    assert chosen(a_board({0: 50}, dice=6)) == Move(0, 56)


def test_a_bot_leaves_the_yard_with_a_six() -> None:
    """A piece in the yard wins no game."""
    assert chosen(a_board({0: 20}, dice=6)).position == 0


def test_the_same_chance_chooses_the_same() -> None:
    """Whims follow from the seed too, and there are some."""
    board = a_board({0: 10, 1: 20, 2: 31}, dice=2)
    moves = legal_moves(board, RuleSet())
    one, same = Random(3), Random(3)

    choices = [choose(board, moves, one) for _ in range(50)]

    assert choices == [choose(board, moves, same) for _ in range(50)]
    assert len(set(choices)) > 1


def test_bots_have_names_of_their_own() -> None:
    """No two are confused."""
    assert len(set(BOTS)) == len(BOTS)
