"""Each change of a mirror, encoded once: the feed that a reader resumes from, and the channel."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from ludo.mirror.settle import Change
from ludo.store import keys
from ludo.upstream.wire import event_body

FEED_LENGTH: Final = 256


class DeltaFrame(msgspec.Struct, frozen=True, tag_field="t", tag="d"):
    """One event: `ev` to animate it, `patch` (RFC 6902) to apply to the state before it."""

    game: str
    seq: int
    at: int
    ev: dict[str, Any]
    patch: list[dict[str, Any]]


def encode_delta(change: Change, now: int) -> bytes:
    """The complete `d` frame of `ludorelay.v1` for one change; `now` is Unix milliseconds."""
    body = event_body(change.event)
    return msgspec.json.encode(
        DeltaFrame(
            game=change.event.game_id,
            seq=change.event.event.sequence,
            at=now,
            ev={"type": body["type"], **body["data"], "captured": change.captured},
            patch=change.patch,
        )
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


def talk_message(frame: bytes) -> bytes:
    """What is published for a `said` frame."""
    return b"1 t %s" % frame


class Feed:
    """Reads the feed of changes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def after(self, game_id: str, sequence: int) -> list[tuple[int, bytes]]:
        """The kept changes with a greater sequence, in order, as (sequence, `d` frame)."""
        return _changes(await self._redis.xrange(**_above(game_id, sequence)))

    async def in_epoch(self, game_id: str, epoch: str, sequence: int) -> list[tuple[int, bytes]]:
        """The same if the mirror is in this epoch, else none; both are read in one step."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hget(keys.game(game_id), "epoch")
            pipe.xrange(**_above(game_id, sequence))
            found, entries = await pipe.execute()
        return _changes(entries) if found == epoch.encode() else []


def _above(game_id: str, sequence: int) -> dict[str, Any]:
    return {
        "name": keys.feed(game_id),
        "min": f"({sequence}-0",
        "max": "+",
        "count": FEED_LENGTH,
    }


def _changes(entries: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[tuple[int, bytes]]:
    return [(int(entry.split(b"-")[0]), fields[b"f"]) for entry, fields in entries]
