"""Each change of a mirror, encoded once: the feed that a reader resumes from, and the channel."""

from collections.abc import Sequence
from typing import Final

import msgspec
from redis.asyncio import Redis

from ludo.mirror.settle import Change
from ludo.store import keys
from ludo.upstream.wire import event_body

FEED_LENGTH: Final = 256


def encode_delta(change: Change, now: int) -> bytes:
    """The complete `d` frame of `ludorelay.v1` for one change; `now` is Unix milliseconds."""
    body = event_body(change.event)
    return msgspec.json.encode(
        {
            "t": "d",
            "game": change.event.game_id,
            "seq": change.event.event.sequence,
            "at": now,
            "ev": {"type": body["type"], **body["data"], "captured": change.captured},
            "patch": change.patch,
        }
    )


def delta_message(epoch: str, sequence: int, frame: bytes) -> bytes:
    """What is published for one change."""
    return b"1 d %s %d %s" % (epoch.encode(), sequence, frame)


def replaced_message(epoch: str, sequence: int, why: str) -> bytes:
    """What is published when a resync replaced the mirror."""
    return b"1 s %s %d %s" % (epoch.encode(), sequence, why.encode())


def freshness_message(epoch: str, sequence: int, as_of: int, stale: bool) -> bytes:
    """What is published when only the mirror's freshness changed."""
    return b"1 m %s %d %d %d" % (epoch.encode(), sequence, as_of, stale)


class Feed:
    """Reads the feed of changes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def after(self, game_id: str, sequence: int) -> list[tuple[int, bytes]]:
        """The kept changes with a greater sequence, in order, as (sequence, `d` frame)."""
        entries: Sequence[tuple[bytes, dict[bytes, bytes]]] = await self._redis.xrange(
            keys.feed(game_id), min=f"({sequence}-0", max="+", count=FEED_LENGTH
        )
        return [(int(entry.split(b"-")[0]), fields[b"f"]) for entry, fields in entries]
