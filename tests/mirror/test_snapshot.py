"""When two snapshots are the same state."""

from dataclasses import replace

from ludo.mirror.body import from_body
from ludo.mirror.snapshot import Snapshot, Status, agree
from ludo.rules.board import Due
from ludo.rules.ruleset import RuleSet
from tests.mirror.builders import a_history, body_after, snapshot_after

HISTORY = a_history()
HERE = snapshot_after(HISTORY[:9])


def with_board(snapshot: Snapshot, **changes: object) -> Snapshot:
    """The snapshot with another board."""
    (game,) = snapshot.games
    return replace(snapshot, games=(game._replace(board=game.board._replace(**changes)),))


def test_connected_is_no_part_of_equality() -> None:
    """Who is connected says nothing about the game."""
    assert agree(HERE, replace(HERE, connected=frozenset()))


def test_time_of_the_last_event_is_part_of_equality() -> None:
    """Another time is another event, unless one of the two does not know it."""
    assert not agree(HERE, replace(HERE, updated_at="2000-01-01T00:00:00.000Z"))
    assert agree(HERE, replace(HERE, updated_at=""))


def test_one_piece_elsewhere_is_another_state() -> None:
    """Every position counts."""
    pieces = list(HERE.games[0].board.pieces)
    pieces[5] = 33
    assert not agree(HERE, with_board(HERE, pieces=tuple(pieces)))


def test_sixes_count_only_while_the_turn_goes_on() -> None:
    """R12 counts within a turn, so bodies may differ in it once the turn is to pass."""
    passing = with_board(HERE, due=Due.PASS, dice=6)
    assert agree(passing, with_board(passing, sixes=2))
    rolling = with_board(HERE, due=Due.ROLL, dice=None)
    assert not agree(rolling, with_board(rolling, sixes=2))


def test_finished_game_has_nobody_in_turn() -> None:
    """After the end, whose turn a body names means nothing."""
    over = snapshot_after(HISTORY)
    assert over.over
    assert agree(over, with_board(over, turn=(over.games[0].board.turn + 1) % 4))


def test_what_a_body_leaves_open_agrees_with_any_value() -> None:
    """A provisional snapshot agrees with each of the games that it may be."""
    body = body_after(HISTORY[:9]) | {"phase": None, "consecutiveSixes": None}
    provisional = from_body(body, RuleSet())

    assert provisional.provisional
    assert agree(provisional, HERE)
    assert agree(HERE, provisional)


def test_game_that_waits_is_at_sequence_zero() -> None:
    """Nothing has happened in it."""
    assert Snapshot("g", "", Status.WAITING, (), "").sequence == 0
