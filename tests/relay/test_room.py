"""One game in one process, without Redis."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.relay.listener import CaughtUp, Fresh, Fresher, NoSuchGame, Over, Renewed, Resume
from proxy.relay.news import Delta, Freshness, Replaced
from proxy.relay.room import Fill, Load, Open, Room
from tests.relay.builders import (
    LIMITS,
    Recorder,
    caught_up,
    delta,
    deltas,
    final_delta,
    place,
    snapshot,
)


def opened(tip: int = 5, *listeners: Recorder) -> Room:
    """A room at a tip, with its feed and whoever listens."""
    room = Room("g", LIMITS)
    room.tuned = True
    for listener in listeners:
        room.join(listener, Resume(None), 0.0)
    room.open(snapshot(tip), deltas(1, tip), 0.0)
    return room


def whys(listener: Recorder) -> list[str]:
    """Why this listener got snapshots."""
    return [told.why for told in listener.told if isinstance(told, Renewed)]


def test_a_room_opens_when_it_is_heard_and_wanted() -> None:
    """Not before the channel is subscribed to: what is published meanwhile would be missed."""
    room = Room("g", LIMITS)
    room.join(Recorder(), Resume(None), 0.0)
    assert room.chore() is None
    room.tuned = True

    assert room.chore() == Open()


def test_what_is_heard_while_opening_is_not_lost() -> None:
    """Deltas older than the mirror are dropped, newer ones follow it."""
    listener, room = Recorder(), Room("g", LIMITS)
    room.tuned = True
    room.join(listener, Resume(None), 0.0)
    for each in deltas(4, 7):
        room.hear(each, 0.0)
    room.open(snapshot(5), [], 0.0)

    assert (whys(listener), listener.deltas) == (["initial"], [6, 7])
    assert room.chore() is None


def test_a_delta_goes_to_everybody_once() -> None:
    """The next is passed on; what came before is dropped."""
    one, two = Recorder(), Recorder()
    room = opened(5, one, two)
    for each in (delta(6), delta(6), delta(3), delta(7)):
        room.hear(each, 0.0)

    assert one.deltas == two.deltas == [6, 7]


def test_a_hole_is_filled_from_the_feed() -> None:
    """What is heard meanwhile waits, and is not passed on twice."""
    listener = Recorder()
    room = opened(5, listener)
    room.hear(delta(8), 0.0)
    assert room.chore() == Fill(place(5))
    room.hear(delta(9), 0.0)
    room.fill(deltas(6, 8), 0.0)

    assert (listener.deltas, whys(listener)) == ([6, 7, 8, 9], ["initial"])
    assert room.chore() is None


def test_a_hole_that_the_feed_cannot_fill_is_a_gap() -> None:
    """A resync has dropped the feed: everybody gets the mirror."""
    listener = Recorder()
    room = opened(5, listener)
    room.hear(delta(8), 0.0)
    room.fill([delta(8)], 0.0)
    assert room.chore() == Load(place(5))
    room.load(snapshot(8), place(5), 0.0)
    room.hear(delta(9), 0.0)

    assert (whys(listener), listener.deltas) == (["initial", "gap"], [9])


def test_a_replaced_mirror_is_loaded() -> None:
    """Of another epoch, or further on; news of where we are already is old."""
    listener = Recorder()
    room = opened(5, listener)
    room.hear(Replaced(place(5)), 0.0)
    assert room.chore() is None
    room.hear(Replaced(place(5, "new")), 0.0)
    assert room.chore() == Load(place(5))
    room.load(snapshot(5, "new"), place(5), 0.0)
    room.hear(delta(6), 0.0)
    assert room.chore() == Load(place(5, "new"))
    room.load(snapshot(5, "new"), place(5, "new"), 0.0)

    assert (whys(listener), listener.deltas) == (["initial", "epoch"], [])


def test_the_audit_finds_what_was_not_heard() -> None:
    """A tip ahead, behind, elsewhere; equal or merely newer than the reading is fine."""
    for tip, chore in [
        (place(5), None),
        (place(6), Fill(place(5))),
        (place(4), Load(place(5))),
        (place(5, "new"), Load(place(5))),
        (None, None),
    ]:
        room = opened(5, Recorder())
        room.audit(place(5), tip, 0.0)
        assert room.chore() == chore

    room = opened(5, Recorder())
    room.hear(delta(6), 0.0)
    room.audit(place(5), place(5), 0.0)
    assert room.chore() is None


def test_a_tip_that_went_backwards_is_ahead_for_everybody() -> None:
    """The mirror wins; nobody keeps an event that never was."""
    listener = Recorder()
    room = opened(5, listener)
    room.audit(place(5), place(3), 0.0)
    room.load(snapshot(3), place(5), 0.0)

    assert whys(listener) == ["initial", "ahead"]
    assert room.place == place(3)


def test_a_mirror_that_is_newer_than_our_link_changes_nothing_for_the_others() -> None:
    """Who needs a snapshot gets it; what it is ahead by still comes over the link."""
    listener, fresh = Recorder(), Recorder()
    room = opened(5, listener)
    room.hear(delta(6), 0.0)
    room.join(fresh, Fresh("slow"), 0.0)
    assert room.chore() == Load(place(6))
    room.load(snapshot(8), place(6), 0.0)
    for each in deltas(7, 9):
        room.hear(each, 0.0)

    assert whys(listener) == ["initial"]
    assert listener.deltas == [6, 7, 8, 9]
    assert whys(fresh) == ["slow"]
    assert room.chore() is None


def test_a_mirror_that_the_game_has_passed_while_it_was_read_is_not_behind() -> None:
    """The deltas since complete it; nobody else hears of it."""
    listener, fresh = Recorder(), Recorder()
    room = opened(5, listener)
    room.hear(delta(6), 0.0)
    room.join(fresh, Fresh("slow"), 0.0)
    room.hear(delta(7), 0.0)
    room.load(snapshot(6), place(6), 0.0)

    assert whys(listener) == ["initial"]
    assert (whys(fresh), fresh.deltas) == (["slow"], [7])


def test_a_lost_link_holds_everything_back_until_the_audit() -> None:
    """What comes over a new link may not be the next, though it looks so."""
    listener = Recorder()
    room = opened(5, listener)
    room.deafen()
    assert room.chore() is None
    room.tuned = True
    room.hear(delta(6), 0.0)
    assert (listener.deltas, room.chore()) == ([], None)
    room.audit(place(5), place(6), 0.0)
    assert room.chore() == Fill(place(5))
    room.fill([delta(6)], 0.0)

    assert listener.deltas == [6]


def test_nothing_was_missed_over_a_short_loss() -> None:
    """The tip is where we are: go on without reading anything."""
    listener = Recorder()
    room = opened(5, listener)
    room.deafen()
    room.tuned = True
    room.audit(place(5), place(5), 0.0)
    room.hear(delta(6), 0.0)

    assert listener.deltas == [6]


def test_whoever_asks_during_a_doubt_is_answered_after_it() -> None:
    """And stands where everybody else does."""
    listener, late = Recorder(), Recorder()
    room = opened(5, listener)
    room.hear(delta(7), 0.0)
    room.join(late, Resume(place(5)), 0.0)
    assert late.told == []
    room.fill(deltas(6, 7), 0.0)

    assert late.last == caught_up(7, *deltas(6, 7))
    assert listener.deltas == [6, 7]


def test_who_is_ahead_of_us_has_the_feed_read() -> None:
    """Our link was slower than his: everybody profits."""
    listener, quick = Recorder(), Recorder()
    room = opened(5, listener)
    room.join(quick, Resume(place(6)), 0.0)
    assert room.chore() == Fill(place(5))
    room.fill([delta(6)], 0.0)

    assert quick.last == CaughtUp(place(6), (), None)
    assert listener.deltas == [6]


def test_the_end_is_told_and_nobody_listens_any_more() -> None:
    """A delta that only mentions the end ends nothing."""
    listener = Recorder()
    room = opened(5, listener)
    room.hear(replace(delta(6), may_end=True), 0.0)
    assert not room.idle
    room.hear(final_delta(7), 0.0)

    assert isinstance(listener.last, Over)
    assert listener.deltas == [6, 7]
    assert room.idle


def test_freshness_is_told_and_kept() -> None:
    """Newcomers read it in the snapshot, though the place is the same."""
    listener, late = Recorder(), Recorder()
    room = opened(5, listener)
    room.hear(Freshness(place(5), 77, stale=True), 0.0)
    room.join(late, Resume(None), 0.0)

    assert isinstance(listener.last, Fresher)
    assert isinstance(late.last, Renewed)
    assert '"asOf":77,"stale":true' in late.last.snap.text


def test_a_game_that_nobody_knows_is_refused() -> None:
    """The next one who asks has it looked for again."""
    listener, room = Recorder(), Room("g", LIMITS)
    room.tuned = True
    room.join(listener, Resume(None), 0.0)
    room.absent(0.0)

    assert listener.told == [NoSuchGame()]
    assert room.idle


def test_a_mirror_that_vanished_is_missed_only_by_who_needs_it() -> None:
    """Those who listen keep what they have; the returning game has another epoch."""
    listener, late = Recorder(), Recorder()
    room = opened(5, listener)
    room.hear(delta(6), 0.0)
    room.join(late, Fresh("resync"), 0.0)
    room.load(None, place(6), 0.0)
    assert late.told == [NoSuchGame()]
    room.hear(delta(1, "new"), 0.0)
    room.load(snapshot(1, "new"), place(6), 0.0)

    assert whys(listener) == ["initial", "epoch"]


class Source:
    """The truth that a room follows: one epoch after another, each with a feed since a resync."""

    def __init__(self) -> None:
        self.epochs = 0
        self.seq = 3
        self.fed_from = 0

    @property
    def epoch(self) -> str:
        """The present epoch."""
        return f"e{self.epochs}"

    def advance(self) -> Delta:
        """One event."""
        self.seq += 1
        return delta(self.seq, self.epoch)

    def resync(self, skip: int) -> Replaced:
        """A resync that skips events, or rewrites what is there under a new epoch."""
        self.epochs += skip == 0
        self.seq += skip
        self.fed_from = self.seq
        return Replaced(place(self.seq, self.epoch))

    def feed(self, after: int, epoch: str) -> list[Delta]:
        """What the feed holds."""
        if epoch != self.epoch:
            return []
        return deltas(max(after, self.fed_from) + 1, self.seq, epoch)


class Follower(Recorder):
    """A listener that checks the promise: snapshots, and between them no hole and no repeat."""

    at = place(0)

    def advance(self, game: str, delta: Delta, now: float) -> None:
        """The next one above, or below a snapshot that was ahead of the link."""
        assert delta.place.epoch == self.at.epoch
        assert delta.place.seq <= self.at.seq + 1
        self.at = max(self.at, delta.place, key=lambda each: each.seq)

    def tell(self, game: str, told: object, now: float) -> None:
        """A snapshot puts us anywhere."""
        if isinstance(told, Renewed | CaughtUp):
            self.at = told.place


steps = st.sampled_from(["advance", "lose", "skip", "rewrite", "deafen", "chore", "join", "audit"])


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=40))
def test_a_room_converges_whatever_is_lost(story: list[str]) -> None:
    """Lost and late messages, resyncs and lost links: after one audit everybody is at the tip."""
    truth, room = Source(), Room("g", LIMITS)
    followers = [Follower()]
    room.tuned = True
    room.join(followers[0], Resume(None), 0.0)
    for step in [*story, "tune", "audit", "settle", "audit", "settle"]:
        act(step, truth, room, followers)

    assert room.place == place(truth.seq, truth.epoch)
    assert {follower.at for follower in followers} == {room.place}


def act(step: str, truth: Source, room: Room, followers: list[Follower]) -> None:
    """Let one thing happen."""
    match step:
        case "advance":
            room.hear(truth.advance(), 0.0)
        case "lose":
            truth.advance()
        case "skip":
            room.hear(truth.resync(2), 0.0)
        case "rewrite":
            truth.resync(0)
        case "deafen":
            room.deafen()
            room.tuned = True
        case "join":
            followers.append(Follower())
            room.join(followers[-1], Resume(None), 0.0)
        case "audit":
            if room.place is not None:
                room.audit(room.place, place(truth.seq, truth.epoch), 0.0)
        case "chore":
            do_chore(truth, room)
        case "settle":
            while do_chore(truth, room):
                pass


def do_chore(truth: Source, room: Room) -> bool:
    """What the keeper does, at once."""
    match room.chore():
        case None:
            return False
        case Open():
            feed = truth.feed(0, truth.epoch)
            room.open(snapshot(truth.seq, truth.epoch), feed, 0.0)
        case Fill(at):
            room.fill(truth.feed(at.seq, at.epoch), 0.0)
        case Load(at):
            room.load(snapshot(truth.seq, truth.epoch), at, 0.0)
    return True
