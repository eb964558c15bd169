"""Accepting a verified delivery: one script, durable before it answers."""

import hashlib
import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, assert_never

import msgspec
from redis.exceptions import RedisError

from ludo.mirror.incoming import GameEvent, Hint, Incoming, RoomEvent, UnknownEvent
from ludo.store import keys
from ludo.store.claims import DEAD_LETTERS_KEPT
from ludo.store.errors import StoreUnavailable
from ludo.store.scripts import Arg, Scripts
from ludo.upstream.wire.events import Kind

DEADLINE_S: Final = 2.0
INBOX_BOUND: Final = 1_000
BACKLOG: Final = 100_000
"""Undecided events of all games together, beyond which nothing is accepted."""
ROOMS_TAG: Final = "rooms"


class Verdict(StrEnum):
    """What became of a delivery.

    `overflow` and `id-conflict` are kept as dead letters; `full` is the only one not stored.
    `stale` is decided at once: the archive has the game.
    """

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    ID_CONFLICT = "id-conflict"
    OVERFLOW = "overflow"
    FULL = "full"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified delivery: `body` as it was signed, and what it says.

    `headers` are those that may be shown to an operator: no signature, no credentials.
    """

    webhook_id: str
    body: bytes
    incoming: Incoming
    source: str = "webhook"
    key_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Inbox:
    """Where accepted deliveries go. `backlog` bounds the undecided events of all games."""

    def __init__(self, scripts: Scripts, *, backlog: int) -> None:
        self._scripts = scripts
        self._backlog = backlog
        self._own, self._calls = secrets.token_hex(8), itertools.count()

    async def accept(self, delivery: Delivery) -> Verdict:
        """Stores the delivery; when this returns, it survives the death of every process.

        Raises StoreUnavailable if Redis does not say so within its deadline.
        """
        incoming = delivery.incoming
        try:
            match incoming:
                case GameEvent():
                    answer = await self._event(delivery, incoming)
                case RoomEvent():
                    closed = incoming.kind == Kind.ROOM_CLOSED
                    room = incoming.room_code
                    answer = await self._notice(delivery, "room", room=room, closed=closed)
                case Hint():
                    answer = await self._notice(delivery, "hint", game_id=incoming.game_id)
                case UnknownEvent():
                    answer = await self._notice(delivery, "unknown")
                case _:
                    assert_never(incoming)
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(f"expected Redis to store the delivery; {error!r}") from error
        return Verdict(answer.decode())

    async def _event(self, delivery: Delivery, incoming: GameEvent) -> bytes:
        game_id = incoming.game_id
        args: list[Arg] = [
            game_id,
            delivery.webhook_id,
            _digest(delivery.body),
            self._nonce(),
            delivery.source,
            incoming.event.sequence,
            incoming.digest,
            delivery.body,
            delivery.key_id,
            INBOX_BOUND,
            self._backlog,
            keys.GAME_TTL_S,
            DEAD_LETTERS_KEPT,
            _headers(delivery),
        ]
        answer: bytes = await self._scripts.run(
            "accept_event",
            keys=[
                keys.game(game_id),
                keys.inbox(game_id),
                keys.seen(game_id),
                keys.lease(game_id),
                keys.DUE,
                keys.COUNTERS,
                keys.DEAD_LETTERS,
                keys.ARQ_QUEUE,
                keys.NUDGE,
            ],
            args=args,
            within=DEADLINE_S,
        )
        return answer

    def _nonce(self) -> str:
        """Another text for each call of any process."""
        return f"{self._own}{next(self._calls):x}"

    async def _notice(
        self,
        delivery: Delivery,
        kind: str,
        *,
        game_id: str = "",
        room: str = "",
        closed: bool = False,
    ) -> bytes:
        tags = [f"room:{room}", ROOMS_TAG] if kind == "room" else []
        args: list[Arg] = [
            kind,
            delivery.webhook_id,
            _digest(delivery.body),
            self._nonce(),
            delivery.source,
            delivery.body,
            delivery.key_id,
            game_id,
            keys.DELIVERY_TTL_S,
            keys.GAME_TTL_S,
            DEAD_LETTERS_KEPT,
            _headers(delivery),
            keys.PURGED,
            keys.room_game(room) if closed else "",
            keys.game(""),
            self._backlog,
            *tags,
        ]
        answer: bytes = await self._scripts.run(
            "accept_notice",
            keys=[
                keys.delivery(delivery.webhook_id),
                keys.COUNTERS,
                keys.DEAD_LETTERS,
                keys.FILTERED,
                keys.game(game_id),
                keys.lease(game_id),
                keys.DUE,
                keys.ARQ_QUEUE,
                keys.NUDGE,
                *(keys.cache_tag(tag) for tag in tags),
            ],
            args=args,
            within=DEADLINE_S,
        )
        return answer


def _headers(delivery: Delivery) -> bytes:
    return msgspec.json.encode(delivery.headers)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
