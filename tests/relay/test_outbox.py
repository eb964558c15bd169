"""The queue of one socket."""

from dataclasses import replace

from proxy.relay.frames import Frame
from proxy.relay.outbox import Item, Kind, Outbox
from tests.relay.builders import LIMITS


def queued(outbox: Outbox, game: str, times: int = 1, *, size: int = 10, at: float = 0.0) -> None:
    """Queue deltas of a game."""
    for n in range(times):
        outbox.push(Item(f"{game}{n}", size, Kind.DELTA, at, game))


def test_frames_leave_in_the_order_they_came() -> None:
    """Whatever their kind."""
    outbox = Outbox(LIMITS)
    queued(outbox, "a", 2)
    outbox.push_control(Frame("bye", 3), 0.0)

    assert outbox.size == 23
    assert [item.text for item in iter(outbox.pop, None)] == ["a0", "a1", "bye"]
    assert (outbox.size, len(outbox)) == (0, 0)


def test_a_game_is_behind_beyond_64_frames() -> None:
    """64 may wait; with one more, the game with most bytes has to give way."""
    outbox = Outbox(LIMITS)
    queued(outbox, "quiet", 4)
    queued(outbox, "busy", 60)
    assert outbox.behind(0.0) is None
    queued(outbox, "quiet")

    assert outbox.behind(0.0) == "busy"


def test_a_game_is_behind_beyond_64_kib() -> None:
    """Bytes of every kind count, but only deltas can give way."""
    outbox = Outbox(LIMITS)
    outbox.push_control(Frame("x", 65_530), 0.0)
    assert outbox.behind(0.0) is None
    queued(outbox, "a")

    assert outbox.full
    assert outbox.behind(0.0) == "a"


def test_a_game_is_behind_after_a_second() -> None:
    """Even a single delta is not delivered a second late."""
    outbox = Outbox(LIMITS)
    outbox.push_control(Frame("x", 1), 0.0)
    queued(outbox, "a", at=5.0)

    assert outbox.behind(6.0) is None
    assert outbox.behind(6.1) == "a"


def test_a_replay_does_not_count_as_being_behind() -> None:
    """Who asked for 64 deltas at once is not slow for getting them."""
    outbox = Outbox(replace(LIMITS, backlog_frames=2))
    for n in range(9):
        outbox.push(Item(str(n), 10, Kind.REPLAY, 0.0, "a"))
    queued(outbox, "a", 2)

    assert outbox.behind(0.5) is None


def test_dropping_a_game_leaves_the_others_and_the_answers() -> None:
    """What goes is returned, so that nothing is forgotten."""
    outbox = Outbox(LIMITS)
    queued(outbox, "a", 2)
    queued(outbox, "b", 1)
    outbox.push_control(Frame("ok", 2), 0.0)

    assert [item.text for item in outbox.drop("a")] == ["a0", "a1"]
    assert outbox.size == 12
    assert [item.text for item in iter(outbox.pop, None)] == ["b0", "ok"]
