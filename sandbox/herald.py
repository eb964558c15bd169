"""Tells the receiver what happens: every event becomes what its faults let be sent."""

from ludo.upstream.wire.events import envelope, game_event
from sandbox.clock import iso
from sandbox.faults import Fault, Faults
from sandbox.outbox import Outbox
from sandbox.room import News, Room
from sandbox.sending import of_event, of_news
from sandbox.table import Happened
from sandbox.tally import Tally


class Herald:
    """The witness whose reports are webhooks.

    `faults` may be exchanged at any time and holds for what happens from then on.
    """

    def __init__(self, outbox: Outbox, tally: Tally, faults: Faults) -> None:
        self._outbox = outbox
        self._tally = tally
        self.faults = faults

    def room(self, room: Room, news: News) -> None:
        """Report something about a room."""
        self._tally.announced += 1
        body = envelope(news.kind, iso(news.at), news.data)
        self._outbox.put(of_news(room.game_id, news.number, body))

    def game(self, room: Room, happened: Happened) -> None:
        """Report something in a game."""
        self._tally.announced += 1
        event = game_event(room.game_id, happened.event, room_code=room.code, at=iso(happened.at))
        suffered, sendings = of_event(event, room.players, self.faults)
        self._tally.faults.update(suffered)
        self._tally.dropped += bool(suffered & {Fault.DROPPED, Fault.FORGED_LOST})
        for sending in sendings:
            self._outbox.put(sending)
