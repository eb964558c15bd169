"""Tells the receiver what happens: every event becomes what its faults let be sent."""

import msgspec

from ludo.mirror.incoming import GameEvent
from ludo.upstream.wire.events import Kind, envelope, event_body, game_event
from sandbox.clock import iso
from sandbox.faults import Fault, Faults
from sandbox.outbox import Outbox
from sandbox.room import News, Room
from sandbox.sending import of_event, of_news
from sandbox.sockets import Sockets
from sandbox.table import Happened
from sandbox.tally import Tally


class Herald:
    """The witness whose reports are webhooks, and frames for whoever listens.

    `faults` may be exchanged at any time and holds for what happens from then on.
    """

    def __init__(self, outbox: Outbox, sockets: Sockets, tally: Tally, faults: Faults) -> None:
        self._outbox = outbox
        self._sockets = sockets
        self._tally = tally
        self.faults = faults

    def room(self, room: Room, news: News) -> None:
        """Report something about a room."""
        self._tally.announced += 1
        body = envelope(news.kind, iso(news.at), news.data)
        self._outbox.put(of_news(room.game_id, news.number, body))
        self._sockets.tell(room.code, msgspec.json.encode(body))
        if news.kind == Kind.ROOM_CLOSED:
            self._sockets.close(room.code)

    def game(self, room: Room, happened: Happened) -> None:
        """Report something in a game."""
        self._tally.announced += 1
        event = game_event(room.game_id, happened.event, room_code=room.code, at=iso(happened.at))
        suffered, sendings = of_event(event, room.players, self.faults)
        self._tally.faults.update(suffered)
        self._tally.dropped += bool(suffered & {Fault.DROPPED, Fault.FORGED_LOST})
        for sending in sendings:
            self._outbox.put(sending)
        self._frame(room, event)

    def _frame(self, room: Room, event: GameEvent) -> None:
        frame, sequence = msgspec.json.encode(event_body(event)), event.event.sequence
        fault = self.faults.of_frame(room.game_id, sequence)
        match fault:
            case Fault.SOCKET_CUT:
                self._sockets.cut(room.code)
            case Fault.SOCKET_LATE:
                delay = self.faults.delay(Fault.SOCKET_LATE, room.game_id, sequence)
                self._sockets.tell(room.code, frame, delay=delay)
            case Fault.SOCKET_TWICE:
                self._sockets.tell(room.code, frame)
                self._sockets.tell(room.code, frame)
            case _:
                self._sockets.tell(room.code, frame)
        if fault is not None:
            self._tally.faults[fault] += 1
