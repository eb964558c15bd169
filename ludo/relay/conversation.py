"""The whole client without I/O: frames and times in, frames and changes out.

Its driver does the actions that every method returns, and calls `tick` when `due` has come. Times
are seconds of a monotonic clock, `wall` is Unix time in seconds.
"""

from collections.abc import Iterable
from random import Random
from typing import Any, Final

import msgspec

from ludo.relay import backoff
from ludo.relay.actions import Action, Became, Dial, HangUp, NoAnswer, Renew, Send, Tell
from ludo.relay.changes import Connection, Gone
from ludo.relay.follower import NEVER, Follower
from ludo.relay.incoming import Bye, Welcome, parse
from ludo.relay.link import DIAL_WITHIN, PING_GRACE, Link
from ludo.relay.reading import Reading
from ludo.relay.renewal import Renewal

VERSION: Final = 1
QUEUE: Final = 32
UNANSWERED: Final = 256
MOVE_WITHIN: Final = 2.0
SETTLED_AFTER: Final = 5.0
CLOSES_WITHIN: Final = 5.0
DRAIN: Final = 4000
IDLE: Final = 4009
FIRST_FINAL: Final = 4500
FINAL: Final = frozenset({1000, 1002, 1003, 1007})
"""Close codes below 4000 after which the same connection would only be refused again."""


class Conversation:
    """Follows games over one relay, through as many links as it takes.

    `renewable`: a fresh token can be had, so it is sent before the last one ends.
    """

    def __init__(self, chance: Random, *, renewable: bool = False) -> None:
        self._chance = chance
        self.followers: dict[str, Follower] = {}
        self.connection = Connection.IDLE
        self._opened = False
        self._current: Link | None = None
        self._dialled: Link | None = None
        self._leaving: Link | None = None
        self._links = 0
        self._requests = 0
        self._attempt = 0
        self._redial_at = NEVER
        self._settled_at = NEVER
        self._moved_by = NEVER
        self._renewal = Renewal(renewable)
        self._queue: list[tuple[int, str]] = []
        self._waiting: dict[int, int] = {}
        self._actions: list[Action] = []
        self._reading = Reading(self)

    # ---- what the caller wants

    def open(self, now: float) -> list[Action]:
        """Connect, and stay connected."""
        if not self._opened:
            self._opened = True
            self._dial(now)
        return self._done()

    def close(self) -> list[Action]:
        """Let go of everything."""
        self._stop(Connection.IDLE)
        return self._done()

    def watch(self, game: str, now: float) -> list[Action]:
        """Follow a game over every reconnect, until it ends or `unwatch`."""
        if game not in self.followers:
            self.followers[game] = follower = Follower(game)
            if self._current is not None:
                self.ask(follower, now)
            elif self._opened and self._dialled is None and self._redial_at == NEVER:
                self._dial(now)
        return self._done()

    def unwatch(self, game: str) -> list[Action]:
        """Follow a game no longer."""
        follower = self.followers.pop(game, None)
        if follower is not None and not follower.over and self._current is not None:
            self._current.epochs.pop(game, None)
            self.post(self._current, {"t": "unsub", "id": self._next(), "game": game})
        return self._done()

    def send(self, frame: dict[str, Any]) -> tuple[int | None, list[Action]]:
        """Send a request; while offline up to 32 wait. The number is None if there is no room."""
        if len(self._waiting) >= UNANSWERED:
            return None, []
        request = self._next()
        text = _encoded({**frame, "id": request})
        if self._current is not None:
            self._waiting[request] = self._current.number
            self._actions.append(Send(self._current.number, text))
        elif len(self._queue) < QUEUE:
            self._queue.append((request, text))
        else:
            return None, []
        return request, self._done()

    def ping(self) -> tuple[int | None, list[Action]]:
        """Ask the relay whether it is there; None without a connection."""
        if self._current is None or len(self._waiting) >= UNANSWERED:
            return None, []
        request = self._next()
        self._waiting[request] = self._current.number
        self.post(self._current, {"t": "ping", "n": request})
        return request, self._done()

    def forget(self, request: int) -> None:
        """Nobody waits for this answer any more."""
        self._waiting.pop(request, None)
        self._queue = [each for each in self._queue if each[0] != request]

    def resync(self, game: str, why: str, now: float) -> list[Action]:
        """Have a fresh snapshot."""
        follower = self.followers.get(game)
        if follower is not None:
            self.ask_for_snapshot(follower, why, now)
        return self._done()

    # ---- what the driver tells

    def connected(self, number: int, token: str | None, now: float, wall: float) -> list[Action]:
        """The socket is open; `token` is what the hello shows."""
        link = self._link(number)
        if link is None or link is not self._dialled:
            return self._done()
        following = [each for each in self.followers.values() if not each.over]
        for follower in following:
            if follower.place is not None:
                link.name(follower.game, follower.place.epoch)
        link.named = frozenset(each.game for each in following)
        link.unanswered = set(link.named)
        hello: dict[str, Any] = {"t": "hello", "v": VERSION}
        if token is not None:
            hello["token"] = token
        link.token_ends = self._renewal.end_of(token, now, wall)
        self.post(link, {**hello, "subs": [each.wanted() for each in following]})
        return self._done()

    def received(self, number: int, text: str | bytes, now: float) -> list[Action]:
        """A message came; whatever it is, nothing is raised."""
        link = self._link(number)
        if link is not None:
            link.heard(now)
            frame = parse(text)
            if frame is not None:
                self._reading.take(link, frame, text, now)
            self._leave_if_moved(now)
        return self._done()

    def lost(self, number: int, code: int, reason: str, now: float) -> list[Action]:
        """A socket could not be opened, or was closed; `code` is 0 without a close frame."""
        link = self._link(number)
        if link is not None:
            self._lose(link, code, reason, now)
        return self._done()

    def renewed(self, token: str, now: float, wall: float) -> list[Action]:
        """A fresh token, to be shown on the live link."""
        if self._current is not None:
            self._renewal.shown(self._renewal.end_of(token, now, wall), now)
            self.post(self._current, {"t": "auth", "id": self._next(), "token": token})
        return self._done()

    def not_renewed(self, now: float) -> list[Action]:
        """No token could be had just now."""
        self._renewal.failed(now)
        return self._done()

    # ---- what time brings

    @property
    def due(self) -> float:
        """When `tick` has something to do."""
        links = (link.lost_at for link in self._all_links())
        games = (each.due for each in self.followers.values()) if self._current else ()
        own = (self._redial_at, self._settled_at, self._moved_by, self._renewal.due)
        return min(*own, min(links, default=NEVER), min(games, default=NEVER))

    def tick(self, now: float) -> list[Action]:
        """Look at the clocks."""
        if self._redial_at <= now:
            self._dial(now)
        for link in self._all_links():
            if link.lost_at <= now:
                self._actions.append(HangUp(link.number))
                self._lose(link, 0, "no answer", now)
        if self._settled_at <= now:
            self._settled_at, self._attempt = NEVER, 0
        self._leave_if_moved(now)
        if self._current is not None:
            for follower in tuple(self.followers.values()):
                if follower.due <= now and follower.is_to_ask(now):
                    self.ask(follower, now)
        if self._renewal.due <= now and self._renewal.ask():
            self._actions.append(Renew())
        return self._done()

    # ---- for the reading of frames

    def serves(self, link: Link) -> bool:
        """Whether this is the link that answers."""
        return link is self._current

    def tell(self, action: Action) -> None:
        """Hand something to the driver."""
        self._actions.append(action)

    def post(self, link: Link, frame: dict[str, Any]) -> None:
        """Write a frame."""
        self._actions.append(Send(link.number, _encoded(frame)))

    def welcome(self, link: Link, frame: Welcome, now: float) -> None:
        """The dialled link takes over; the one before stays until every game is live again."""
        if link is not self._dialled:
            return
        self._leave()
        self._leaving, self._current, self._dialled = self._current, link, None
        link.patience = frame.ping + PING_GRACE
        link.heard(now)
        self._settled_at = now + SETTLED_AFTER
        self._moved_by = now + MOVE_WITHIN
        self._renewal.welcomed(frame, link.token_ends, now)
        self._become(Connection.LIVE)
        for follower in self.followers.values():
            follower.answered()
            if follower.game in link.named:
                follower.asks(self._next(), now)
            else:
                self.ask(follower, now)
        for request, text in self._queue:
            self._waiting[request] = link.number
            self._actions.append(Send(link.number, text))
        self._queue.clear()

    def bye(self, link: Link, frame: Bye, now: float) -> None:
        """The relay is about to close; on a drain the next link is made before this one breaks."""
        link.bye = frame
        if frame.code != DRAIN or not frame.reconnect:
            link.patience = CLOSES_WITHIN
            link.heard(now)
        elif link is self._current:
            self._redial(frame.after, now)

    def ask(self, follower: Follower, now: float) -> None:
        """Ask for what follows my place, once until it is answered."""
        self._request(follower, {"t": "sub", **follower.wanted()}, now)

    def ask_for_snapshot(self, follower: Follower, why: str, now: float) -> None:
        """My copy is wrong."""
        follower.distrust()
        self._request(follower, {"t": "resync", "game": follower.game, "why": why}, now)

    def answer(self, request: object, answer: Action) -> bool:
        """Whether somebody waited for this answer."""
        if not isinstance(request, int) or self._waiting.pop(request, None) is None:
            return False
        self._actions.append(answer)
        return True

    def remove(self, follower: Follower, code: str) -> None:
        """The relay will not give this game."""
        self.followers.pop(follower.game, None)
        self._actions.append(Tell(Gone(follower.game, code)))

    # ---- links

    def _request(self, follower: Follower, frame: dict[str, Any], now: float) -> None:
        if self._current is None or follower.asked is not None or follower.over:
            return
        if follower.place is not None:
            self._current.name(follower.game, follower.place.epoch)
        request = self._next()
        follower.asks(request, now)
        self.post(self._current, {**frame, "id": request})

    def _dial(self, now: float) -> None:
        self._redial_at = NEVER
        if self._dialled is not None:
            return
        if self._current is None:
            again = self._attempt > 0
            self._become(Connection.RECONNECTING if again else Connection.CONNECTING)
        self._links += 1
        self._dialled = Link(self._links, now + DIAL_WITHIN)
        self._actions.append(Dial(self._links))

    def _lose(self, link: Link, code: int, reason: str, now: float) -> None:
        self._fail_requests(link)
        if link is self._leaving:
            self._leaving, self._moved_by = None, NEVER
            return
        moving = link is self._dialled and self._current is not None
        if link is self._dialled:
            self._dialled = None
        else:
            self._leave()
            self._current, self._settled_at = None, NEVER
            self._renewal.stop()
        self._after_loss(link, code, reason, moving, now)

    def _after_loss(self, link: Link, code: int, reason: str, moving: bool, now: float) -> None:
        bye = link.bye
        final = not bye.reconnect if bye else code in FINAL or code >= FIRST_FINAL
        code, reason = (bye.code, bye.reason) if bye else (code, reason)
        if final and not moving:
            self._stop(Connection.STOPPED, code, reason)
        elif final:
            return  # what refuses a second link may take us once the first is gone
        elif code == IDLE and not any(not each.over for each in self.followers.values()):
            self._become(Connection.IDLE, code, reason)
        else:
            self._redial(bye.after if bye else 0.0, now)

    def _redial(self, after: float, now: float) -> None:
        if self._redial_at == NEVER and self._dialled is None:
            jittered = backoff.wait(self._attempt, self._chance)
            self._attempt += 1
            self._redial_at = now + max(after, jittered)
        if self._current is None:
            self._become(Connection.RECONNECTING)

    def _leave_if_moved(self, now: float) -> None:
        if self._leaving is not None and self._current is not None:
            waiting = self._current.unanswered & self.followers.keys()
            if not waiting or self._moved_by <= now:
                self._leave()
        elif self._moved_by <= now:
            self._moved_by = NEVER

    def _leave(self) -> None:
        if self._leaving is not None:
            self._fail_requests(self._leaving)
            self._actions.append(HangUp(self._leaving.number))
            self._leaving = None
        self._moved_by = NEVER

    def _stop(self, connection: Connection, code: int | None = None, reason: str = "") -> None:
        self._opened = False
        self._actions += [HangUp(link.number) for link in self._all_links()]
        self._current = self._dialled = self._leaving = None
        self._redial_at = self._settled_at = self._moved_by = NEVER
        self._renewal.stop()
        self._attempt = 0
        lost = [*self._waiting, *(request for request, _ in self._queue)]
        self._actions += [NoAnswer(request) for request in lost]
        self._waiting.clear()
        self._queue.clear()
        self._become(connection, code, reason)

    def _fail_requests(self, link: Link) -> None:
        lost = [request for request, number in self._waiting.items() if number == link.number]
        for request in lost:
            del self._waiting[request]
            self._actions.append(NoAnswer(request))

    def _become(self, connection: Connection, code: int | None = None, reason: str = "") -> None:
        if connection is not self.connection:
            self.connection = connection
            self._actions.append(Became(connection, code, reason))

    def _link(self, number: int) -> Link | None:
        return next((link for link in self._all_links() if link.number == number), None)

    def _all_links(self) -> Iterable[Link]:
        links = (self._leaving, self._current, self._dialled)
        return tuple(link for link in links if link is not None)

    def _next(self) -> int:
        self._requests += 1
        return self._requests

    def _done(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions


def _encoded(frame: dict[str, Any]) -> str:
    return msgspec.json.encode(frame).decode()
