"""What upstream's WebSocket says of one room, put into the same inbox as webhooks."""

import hashlib
import secrets
from typing import Final

from ludo.mirror.incoming import GameEvent, Hint
from ludo.mirror.owed import Reason
from ludo.store.claims import Claims
from ludo.store.errors import StoreUnavailable
from ludo.store.inbox import Delivery, Inbox, Verdict
from ludo.upstream.socket import Heard

SOURCE: Final = "socket"


class Hearing:
    """Accepts a room's events, and has the state fetched where some must have been missed."""

    def __init__(self, inbox: Inbox, claims: Claims, game_id: str | None) -> None:
        self._inbox = inbox
        self._claims = claims
        self._game_id = game_id

    async def heard(self, heard: Heard) -> None:
        """Stores one event; raises StoreUnavailable, upon which the socket joins again."""
        incoming = heard.incoming
        if isinstance(incoming, GameEvent | Hint):
            self._game_id = incoming.game_id
        delivery = Delivery(_id(heard), heard.body, incoming, source=SOURCE)
        if await self._inbox.accept(delivery) is Verdict.FULL:
            raise StoreUnavailable("too many events wait to be decided")

    async def joined(self, again: bool) -> None:
        """What was said before the join, or between two, is told by nobody but the state."""
        if self._game_id is None:
            return
        if again:
            await self._claims.owe(self._game_id, Reason.RECONNECT)
        else:
            await self._claims.ask(self._game_id, Reason.CENSUS)


def _id(heard: Heard) -> str:
    """An event that is said twice is the same; two hints may look alike and are not."""
    if isinstance(heard.incoming, GameEvent):
        return f"ws:{hashlib.sha256(heard.body).hexdigest()[:32]}"
    return f"ws:{secrets.token_hex(16)}"
