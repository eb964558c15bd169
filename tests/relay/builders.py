"""Values for the tests of the relay's pure parts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from proxy.relay.callers import Caller
from proxy.relay.effects import Authenticate, Effect
from proxy.relay.frames import Frame
from proxy.relay.framing import framed
from proxy.relay.limits import Limits
from proxy.relay.listener import CaughtUp, Renewed, Told
from proxy.relay.news import Delta
from proxy.relay.session import Own, Session
from proxy.relay.snapshot import Snapshot
from proxy.relay.source import Place

LIMITS = Limits()
WALL = 1_000_000_000_000


def place(seq: int, epoch: str = "e") -> Place:
    """A place; all in one epoch unless said otherwise."""
    return Place(epoch, seq)


def delta(seq: int, epoch: str = "e", *, game: str = "g", size: int = 100) -> Delta:
    """A delta that leads to this place."""
    text = json.dumps({"t": "d", "game": game, "seq": seq})
    return Delta(Place(epoch, seq), framed(text.encode()), size, may_end=False)


def deltas(first: int, last: int, epoch: str = "e") -> list[Delta]:
    """Deltas in a row, both ends included."""
    return [delta(seq, epoch) for seq in range(first, last + 1)]


def final_delta(seq: int, epoch: str = "e") -> Delta:
    """The delta that ends a game."""
    event = {"type": "game:ended", "winnerId": "ann", "placements": ["ann", "bob"]}
    text = json.dumps({"t": "d", "game": "g", "seq": seq, "ev": event})
    return Delta(Place(epoch, seq), framed(text.encode()), len(text), may_end=True)


def snapshot(seq: int, epoch: str = "e", *, over: bool = False) -> Snapshot:
    """A mirror at a place."""
    ended = Frame('{"t":"ended"}', 13) if over else None
    return Snapshot("g", Place(epoch, seq), msgspec.Raw(b'{"s":%d}' % seq), 1, False, ended)


def caught_up(seq: int, *replayed: Delta, over: bool = False) -> CaughtUp:
    """A room's answer to somebody whose place it could lead on from."""
    ended = Frame('{"t":"ended"}', 13) if over else None
    return CaughtUp(place(seq), replayed, ended)


def renewed(seq: int, epoch: str = "e", *, over: bool = False, size: int = 0) -> Renewed:
    """A snapshot as a room hands it out."""
    taken = snapshot(seq, epoch, over=over)
    frame = taken.frame("initial")
    frame = replace(frame, size=size or frame.size)
    return Renewed(taken.place, frame, "initial", taken.ended)


@dataclass(eq=False)
class Recorder:
    """A listener that remembers what it was told."""

    who: str | None = None
    deltas: list[int] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    def advance(self, game: str, delta: Delta, now: float) -> None:
        """See `Listener`."""
        self.deltas.append(delta.place.seq)

    def tell(self, game: str, told: Told, now: float) -> None:
        """See `Listener`."""
        self.told.append(told)

    @property
    def last(self) -> Told:
        """What it was told last."""
        return self.told[-1]


@dataclass
class Talk:
    """A session with somebody who reads all that is written."""

    session: Session
    now: float = 0.0
    effects: list[Effect] = field(default_factory=list)

    def say(self, **frame: Any) -> list[dict[str, Any]]:
        """Send a frame, and read the answers."""
        return self.send(json.dumps(frame))

    def send(self, message: str | bytes, caller: Caller | None = None) -> list[dict[str, Any]]:
        """Send anything, authenticated as somebody, and read the answers."""
        outcome = self.session.receive(message, self.now)
        if isinstance(outcome, Authenticate):
            outcome = self.session.authenticated(caller or Caller(), self.now)
        return self.did(outcome)

    def did(self, effects: Sequence[Effect]) -> list[dict[str, Any]]:
        """Note effects, and read what came with them."""
        self.effects += effects
        return self.read()

    def read(self) -> list[dict[str, Any]]:
        """Everything that is to be written."""
        frames = []
        while (item := self.session.next_item(self.now)) is not None:
            frames.append(json.loads(item.text))
        return frames

    def pass_time(self, seconds: float) -> list[dict[str, Any]]:
        """Let time pass as far as the session asks to be looked at, and read what comes."""
        end, frames = self.now + seconds, []
        while self.session.due <= end:
            self.now = max(self.now, self.session.due)
            frames += self.did(self.session.tick(self.now))
        self.now = end
        return frames


def talk(limits: Limits = LIMITS, *, own: Own | None = None) -> Talk:
    """A connection that has just been accepted."""
    return Talk(Session("c1", limits, 0.0, wall_ms=WALL, chance=0.5, own=own))


def greeted(limits: Limits = LIMITS, **hello: Any) -> Talk:
    """A connection after its hello."""
    talking = talk(limits)
    talking.say(t="hello", v=1, **hello)
    return talking
