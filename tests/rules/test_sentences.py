"""What people read when the rules refuse something."""

import pytest

from ludo.rules import sentences
from ludo.rules.board import Due
from ludo.rules.verdict import Violation
from tests.rules.builders import board, game, player_id

HERE = game(board(red=(5,), due=Due.MOVE, dice=4))
ALL = [
    sentences.not_begun(),
    sentences.out_of_sequence(7, 9),
    sentences.after_the_end(),
    sentences.unknown_piece("purple-9"),
    sentences.foreign_piece(HERE, 4, player_id(0)),
    sentences.out_of_turn(HERE, player_id(1)),
    sentences.move_owed(HERE),
    sentences.stays_in_yard(2, 4, 0),
    sentences.overshoots(0, 54, 4),
    sentences.inexact(0, 5, 4, 8),
    sentences.blocked(0, 9),
    sentences.not_over(HERE),
]


@pytest.mark.parametrize("violation", ALL)
def test_sentence_begins_with_its_clause_and_ends(violation: Violation) -> None:
    """The clause comes first and the sentence is one, so it can be shown as it is."""
    assert violation.sentence.startswith(f"{violation.clause}: ")
    assert violation.sentence.endswith(".")
    assert "\n" not in violation.sentence


def test_players_are_named_by_their_colour() -> None:
    """A person knows the colours on the board, not the ids behind them."""
    sentence = sentences.out_of_turn(HERE, player_id(1)).sentence

    assert "green" in sentence
    assert "red" in sentence
    assert player_id(1) not in sentence


def test_refused_move_tells_the_roll() -> None:
    """Whoever moved wrongly sees what was rolled and what was asked for."""
    sentence = sentences.inexact(0, 5, 4, 8).sentence

    assert "red-0" in sentence
    assert all(number in sentence for number in ("4", "8"))


def test_stranger_text_is_cut() -> None:
    """A hostile name does not fill a log."""
    assert len(sentences.unknown_piece("x" * 5_000).sentence) < 200
