"""The log of a game as it is kept: in Redis while the game is hot, in SQL afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from redis.asyncio import Redis

from ludo.mirror.body import from_body, to_body
from ludo.mirror.incoming import GameEvent
from ludo.mirror.log import Entry, Happened, Resynced
from ludo.rules.ruleset import RuleSet
from ludo.store import keys
from ludo.upstream.wire import event_body, parse_event

VERSION: Final = 1
LENGTH: Final = 20_000
"""Entries of a hot game that are kept: some 20 times what a long game has."""
EVENT: Final = "event"
RESYNC: Final = "resync"
_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as text: `kind` is event or resync, `body` an event's body or a state's."""

    kind: str
    sequence: int
    why: str
    body: bytes
    at: int = 0
    """When it was written (Unix ms of Redis' clock)."""


def to_kept(entry: Entry) -> Kept:
    """The text that says what this entry says."""
    if isinstance(entry, Happened):
        return Kept(EVENT, entry.sequence, "", msgspec.json.encode(event_body(entry.event)))
    body = msgspec.json.encode(to_body(entry.snapshot))
    return Kept(RESYNC, entry.sequence, entry.why, body)


def from_kept(kept: Kept, rules: RuleSet) -> Entry:
    """The entry that a text says; ValueError for a text that is none of ours."""
    if kept.kind == RESYNC:
        return Resynced(from_body(msgspec.json.decode(kept.body), rules), kept.why)
    event = parse_event(kept.body)
    if kept.kind != EVENT or not isinstance(event, GameEvent):
        raise ValueError(f"expected an event or a resync; found {kept.kind}")
    return Happened(event)


class HotLog:
    """Reads the logs of games in Redis; every call raises redis.exceptions.RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def load(self, game_id: str) -> list[Kept]:
        """All entries in order; none for a game that is not hot."""
        kept: list[Kept] = []
        after = "-"
        while True:
            found: Sequence[tuple[bytes, dict[bytes, bytes]]] = await self._redis.xrange(
                keys.log(game_id), min=after, max="+", count=_CHUNK
            )
            kept += [_kept(entry, fields) for entry, fields in found]
            if len(found) < _CHUNK:
                return kept
            after = "(" + found[-1][0].decode()


def _kept(entry: bytes, fields: dict[bytes, bytes]) -> Kept:
    return Kept(
        kind=fields[b"k"].decode(),
        sequence=int(fields[b"s"]),
        why=fields[b"w"].decode(),
        body=fields[b"b"],
        at=int(entry.split(b"-")[0]),
    )
