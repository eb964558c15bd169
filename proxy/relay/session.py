"""One connection as a state machine without I/O: frames and times in, frames and effects out.

The driver feeds what arrives, does the effects that come back, and writes what `next_item` hands
it. Times are seconds of a monotonic clock.
"""

from collections.abc import Sequence
from typing import Final, assert_never

from proxy.relay.callers import Caller, Refused
from proxy.relay.codes import Code
from proxy.relay.effects import Authenticate, Awaited, Close, Effect, Join, Speak, Spoken, Unheard
from proxy.relay.frames import (
    Auth,
    Bad,
    ClientFrame,
    Hello,
    Ignored,
    Ping,
    Pong,
    RequestId,
    Resync,
    Say,
    Sub,
    Unsub,
    decode,
)
from proxy.relay.limits import Limits
from proxy.relay.listener import Told
from proxy.relay.news import Delta
from proxy.relay.outbox import Item, Outbox
from proxy.relay.own import Own
from proxy.relay.pace import Pace
from proxy.relay.phase import Phase
from proxy.relay.pulse import NEVER, Alarm, Pulse
from proxy.relay.source import Place
from proxy.relay.subscriptions import RETRY_UNKNOWN_AFTER, Subscriptions
from proxy.relay.talk import objection
from proxy.relay.tally import Tally
from proxy.relay.voice import Voice

Effects = Sequence[Effect]
_NOTHING: Final[Effects] = ()
_EXPIRED: Final = "the token has expired"
_GOING_AWAY: Final = "the server is going away"


class Session:
    """Everything that one client and the relay owe each other.

    `wall_ms` is the Unix time in milliseconds at `now`; `chance` in [0, 1) places the heartbeat;
    `own` is subscribed to without being asked for. A `stream` is one-way (SSE): nobody says hello,
    is welcomed or answers pings, and it ends with its only game.
    """

    def __init__(
        self,
        conn: str,
        limits: Limits,
        now: float,
        *,
        wall_ms: int,
        chance: float,
        own: Own | None = None,
        stream: bool = False,
        tally: Tally | None = None,
    ) -> None:
        self.conn = conn
        self._limits = limits
        self._own = own
        self.is_stream = stream
        self._tally = tally = tally or Tally()
        self._phase = Phase.GREETING
        self._caller = Caller()
        self._asked: Hello | Auth | Say | None = None
        self._greeted = False
        self._writing_since: float | None = None
        self._outbox = Outbox(limits)
        self._subs = Subscriptions(self._outbox, limits, tally)
        self._voice = Voice(self._outbox, conn, limits, tally, wall_ms=wall_ms, now=now)
        self._pace = Pace(limits.frames_per_minute)
        self._pulse = Pulse(limits, now, chance, answered=not stream)
        self.closing: Code | None = None
        """The code to close with once everything is written."""

    @property
    def due(self) -> float:
        """When `tick` has something to do."""
        return self._pulse.due

    @property
    def caller(self) -> Caller:
        """Who is there; anonymous before the hello is accepted."""
        return self._caller

    def games(self) -> tuple[str, ...]:
        """The games subscribed to."""
        return self._subs.games()

    # ---- who is there

    def begin(self, caller: Caller, now: float) -> Effects:
        """Welcome somebody who needs no hello, and subscribe to what the path names."""
        if self._phase is not Phase.GREETING:
            return _NOTHING
        if self._expires(caller) <= now:
            return self._bye(Code.TOKEN_EXPIRED, _EXPIRED, now)
        self._welcome(caller, now)
        return self._subscribe_own(now)

    def adopt(self, game: str, now: float) -> Effects:
        """The room that the path names has begun to play this game."""
        if self._own is None or self._own.game is not None:
            return _NOTHING
        self._own = Own(self._own.name, game)
        return self._subscribe_own(now) if self._phase in (Phase.OPEN, Phase.LEAVING) else ()

    def authenticated(self, outcome: Caller | Refused, now: float) -> Effects:
        """The answer to `Authenticate`."""
        asked, self._asked = self._asked, None
        if not isinstance(asked, Hello | Auth) or self._phase is Phase.CLOSED:
            return _NOTHING
        if isinstance(outcome, Refused):
            return self._bye(outcome.code, outcome.reason, now, outcome.after)
        if self._expires(outcome) <= now:
            return self._bye(Code.TOKEN_EXPIRED, _EXPIRED, now)
        if isinstance(asked, Auth):
            return self._renew(asked, outcome, now)
        self._welcome(outcome, now)
        effects: list[Effect] = []
        for wish in asked.subs:
            position = _position(wish.epoch, wish.seq)
            effects += self._subscribe(wish.game, position, None, now)
        return [*effects, *self._subscribe_own(now)]

    def _welcome(self, caller: Caller, now: float) -> None:
        self._caller = caller
        if self._phase is Phase.GREETING:
            self._phase = Phase.OPEN
        if not self.is_stream:
            self._voice.welcome(caller.exp, now)
        self._pulse.welcomed(now, self._expires(caller), any_game=len(self._subs) > 0)

    def _subscribe_own(self, now: float) -> Effects:
        if self._own is None:
            return _NOTHING
        game = self._own.game
        if game is not None:
            if game in self._subs:
                return _NOTHING
            effects = self._subscribe(game, self._own.position, None, now)
            return [*effects, *self._end_stream()]
        unknown = f"room {self._own.name} plays no game yet; it is subscribed to when it begins"
        self._voice.refuse("not_found", unknown, now, after=RETRY_UNKNOWN_AFTER)
        return _NOTHING

    def _renew(self, asked: Auth, caller: Caller, now: float) -> Effects:
        if self._caller.sub is not None and caller.sub != self._caller.sub:
            return self._bye(Code.BAD_TOKEN, "the token belongs to somebody else", now)
        self._caller = caller
        self._pulse.renewed(self._expires(caller))
        forbidden = [game for game in self._subs.games() if not caller.may_watch(game)]
        effects = [self._subs.remove(game, "forbidden", now) for game in forbidden]
        self._voice.ok(asked.id, now)
        return effects

    def _expires(self, caller: Caller) -> float:
        return NEVER if caller.exp is None else self._voice.monotonic(caller.exp)

    # ---- what the client sends

    def receive(self, message: str | bytes, now: float) -> Effects | Awaited:
        """A message came."""
        if self._phase is Phase.CLOSED:
            return _NOTHING
        self._tally.came(len(message))
        self._pulse.heard()
        wait = self._pace.too_fast(now)
        if wait:
            return self._bye(Code.TOO_MANY_REQUESTS, "too many frames a minute", now, after=wait)
        frame = decode(message, self._limits)
        if isinstance(frame, Bad):
            return self._bye(frame.code, frame.reason, now)
        if self._phase is Phase.GREETING and not isinstance(frame, Hello):
            return self._bye(Code.BAD_REQUEST, "expected a hello first", now)
        return _NOTHING if isinstance(frame, Ignored) else self._act(frame, now)

    def _act(self, frame: ClientFrame, now: float) -> Effects | Awaited:
        match frame:
            case Hello():
                return self._hello(frame, now)
            case Sub():
                position = _position(frame.epoch, frame.seq)
                return self._subscribe(frame.game, position, frame.id, now)
            case Unsub():
                return self._unsubscribe(frame, now)
            case Auth():
                self._asked = frame
                return Authenticate(frame.token)
            case Resync():
                return self._resync(frame, now)
            case Ping():
                self._voice.pong(frame.n, now)
                return _NOTHING
            case Say():
                return self._say(frame, now)
            case Pong():
                is_behind = self._subs.is_behind(frame.at or {})
                self._tally.pongs["behind" if is_behind else "current"] += 1
                return _NOTHING
            case _:
                assert_never(frame)

    def _hello(self, frame: Hello, now: float) -> Effects | Authenticate:
        if self._greeted:
            return self._bye(Code.BAD_REQUEST, "expected one hello; found a second", now)
        self._greeted = True
        self._asked = frame
        return Authenticate(frame.token)

    def _subscribe(
        self, game: str, position: Place | None, reply: RequestId | None, now: float
    ) -> Effects:
        if not self._caller.may_watch(game):
            msg = "this token does not cover the game"
            self._voice.refuse("forbidden", msg, now, game=game, reply=reply)
            return _NOTHING
        if game not in self._subs and len(self._subs) >= self._limits.subs:
            msg = f"expected at most {self._limits.subs} subscriptions"
            self._voice.refuse("too_many_subs", msg, now, game=game, reply=reply)
            return _NOTHING
        self._pulse.subscribed(True, now)
        return [self._subs.subscribe(game, position, reply)]

    def _unsubscribe(self, frame: Unsub, now: float) -> Effects:
        leave = self._subs.unsubscribe(frame.game)
        self._pulse.subscribed(len(self._subs) > 0, now)
        self._voice.ok(frame.id, now)
        return [leave]

    def _resync(self, frame: Resync, now: float) -> Effects:
        game, reply = frame.game, frame.id
        if game not in self._subs:
            self._voice.refuse("not_found", "not subscribed to it", now, game=game, reply=reply)
            return _NOTHING
        outcome = self._subs.resync(game, reply, now)
        if isinstance(outcome, Join):
            return [outcome]
        msg = f"expected at most one resync in {self._limits.resync_every:g} s"
        self._voice.refuse("rate", msg, now, game=game, reply=reply, after=outcome)
        return _NOTHING

    def _say(self, frame: Say, now: float) -> Effects | Speak:
        wrong = objection(frame, self._limits, subscribed=frame.game in self._subs)
        if wrong is not None:
            self._voice.refuse(wrong.code, wrong.msg, now, game=frame.game, reply=frame.id)
            return _NOTHING
        self._asked = frame
        sub = self._caller.sub
        return Speak(frame, sub, f"conn:{self.conn}" if sub is None else f"sub:{sub}")

    def spoken(self, outcome: Spoken | Unheard, now: float) -> Effects:
        """The answer to `Speak`."""
        asked, self._asked = self._asked, None
        if not isinstance(asked, Say) or self._phase is Phase.CLOSED:
            return _NOTHING
        self._tally.said += isinstance(outcome, Spoken)
        self._voice.spoken(asked, outcome, now)
        return _NOTHING

    # ---- what the rooms say

    def advance(self, game: str, delta: Delta, now: float) -> None:
        """A game went on by one."""
        if self._phase is not Phase.CLOSED:
            self._subs.advance(game, delta, now)

    def tell(self, game: str, told: Told, now: float) -> None:
        """A room said something rarer."""
        if self._phase is not Phase.CLOSED:
            self._subs.tell(game, told, now)
            self._pulse.subscribed(len(self._subs) > 0, now)
            self._end_stream()

    # ---- what the writer asks

    @property
    def owes(self) -> bool:
        """Whether anything is left to write, to ask a room for, or to close."""
        return len(self._outbox) > 0 or self._subs.owes or self.closing is not None

    def pass_on(self, game: str, delta: Delta) -> bool:
        """Whether a delta may be written now, without being queued; then it counts as written."""
        if self._phase is Phase.CLOSED or len(self._outbox) or not self._subs.take(game, delta):
            return False
        self._tally.went(delta.size)
        return True

    def next_item(self, now: float, *, at_once: bool = False) -> Item | None:
        """The next frame to write; the one before has been taken by the socket.

        `at_once` says that this one is taken in the same moment.
        """
        self._pulse.written()
        self._subs.relieve(now)
        item = self._outbox.pop()
        self._writing_since = None if at_once or item is None else now
        if item is not None:
            self._tally.went(item.size)
        return item

    def drained(self) -> Effects:
        """Everything is written."""
        join = None if self._phase is Phase.CLOSED else self._subs.drained()
        return _NOTHING if join is None else [join]

    def watch_write(self) -> bool:
        """See that the write under way, if frames wait for it, does not take for ever.

        True if `due` may have become earlier.
        """
        if self._phase is Phase.CLOSED or self._writing_since is None or not len(self._outbox):
            return False
        self._pulse.writing(self._writing_since)
        return True

    # ---- what time brings

    def tick(self, now: float) -> Effects:
        """Look at the clocks; `due` says when."""
        effects: list[Effect] = []
        for alarm in self._pulse.rings(now):
            if self._phase is not Phase.CLOSED:
                effects += self._ring(alarm, now)
        return effects

    def _ring(self, alarm: Alarm, now: float) -> Effects:
        match alarm:
            case Alarm.HELLO_MISSING:
                return self._bye(Code.HELLO_TIMEOUT, "expected a hello; found none", now)
            case Alarm.TOKEN_EXPIRED:
                return self._bye(Code.TOKEN_EXPIRED, _EXPIRED, now)
            case Alarm.NO_PONG:
                return self._bye(Code.NO_PONG, "no frame came after a ping", now)
            case Alarm.STUCK:
                return self._bye(Code.SLOW, "nothing was read for too long", now)
            case Alarm.IDLE:
                return self._bye(Code.IDLE, "nothing is subscribed to", now)
            case Alarm.PING:
                self._voice.ping(self._subs.tips(), now)
                self._pulse.pinged(now)
                return _NOTHING
            case Alarm.DRAIN:
                return self._go_away(now)
            case Alarm.GONE:
                return self._close(Code.DRAIN)
            case _:
                assert_never(alarm)

    # ---- the end

    def drain(self, at: float, gone_at: float, now: float) -> Effects:
        """The server is going away: say so at `at`, and close at `gone_at` at the latest."""
        self._pulse.draining(at, gone_at)
        return self.tick(now)

    def end(self, code: Code, reason: str, now: float, after: float = 0.0) -> Effects:
        """Close for a reason that lies outside of the conversation."""
        return _NOTHING if self._phase is Phase.CLOSED else self._bye(code, reason, now, after)

    def _go_away(self, now: float) -> Effects:
        if self._phase is Phase.GREETING:
            return self._bye(Code.DRAIN, _GOING_AWAY, now)
        self._phase = Phase.LEAVING
        self._voice.bye(Code.DRAIN, _GOING_AWAY, now)
        return _NOTHING

    def _bye(self, code: Code, reason: str, now: float, after: float = 0.0) -> Effects:
        if code.useless_backlog:
            self._outbox.clear()
        self._voice.bye(code, reason, now, after)
        return self._close(code)

    def _end_stream(self) -> Effects:
        """A stream has nothing to wait for without its game."""
        if not self.is_stream or len(self._subs) or self._phase not in (Phase.OPEN, Phase.LEAVING):
            return _NOTHING
        return self._close(Code.IDLE)

    def _close(self, code: Code) -> Effects:
        self._phase = Phase.CLOSED
        self.closing = code
        return [Close(code)]


def _position(epoch: str | None, seq: int | None) -> Place | None:
    return None if epoch is None or seq is None else Place(epoch, seq)
