"""The evidence ring: refused deliveries, kept for a while so that they can be verified again."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from redis.asyncio import Redis

from ludo.store import keys

KEPT: Final = 1_000
BODY_KEPT: Final = 16_384
HEADER_KEPT: Final = 2_048
SIGNED_HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refused delivery with what is needed to verify it again.

    `received_at` is Unix seconds; `size` is the length of the whole body, None if it was not read
    to its end.
    """

    reason: str
    received_at: float
    headers: tuple[tuple[str, str], ...]
    body: bytes
    size: int | None

    @classmethod
    def of(
        cls, reason: str, headers: Mapping[str, str], body: bytes | None, received_at: float
    ) -> Self:
        """The evidence of one refusal; of the headers only the three that are verified."""
        kept = tuple(
            (name, headers[name][:HEADER_KEPT]) for name in SIGNED_HEADERS if name in headers
        )
        if body is None:
            return cls(reason, received_at, kept, b"", None)
        return cls(reason, received_at, kept, body[:BODY_KEPT], len(body))

    @property
    def is_whole(self) -> bool:
        """Whether all of the body was kept."""
        return self.size == len(self.body)

    @property
    def webhook_id(self) -> str:
        """The id that it claimed, which nobody has verified."""
        return dict(self.headers).get("webhook-id", "")


@dataclass(frozen=True, slots=True)
class Entry:
    """A refused delivery at its place in the ring."""

    id: str
    rejected: Rejected


class RejectedRing:
    """About `KEPT` refusals, the oldest dropped first; calls raise redis.exceptions.RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, rejected: Rejected) -> None:
        """Keeps one refusal."""
        fields: dict[Any, Any] = {
            "v": "1",
            "reason": rejected.reason,
            "received_at": repr(rejected.received_at),
            "size": "" if rejected.size is None else str(rejected.size),
            "body": rejected.body,
            **{name: _bytes(value) for name, value in rejected.headers},
        }
        await self._redis.xadd(keys.REJECTED, fields, maxlen=KEPT, approximate=True)

    async def count(self) -> int:
        """How many are kept."""
        return int(await self._redis.xlen(keys.REJECTED))

    async def newest(self, limit: int) -> Sequence[Entry]:
        """The last ones, newest first."""
        found = await self._redis.xrevrange(keys.REJECTED, count=limit)
        return [_entry(entry_id, fields) for entry_id, fields in found]

    async def oldest_first(self) -> AsyncIterator[Entry]:
        """All that are there now, in pages; what is removed meanwhile is not missed by anybody."""
        last = await self._redis.xrevrange(keys.REJECTED, count=1)
        if not last:
            return
        start, end = "-", last[0][0]
        while page := await self._redis.xrange(keys.REJECTED, start, end, count=_PAGE):
            for entry_id, fields in page:
                yield _entry(entry_id, fields)
            start = f"({page[-1][0].decode()}"

    async def remove(self, entry_ids: Iterable[str]) -> None:
        """Drops entries; one that is gone already is no error."""
        await self._redis.xdel(keys.REJECTED, *entry_ids)


def _bytes(value: str) -> bytes:
    # Headers are latin-1 (RFC 9110 §5.5); a round trip must not change what was signed.
    return value.encode("latin-1", "replace")


def _entry(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    headers = tuple(
        (name, fields[name.encode()].decode("latin-1"))
        for name in SIGNED_HEADERS
        if name.encode() in fields
    )
    size = fields[b"size"]
    return Entry(
        entry_id.decode(),
        Rejected(
            reason=fields[b"reason"].decode(),
            received_at=float(fields[b"received_at"]),
            headers=headers,
            body=fields[b"body"],
            size=int(size) if size else None,
        ),
    )
