"""One game at its table."""

from itertools import count, pairwise
from random import Random

import pytest

from ludo.mirror.body import to_body
from ludo.rules.events import Ended, Rolled, TurnChanged
from ludo.rules.ruleset import GameMode
from ludo.rules.verdict import Violation
from sandbox.clock import iso
from tests.sandbox.builders import a_table, judged, play_out, step


@pytest.mark.parametrize("mode", list(GameMode))
@pytest.mark.parametrize("players", [2, 3, 4])
def test_a_whole_game_is_legal(mode: GameMode, players: int) -> None:
    """Every event is the one that the rules call for, from 1 without holes to the end."""
    table = play_out(a_table(players=players, mode=mode))

    assert [each.event.sequence for each in table.log] == list(range(1, len(table.log) + 1))
    assert judged(table.log) == table.game
    assert isinstance(table.log[-1].event, Ended)
    assert table.winner == table.log[-1].event.winner


def test_the_same_seed_plays_the_same_game() -> None:
    """Dice and choices follow from their seeds."""
    events = [[each.event for each in play_out(a_table(seed)).log] for seed in (1, 1, 2)]

    assert events[0] == events[1] != events[2]


def test_events_are_never_dated_back() -> None:
    """A clock that is set back does not show."""
    moments = count(5_000, -1)
    table = play_out(a_table(now=lambda: next(moments)))

    assert all(one.at <= other.at for one, other in pairwise(table.log))


def test_a_refused_roll_costs_no_throw() -> None:
    """Somebody who rolls out of turn does not change what falls next."""
    table, undisturbed = a_table(), a_table()
    other = next(p.id for p in table.game.players if p.id != table.current.id)

    refused = table.roll(other)
    table.roll(table.current.id)
    undisturbed.roll(undisturbed.current.id)

    assert isinstance(refused, Violation)
    assert refused.clause == "R4"
    assert [e.event for e in table.log] == [e.event for e in undisturbed.log]


def test_an_illegal_move_changes_nothing() -> None:
    """It is answered by the clause that it breaks."""
    table = a_table()

    refused = table.move(table.current.id, "red-0", 99)

    assert isinstance(refused, Violation)
    assert table.sequence == 1


def test_asking_moves_nothing() -> None:
    """`why_not` says what a move would break and leaves the game alone."""
    table = a_table()

    asked = table.why_not(table.current.id, "red-0", 5)

    assert asked is not None
    assert table.sequence == 1


def test_a_roll_without_a_move_passes_the_turn() -> None:
    """What follows by itself comes with the roll, in order (R11, R16)."""
    table = a_table(mode=GameMode.CLASSIC)
    choices = Random(1)
    turn = step(table, choices)
    while len(turn.happened) < 2:
        turn = step(table, choices)

    rolled, passed = (each.event for each in turn.happened)

    assert isinstance(rolled, Rolled)
    assert isinstance(passed, TurnChanged)


def test_the_state_is_dated_by_its_last_event() -> None:
    """`updatedAt` is the time of the event with that sequence."""
    moments = count(1_000)
    table = a_table(now=lambda: next(moments))
    step(table, Random(1))

    body = to_body(table.snapshot("gm_1", "ROOM01", frozenset({"plr_0"})))

    assert body["sequence"] == table.sequence
    assert body["updatedAt"] == iso(table.log[-1].at)
    assert [player["connected"] for player in body["players"]] == [True, False]
