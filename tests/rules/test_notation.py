"""A game as a line of text: written from its events, and played again from the text."""

import pytest

from ludo.rules.board import Due
from ludo.rules.notation import NotationError, record, replay
from ludo.rules.ruleset import GameMode, RuleSet
from tests.rules.builders import DEFAULT, play_game
from tests.rules.test_games import SWITCHES, judged, named


@pytest.mark.parametrize("rules", SWITCHES, ids=named)
def test_a_replay_of_the_notation_is_the_game_that_was_played(rules: RuleSet) -> None:
    """The board and the sequence are those of the events, after each of them."""
    events = play_game(4, GameMode.QUICK, 3, rules)
    for end in (*range(1, len(events), 7), len(events)):
        played, again = judged(events[:end], rules), replay(record(events[:end]), rules)
        assert (again.board, again.sequence) == (played.board, played.sequence)


def test_the_notation_can_be_read() -> None:
    """A start, a move, passed turns, a 6 with its further roll, and a roll that moves nothing."""
    game = replay("quick red*,blue 3.0 / 6.1 2.1 / 5.0 /", DEFAULT)

    assert (game.board.of(0)[0], game.board.of(2)[:2]) == (8, (0, 2))
    assert (game.board.turn, game.board.due, game.sequence) == (2, Due.ROLL, 12)
    assert [player.id for player in game.players] == ["red", "blue"]


def test_the_seats_are_written_in_their_order() -> None:
    """With the star behind the one that begins; the end is a step of its own."""
    text = record(play_game(5, GameMode.QUICK, seats=(2, 0)))

    assert text.startswith(("quick red*,blue ", "quick red,blue* "))
    assert text.endswith(" #")


def test_all_four_may_play() -> None:
    """Each is named for the colour."""
    game = replay("classic red,green,blue*,yellow", DEFAULT)

    assert [player.name for player in game.players] == ["Red", "Green", "Blue", "Yellow"]
    assert game.board.turn == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("classic red*,blue 5.0", "step 2 (5.0): R11: red has no legal move with a 5."),
        ("classic red*,blue 5 5", "step 3 (5): R10: red has no further roll; the turn passes."),
        ("classic red*,blue /", "step 2 (/): R10: red has a roll to make before the turn passes."),
        ("classic red*,blue #", "step 2 (#): R13: the game is not over; red is to roll."),
        ("quick red*,blue 3.1", "step 2 (3.1): R6: red-1 leaves the yard only on a 6"),
        ("quick red*,blue 3.4", "step 2 (3.4): R2: no piece is called 'red-4'"),
        ("quick red*,blue 7", "step 2 (7): R5: a die shows 1 to 6, not 7."),
        ("quick red*,red", "step 1 (quick red*,red): R4: each player has a colour of their own"),
        ("quick red*", "step 1 (quick red*): R4: a game has two to four players; this one has 1."),
        ("quick red*,blue 3.0.1", "step 2 (3.0.1): expected a roll as 5, a move as 5.0, / or #"),
        ("quick red*,blue 3.", "step 2 (3.): expected a roll as 5, a move as 5.0, / or #"),
        ("quick red*,blue x", "step 2 (x): expected a roll as 5, a move as 5.0, / or #"),
        ("quick red*,blue X", "step 2 (X): expected a roll as 5, a move as 5.0, / or #"),
        ("quick red*,blue /.0", "step 2 (/.0): expected a roll as 5, a move as 5.0, / or #"),
        ("quick red,blue", "step 1: expected classic|quick|ranked and two to four of red,green,"),
        ("quick red*,blue*", "step 1: expected classic|quick|ranked and two to four of "),
        ("quick red*,pink", "step 1: expected classic|quick|ranked and two to four of "),
        ("slow red*,blue", "a star behind the one that begins; found 'slow red*,blue'"),
        ("quick", "found 'quick'"),
        ("", "found ''"),
    ],
)
def test_a_text_that_tells_no_legal_game_is_refused_at_its_step(text: str, reason: str) -> None:
    """With the clause where one is broken, else with what was expected."""
    with pytest.raises(NotationError) as refused:
        replay(text, DEFAULT)
    assert reason in str(refused.value)
