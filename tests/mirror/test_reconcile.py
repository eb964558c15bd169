"""What a fetched snapshot does to a mirror."""

from dataclasses import replace

from ludo.mirror.body import from_body
from ludo.mirror.mirror import Mirror
from ludo.mirror.reconcile import Behind, Confirmed, Replaced, reconcile
from ludo.mirror.snapshot import Snapshot, Status
from ludo.rules.ruleset import RuleSet
from tests.mirror.builders import EPOCH, GAME, a_history, body_after, mirror_after, snapshot_after

HISTORY = a_history()
NEW = "epoch-2"


def test_older_state_is_discarded() -> None:
    """S < m changes nothing."""
    assert reconcile(mirror_after(HISTORY[:9]), snapshot_after(HISTORY[:8]), NEW) == Behind()


def test_equal_state_confirms() -> None:
    """S = m and equal is freshness only, whatever `connected` says."""
    mirror = mirror_after(HISTORY[:9])
    told = replace(snapshot_after(HISTORY[:9]), connected=frozenset())

    assert isinstance(reconcile(mirror, told, NEW), Confirmed)


def test_different_state_replaces_with_a_new_epoch() -> None:
    """S = m and different: what was pushed is wrong."""
    mirror = mirror_after(HISTORY[:9])
    told = replace(snapshot_after(HISTORY[:9]), updated_at="2000-01-01T00:00:00.000Z")

    assert reconcile(mirror, told, NEW) == Replaced(Mirror(NEW, told, floor=9), "epoch")


def test_newer_state_replaces_and_keeps_the_epoch() -> None:
    """S > m goes on where the numbering was."""
    told = snapshot_after(HISTORY[:20])

    expected = Replaced(Mirror(EPOCH, told, floor=20), "gap")
    assert reconcile(mirror_after(HISTORY[:9]), told, NEW) == expected


def test_game_without_mirror_begins_with_the_snapshot() -> None:
    """No mirror: the snapshot is the first state."""
    told = snapshot_after(HISTORY[:20])
    assert reconcile(None, told, NEW) == Replaced(Mirror(NEW, told, floor=20), "initial")


def test_game_that_has_not_started_gives_no_mirror() -> None:
    """A waiting game has nothing to mirror."""
    waiting = Snapshot(GAME, "", Status.WAITING, (), "")
    assert reconcile(None, waiting, NEW) == Behind()


def test_final_state_puts_right_who_was_in_turn() -> None:
    """It decides nothing any more, but a reader sees it; the place has another body then."""
    true = snapshot_after(HISTORY)
    (game,) = true.games
    board = game.board._replace(turn=next(s for s in game.board.seats if s != game.board.turn))
    false = game._replace(board=board)
    mirror = Mirror(EPOCH, replace(true, games=(false,)))

    assert true.over
    assert reconcile(mirror, true, NEW) == Confirmed(Mirror(NEW, true))


def test_complete_state_completes_a_provisional_mirror() -> None:
    """What the mirror left open is known after an equal and complete state."""
    body = body_after(HISTORY[:9]) | {"phase": None, "consecutiveSixes": None}
    mirror = Mirror(EPOCH, from_body(body, RuleSet()), floor=9)
    assert mirror.snapshot.provisional

    reconciled = reconcile(mirror, snapshot_after(HISTORY[:9]), NEW)

    assert isinstance(reconciled, Confirmed)
    assert not reconciled.mirror.snapshot.provisional
    assert reconciled.mirror.epoch == NEW


def test_place_names_one_body() -> None:
    """Who is connected is not taken from an equal state: nobody would be told of it."""
    mirror = mirror_after(HISTORY[:9])
    told = replace(snapshot_after(HISTORY[:9]), connected=frozenset())

    assert reconcile(mirror, told, NEW) == Confirmed(mirror)
