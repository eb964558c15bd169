"""What each frame does to a conversation."""

from typing import TYPE_CHECKING, Final, assert_never

from ludo.relay.actions import Answer, Ponged, Tell
from ludo.relay.changes import Caught, Delayed, Delta, Freshness, Presence, Said
from ludo.relay.follower import Dropped, Follower, Missing, Wrong
from ludo.relay.incoming import (
    Bye,
    DeltaFrame,
    EndedFrame,
    Err,
    Incoming,
    Live,
    MirrorFrame,
    Ok,
    Ping,
    Pong,
    PresenceFrame,
    SaidFrame,
    SnapFrame,
    Unsub,
    Welcome,
    whole,
)
from ludo.relay.link import Link

if TYPE_CHECKING:
    from ludo.relay.conversation import Conversation

AGAIN_AFTER: Final = 2.0
CONFUSED_FOR: Final = 0.25


class Reading:
    """Takes the frames of all links; one that is coming or going brings only what is numbered."""

    def __init__(self, conversation: "Conversation") -> None:
        self._talk = conversation

    def take(self, link: Link, frame: Incoming, text: str | bytes, now: float) -> None:
        """One frame of one link."""
        match frame:
            case Welcome():
                self._talk.welcome(link, frame, now)
            case Bye():
                self._talk.bye(link, frame, now)
            case Ping():
                self._ping(link, frame, now)
            case Pong():
                self._talk.answer(frame.n, Ponged(frame.n))
            case Ok():
                if isinstance(frame.id, int):
                    self._talk.answer(frame.id, Answer(frame.id))
            case Err():
                self._err(link, frame, now)
            case _:
                self._take_of_game(link, frame, text, now)

    def _take_of_game(
        self,
        link: Link,
        frame: SnapFrame
        | DeltaFrame
        | Live
        | MirrorFrame
        | PresenceFrame
        | SaidFrame
        | EndedFrame
        | Unsub,
        text: str | bytes,
        now: float,
    ) -> None:
        follower = self._talk.followers.get(frame.game)
        if isinstance(frame, SnapFrame | Live):
            link.epochs[frame.game] = frame.epoch
        if follower is None:
            link.epochs.pop(frame.game, None)
        elif isinstance(frame, DeltaFrame):
            self._delta(link, follower, frame, len(text), now)
        elif self._talk.serves(link):
            self._tell(link, follower, frame, text, now)

    def _tell(
        self,
        link: Link,
        follower: Follower,
        frame: SnapFrame | Live | MirrorFrame | PresenceFrame | SaidFrame | EndedFrame | Unsub,
        text: str | bytes,
        now: float,
    ) -> None:
        game = follower.game
        match frame:
            case SnapFrame():
                follower.answered()
                self._talk.tell(Tell(follower.snap(frame)))
            case Live():
                self._live(link, follower, frame, now)
            case MirrorFrame():
                follower.as_of, follower.stale = frame.as_of, frame.stale
                self._talk.tell(Tell(Freshness(game, frame.as_of, frame.stale)))
            case PresenceFrame():
                self._talk.tell(Tell(Presence(game, frame.seats)))
            case SaidFrame():
                self._talk.tell(Tell(Said(game, whole(text))))
            case EndedFrame():
                self._ended(link, follower, frame, now)
            case Unsub():
                link.unanswered.discard(game)
                if frame.retry:
                    self._delay(follower, frame.code, AGAIN_AFTER, now)
                else:
                    self._talk.remove(follower, frame.code)
            case _:
                assert_never(frame)

    def _delta(
        self, link: Link, follower: Follower, frame: DeltaFrame, size: int, now: float
    ) -> None:
        outcome = follower.delta(frame, link.epochs.get(follower.game), size)
        match outcome:
            case Delta():
                self._talk.tell(Tell(outcome))
            case Missing():
                if self._talk.serves(link):
                    self._talk.ask(follower, now)
            case Wrong():
                self._talk.ask_for_snapshot(follower, "patch", now)
            case Dropped():
                pass
            case _:
                assert_never(outcome)

    def _live(self, link: Link, follower: Follower, frame: Live, now: float) -> None:
        link.unanswered.discard(follower.game)
        follower.answered()
        place = follower.place
        if place is None or place.epoch != frame.epoch or place.seq < frame.seq:
            # The answer has passed what another link brought meanwhile, or a part of it was lost.
            follower.ask_later(now + CONFUSED_FOR)
        self._talk.tell(Tell(Caught(follower.game, frame.recovered, frame.replayed)))

    def _ended(self, link: Link, follower: Follower, frame: EndedFrame, now: float) -> None:
        link.unanswered.discard(follower.game)
        ended = follower.end(frame)
        if ended is None:
            follower.ask_later(now + CONFUSED_FOR)
        else:
            follower.answered()
            self._talk.tell(Tell(ended))

    def _ping(self, link: Link, frame: Ping, now: float) -> None:
        at = {each.game: each.seq for each in self._talk.followers.values() if not each.over}
        self._talk.post(link, {"t": "pong", "n": frame.n, "at": at})
        for game, tip in frame.tips.items():
            follower = self._talk.followers.get(game)
            if follower is not None:
                follower.hear_tip(tip, now)

    def _err(self, link: Link, frame: Err, now: float) -> None:
        if isinstance(frame.id, int) and self._talk.answer(frame.id, Answer(frame.id, frame)):
            return
        meant = self._meant(frame)
        for follower in meant:
            link.unanswered.discard(follower.game)
            # A refusal that does not say whom it means is asked about one by one.
            if frame.retry or len(meant) > 1:
                after = AGAIN_AFTER if frame.after is None else frame.after
                self._delay(follower, frame.code, after, now)
            else:
                self._talk.remove(follower, frame.code)

    def _meant(self, frame: Err) -> list[Follower]:
        asking = [each for each in self._talk.followers.values() if each.asked is not None]
        if frame.id is not None:
            return [each for each in asking if each.asked == frame.id]
        if frame.game is not None:
            return [each for each in asking if each.game == frame.game]
        return asking

    def _delay(self, follower: Follower, code: str, after: float, now: float) -> None:
        follower.ask_later(now + after)
        self._talk.tell(Tell(Delayed(follower.game, code, after)))
