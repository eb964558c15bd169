"""The games of one client: what gets into its queue, and what is dropped."""

import json
from dataclasses import replace
from typing import Any

import pytest

from proxy.relay.effects import Join
from proxy.relay.frames import Frame
from proxy.relay.listener import Fresh, Fresher, NoSuchGame, Over
from proxy.relay.news import Delta
from proxy.relay.outbox import Outbox
from proxy.relay.subscriptions import Subscriptions
from tests.relay.builders import LIMITS, caught_up, delta, deltas, place, renewed

ENDED = Frame('{"t":"ended"}', 13)
FULL = Frame("x" * 65_537, 65_537)


class Desk:
    """Subscriptions with one game that was asked for, and their queue."""

    def __init__(self, **limits: Any) -> None:
        self.outbox = Outbox(replace(LIMITS, **limits))
        self.subs = Subscriptions(self.outbox, replace(LIMITS, **limits))
        self.subs.subscribe("g", None, 1)

    def told(self, *told: Any) -> "Desk":
        """Let the room say these."""
        for each in told:
            self.subs.tell("g", each, 0.0)
        return self

    def hear(self, first: int, last: int, **more: Any) -> "Desk":
        """Let the game go on."""
        for each in deltas(first, last):
            self.subs.advance("g", replace(each, **more), 0.0)
        return self

    def written(self) -> list[Any]:
        """What the client gets: the sequence of deltas, the kind of everything else."""
        items = iter(self.outbox.pop, None)
        return [short(item.text) for item in items]


def short(text: str) -> Any:
    """`d` as its sequence, `snap` and `live` with what matters."""
    frame = json.loads(text) if text.startswith("{") else {"t": text[:1]}
    match frame:
        case {"t": "d", "seq": seq}:
            return seq
        case {"t": "snap", "seq": seq, "why": why}:
            return f"snap {seq} {why}"
        case {"t": "live", "seq": seq, "recovered": recovered, "replayed": replayed}:
            return f"live {seq} {recovered} {replayed} {frame.get('id')}"
        case {"t": kind}:
            return kind


def test_a_snapshot_is_followed_by_live_and_deltas() -> None:
    """The first `live` after a snapshot recovered nothing."""
    desk = Desk().told(renewed(4)).hear(5, 6)

    assert desk.written() == ["snap 4 initial", "live 4 False 0 1", 5, 6]


def test_a_replay_is_followed_by_live_that_counts_it() -> None:
    """Nothing is sent twice."""
    desk = Desk().told(caught_up(6, *deltas(4, 6))).hear(5, 8)

    assert desk.written() == [4, 5, 6, "live 6 True 3 1", 7, 8]


def test_every_request_is_answered_once() -> None:
    """Several asked for the same game before the room could answer."""
    desk = Desk()
    desk.subs.subscribe("g", place(3), "two")
    desk.told(renewed(4)).told(renewed(9))

    assert desk.written() == ["snap 9 initial", "live 9 False 0 1", "live 9 False 0 two"]


def test_deltas_wait_for_the_answer() -> None:
    """Before the room has answered nothing is passed on, for the answer covers it."""
    desk = Desk().hear(1, 3)

    assert desk.written() == []


def test_a_hole_is_never_passed_on() -> None:
    """It cannot happen; if it does, a snapshot follows rather than a wrong board."""
    desk = Desk().told(renewed(4))
    desk.written()
    desk.subs.advance("g", delta(6), 0.0)

    assert desk.written() == []
    assert desk.subs.drained() == Join("g", Fresh("slow"))


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (delta(5), [5]),
        (delta(4), []),
        (delta(3), []),
        (delta(6), None),
        (delta(5, "other"), None),
        (delta(4, "other"), None),
        (delta(1, "other"), None),
    ],
)
def test_only_the_next_delta_is_passed_on(came: Delta, expected: list[int] | None) -> None:
    """At 4: 5 is, what was seen is dropped, and anything else is made up for by a snapshot."""
    desk = Desk().told(renewed(4))
    desk.written()
    desk.subs.advance("g", came, 0.0)

    assert desk.written() == (expected or [])
    assert desk.subs.tips() == ({} if expected is None else {"g": 4 + len(expected)})
    assert desk.subs.owes == (expected is None)


@pytest.mark.parametrize(
    "came", [delta(4), delta(6), delta(5, "other"), delta(5, game="h"), delta(1)]
)
def test_nothing_but_the_next_delta_is_taken_unqueued(came: Delta) -> None:
    """And what is not taken changes nothing."""
    desk = Desk().told(renewed(4))
    desk.subs.subscribe("waiting", None, 2)

    assert not desk.subs.take(json.loads(came.text)["game"], came)
    assert not desk.subs.take("waiting", delta(5))
    assert desk.subs.tips() == {"g": 4}
    assert desk.subs.take("g", delta(5))
    assert desk.subs.tips() == {"g": 5}


def test_a_slow_reader_gets_one_snapshot_when_drained() -> None:
    """Queued deltas go, later ones are not queued, and the snapshot makes up for all."""
    desk = Desk().told(caught_up(0))
    desk.written()
    desk.hear(1, 64)
    assert desk.subs.tips() == {"g": 64}
    desk.hear(65, 80)
    assert desk.written() == []
    assert desk.subs.tips() == {}

    assert desk.subs.drained() == Join("g", Fresh("slow"))
    assert desk.subs.drained() is None
    assert desk.told(renewed(80)).hear(81, 81).written() == ["snap 80 initial", 81]


def test_requests_whose_answer_was_dropped_are_answered_later() -> None:
    """A `live` that was never written is owed after the snapshot."""
    desk = Desk(backlog_frames=1).told(caught_up(2, *deltas(1, 2))).hear(3, 4)
    assert desk.written() == []
    desk.subs.drained()

    assert desk.told(renewed(4)).written() == ["snap 4 initial", "live 4 False 0 1"]


def test_a_dropped_snapshot_is_made_up_for_under_its_own_reason() -> None:
    """Why a client gets a snapshot does not change because it was slow to take it."""
    desk = Desk(backlog_frames=1).told(renewed(2)).hear(3, 4)

    assert desk.subs.drained() == Join("g", Fresh("initial"))


def test_an_answer_waits_until_a_full_queue_has_drained() -> None:
    """At most one answer more than the bound is ever queued."""
    desk = Desk()
    desk.outbox.push_control(FULL, 0.0)
    desk.told(caught_up(3, *deltas(1, 3))).hear(4, 5)

    assert desk.written() == ["x"]
    assert desk.subs.drained() == Join("g", Fresh("slow"))


def test_a_newer_snapshot_replaces_what_is_queued() -> None:
    """Whatever comes of a game after a resync, nothing from before it is still worth sending."""
    desk = Desk().told(renewed(4)).hear(5, 6).told(renewed(2, "new"))

    assert desk.written() == ["snap 2 initial", "live 2 False 0 1"]


def test_deltas_of_another_epoch_are_not_mixed_in() -> None:
    """A place is compared whole."""
    desk = Desk().told(renewed(4))
    desk.subs.advance("g", delta(5, "other"), 0.0)

    assert desk.subs.tips() == {}


def test_freshness_is_told_while_live() -> None:
    """A lagging client will read it in its snapshot."""
    mirror = Fresher(Frame('{"t":"mirror"}', 14))

    assert Desk().told(mirror).written() == []
    assert Desk().told(caught_up(1), mirror).written() == ["live 1 True 0 1", "mirror"]


def test_the_end_follows_the_last_delta() -> None:
    """Then the subscription is over."""
    desk = Desk().told(caught_up(1)).hear(2, 2).told(Over(ENDED))

    assert desk.written() == ["live 1 True 0 1", 2, "ended"]
    assert "g" not in desk.subs


@pytest.mark.parametrize("told", [renewed(4, over=True), caught_up(4, over=True)])
def test_a_finished_game_is_brought_to_the_tip_first(told: Any) -> None:
    """State, `live`, `ended`, and nothing more."""
    desk = Desk().told(told)

    assert desk.written()[-2:] == [f"live 4 {told.__class__.__name__ == 'CaughtUp'} 0 1", "ended"]
    assert len(desk.subs) == 0


def test_an_end_that_was_dropped_with_its_deltas_is_made_up_for() -> None:
    """A client never hears of an end that it has not seen."""
    desk = Desk().told(caught_up(0))
    desk.written()
    desk.hear(1, 64).told(Over(ENDED))
    desk.subs.subscribe("h", None, 2)
    desk.subs.tell("h", caught_up(0), 0.0)
    desk.subs.advance("h", delta(1), 0.0)
    assert "ended" not in desk.written()
    assert desk.subs.drained() == Join("g", Fresh("slow"))

    assert desk.told(renewed(64, over=True)).written() == ["snap 64 initial", "ended"]


def test_an_unknown_game_is_refused_to_everybody_who_asked() -> None:
    """One error a request; a game that vanished while lagging is taken away."""
    desk = Desk()
    desk.subs.subscribe("g", None, 2)
    assert desk.told(NoSuchGame()).written() == ["err", "err"]

    desk = Desk(backlog_frames=0).told(caught_up(0))
    desk.written()
    desk.hear(1, 1)
    desk.subs.drained()
    assert desk.told(NoSuchGame()).written() == ["unsub"]
    assert len(desk.subs) == 0


def test_leaving_drops_what_is_queued() -> None:
    """After `ok` nothing of the game comes."""
    desk = Desk().told(renewed(4)).hear(5, 9)
    desk.subs.unsubscribe("g")

    assert desk.hear(10, 11).written() == []
