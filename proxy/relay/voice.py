"""What the relay itself says to one client, as opposed to what it passes on."""

import math

from proxy.relay.codes import Code
from proxy.relay.effects import Spoken, Unheard
from proxy.relay.frames import (
    VERSION,
    Bye,
    Err,
    Ok,
    RequestId,
    Say,
    ServerPing,
    ServerPong,
    ToldLimits,
    Welcome,
    encode,
)
from proxy.relay.limits import Limits
from proxy.relay.outbox import Outbox
from proxy.relay.tally import Tally


class Voice:
    """Queues answers, heartbeats and farewells.

    `wall_ms` is the Unix time in milliseconds at the monotonic time `now`.
    """

    __slots__ = ("_conn", "_limits", "_outbox", "_pings", "_tally", "_wall_offset")

    def __init__(
        self,
        outbox: Outbox,
        conn: str,
        limits: Limits,
        tally: Tally,
        *,
        wall_ms: int,
        now: float,
    ) -> None:
        self._outbox = outbox
        self._tally = tally
        self._conn = conn
        self._limits = limits
        self._wall_offset = wall_ms - now * 1000
        self._pings = 0

    def wall(self, now: float) -> int:
        """The Unix time in milliseconds."""
        return int(self._wall_offset + now * 1000)

    def monotonic(self, wall_ms: int) -> float:
        """The monotonic time of a Unix time in milliseconds."""
        return (wall_ms - self._wall_offset) / 1000

    def welcome(self, exp: int | None, now: float) -> None:
        """The hello was accepted; the token is good until `exp`."""
        limits = self._limits
        welcome = Welcome(
            conn=self._conn,
            v=VERSION,
            now=self.wall(now),
            ping=limits.ping_every,
            limits=ToldLimits(limits.frame, limits.frames_per_minute, limits.subs),
            exp=exp,
        )
        self._outbox.push_control(encode(welcome), now)

    def ping(self, tips: dict[str, int], now: float) -> None:
        """Is anybody there?"""
        self._pings += 1
        self._outbox.push_control(encode(ServerPing(self._pings, tips)), now)

    def pong(self, n: int, now: float) -> None:
        """Somebody is here."""
        self._outbox.push_control(encode(ServerPong(n, self.wall(now))), now)

    def ok(self, reply: RequestId | None, now: float) -> None:
        """The request was done."""
        self._outbox.push_control(encode(Ok(reply)), now)

    def refuse(
        self,
        code: str,
        msg: str,
        now: float,
        *,
        game: str | None = None,
        reply: RequestId | None = None,
        after: float | None = None,
    ) -> None:
        """The request was refused; `after` seconds it may be sent again, None: never."""
        self._tally.errors[code] += 1
        err = Err(code=code, msg=msg, retry=after is not None, id=reply, after=after, game=game)
        self._outbox.push_control(encode(err), now)

    def spoken(self, asked: Say, outcome: Spoken | Unheard, now: float) -> None:
        """It was said, or not."""
        if isinstance(outcome, Spoken):
            self.ok(asked.id, now)
            return
        self.refuse(
            outcome.code, outcome.reason, now, game=asked.game, reply=asked.id, after=outcome.after
        )

    def bye(self, code: Code, reason: str, now: float, after: float = 0.0) -> None:
        """The connection is about to be closed; come back, if at all, `after` seconds from now."""
        bye = Bye(code, reason, code.reconnect, math.ceil(after))
        self._outbox.push_control(encode(bye), now)
