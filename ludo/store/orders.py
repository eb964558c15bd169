"""What operators order all nodes of the relay to do, and which tokens are revoked.

An order is kept in a stream that every node reads on; its publication only hurries that up.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.scripts import Scripts

KEPT_S: Final = 24 * 3600
LONGEST_S: Final = 30 * 24 * 3600
BOUND: Final = 1_000
_AT_ONCE: Final = 500

log = structlog.get_logger("orders")


class Revoke(msgspec.Struct, frozen=True, tag_field="kind", tag="revoke"):
    """Tokens end: all that a player has so far, or the one with this `jti`."""

    player: str | None = None
    token: str | None = None


class Kick(msgspec.Struct, frozen=True, tag_field="kind", tag="kick"):
    """Connections end: all of a player, or the one with this id; their tokens stay good."""

    player: str | None = None
    conn: str | None = None
    reason: str = "sent away by an operator"


Order = Revoke | Kick
_DECODER: Final[msgspec.json.Decoder[Order]] = msgspec.json.Decoder(Order)


@dataclass(frozen=True, slots=True)
class Given:
    """An order and its place in the stream."""

    id: str
    order: Order


class Orders:
    """Gives and reads orders; every call raises redis.exceptions.RedisError."""

    def __init__(self, redis: Redis, scripts: Scripts) -> None:
        self._redis = redis
        self._scripts = scripts

    async def give(self, order: Order, kept_s: int = KEPT_S) -> None:
        """Orders all nodes; what is revoked stays so for `kept_s` seconds."""
        await self._scripts.run(
            "give_order",
            keys=[keys.ORDERS, _revoked(order) or keys.ORDERS],
            args=[msgspec.json.encode(order), min(kept_s, LONGEST_S), BOUND, KEPT_S],
        )

    async def last(self) -> str:
        """The place of the newest order."""
        newest = await self._redis.xrevrange(keys.ORDERS, count=1)
        return newest[0][0].decode() if newest else "0-0"

    async def after(self, place: str) -> list[Given]:
        """The orders given after a place, oldest first."""
        entries = await self._redis.xrange(keys.ORDERS, min=f"({place}", count=_AT_ONCE)
        return [
            Given(entry.decode(), order) for entry, fields in entries if (order := _read(fields))
        ]

    async def is_revoked(self, player: str, token: str | None, issued: int | None) -> bool:
        """Whether a token was revoked; one that does not say when it was issued counts as old."""
        names = [keys.revoked_player(player)]
        if token is not None:
            names.append(keys.revoked_token(token))
        before, *of_token = await self._redis.mget(names)
        if any(of_token):
            return True
        return before is not None and (issued is None or issued <= int(before))


def _revoked(order: Order) -> str | None:
    match order:
        case Revoke(player=str(player)):
            return keys.revoked_player(player)
        case Revoke(token=str(token)):
            return keys.revoked_token(token)
        case _:
            return None


def _read(fields: dict[bytes, bytes]) -> Order | None:
    try:
        return _DECODER.decode(fields[b"o"])
    except (KeyError, msgspec.DecodeError) as error:  # a newer version's: not for us
        log.warning("order.unreadable", error=repr(error))
        return None
