"""Upstream's answers, kept for all replicas, and fetched by one of them at a time.

An entry counts under the generations of its tags: a purge makes a new generation, so it costs one
step however much it covers, and what was fetched before it is never seen after it. Answers that
depend on header fields of the request (`Vary`) are kept beside each other, each under a secondary
key (RFC 9111 §4.1).
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store import keys
from ludo.store.scripts import Scripts
from ludo.tasks import end

FLIGHT_MS: Final = 2_000
"""A flight whose leader died is taken over after this; a living leader prolongs it."""
PROLONG_S: Final = 0.5
TAG_TTL_S: Final = 24 * 3600
LONGEST_S: Final = 12 * 3600
"""An entry ends before the generations that it was purged by, or it would count again."""
MOST_ENTRIES: Final = 4096
LARGEST: Final = 256 * 1024
"""Bytes of an entry beyond which it is not kept: all of them together stay below 1 GiB."""


class Freshness(StrEnum):
    """How good a kept answer still is."""

    FRESH = "fresh"
    USABLE = "usable"
    """Its soft lifetime is over: good to answer with, while somebody fetches the next one."""
    OLD = "old"
    """Its hard lifetime is over: good only if upstream fails."""
    SPENT = "spent"
    """Good for nothing but asking upstream whether it still holds."""
    NONE = "none"


class Role(StrEnum):
    """Who fetches the next answer."""

    NONE = "none"
    LEAD = "lead"
    FOLLOW = "follow"
    FAILED = "failed"
    """Somebody tried a moment ago; the note says what happened."""
    ALONE = "alone"
    """The last answer was not for others: everybody fetches for himself, and waits for nobody."""


class Landing(StrEnum):
    """What became of a fetched answer."""

    KEPT = "kept"
    PURGED = "purged"
    """It was asked for before a purge: not even those who wait for it may have it."""
    LOST = "lost"
    """Somebody else fetches by now, or has; or it is too large. It is good for those who wait."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A kept answer.

    `headers` are in upstream's order with lower-case names; `stored_at` is Unix milliseconds of
    Redis' clock, and `age` how many seconds old the answer was then (RFC 9111 §4.2.3).
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    etag: str
    stored_at: int
    age: int = 0


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds an answer may be used: `soft` as it is, `hard` while a new one is fetched, and
    `on_error` longer than that if upstream fails.

    For `confirm` longer than `hard` it is kept to ask upstream whether it still holds.
    """

    soft: float
    hard: float
    on_error: float = 600.0
    confirm: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """What the cache says: the entry if any, and who fetches.

    `now` is Redis' Unix ms, `left` how many ms the entry stays fresh; `secondary` is the secondary
    key that the request's header fields select.
    """

    freshness: Freshness
    role: Role
    now: int
    generations: bytes
    entry: Entry | None
    note: bytes
    left: int = 0
    secondary: str = ""


@dataclass(frozen=True, slots=True)
class Flight:
    """Our right to fetch one answer for everybody."""

    key: str
    tags: tuple[str, ...]
    token: str
    generations: bytes
    secondary: str = ""
    began: int = 0
    """Unix ms of Redis' clock."""


Fields = Mapping[str, str]
"""Header fields of a request that an answer may vary on, by lower-case name."""
_NONE: Final[Fields] = {}
_NOT_FOR_OTHERS: Final = b"-"
_ENTRY: Final = msgspec.msgpack.Decoder(Entry)


class SharedCache:
    """The cache of all replicas; every call raises redis.exceptions.RedisError."""

    def __init__(self, redis: Redis, scripts: Scripts) -> None:
        self._redis = redis
        self._scripts = scripts

    async def look(
        self, key: str, tags: Sequence[str], token: str, fields: Fields = _NONE
    ) -> Found:
        """The answer kept under a key, and whether `token` may fetch the next one."""
        answer = await self._scripts.run(
            "look_in_cache",
            keys=_keys(key, tags),
            args=[token, FLIGHT_MS, len(fields), *_flat(fields)],
        )
        freshness, role, now, generations, body, note, left, secondary = answer
        return Found(
            Freshness(freshness.decode()),
            Role(role.decode()),
            now,
            generations,
            _ENTRY.decode(body) if body else None,
            note,
            left,
            secondary.decode(),
        )

    async def keep(
        self,
        flight: Flight,
        entry: Entry,
        lifetimes: Lifetimes,
        *,
        vary: Sequence[str] = (),
        fields: Fields = _NONE,
    ) -> Landing:
        """Keep a fetched answer and end the flight.

        `vary` are the names of the request's fields that it depends on, in lower case. What is
        larger than `LARGEST` only ends the flight.
        """
        body = msgspec.msgpack.encode(entry)
        soft = min(lifetimes.soft, LONGEST_S)
        hard = min(max(lifetimes.hard, soft), LONGEST_S)
        on_error = min(hard + lifetimes.on_error, LONGEST_S)
        whole = min(hard + max(lifetimes.on_error, lifetimes.confirm), LONGEST_S)
        if len(body) > LARGEST:
            await self.abandon(flight)
            return Landing.LOST
        verdict: bytes = await self._scripts.run(
            "keep_in_cache",
            keys=_keys(flight.key, flight.tags),
            args=[
                flight.token,
                flight.generations,
                flight.secondary,
                flight.began,
                body,
                int(soft * 1000),
                int(hard * 1000),
                int(on_error * 1000),
                max(1, int(whole * 1000)),
                MOST_ENTRIES,
                " ".join(vary),
                len(fields),
                *_flat(fields),
            ],
        )
        return Landing(verdict.decode())

    async def fail(self, flight: Flight, note: bytes, seconds: float) -> None:
        """End the flight, and tell whoever asks in the next seconds why there is no answer."""
        await self._hold(flight, seconds, note)

    async def scatter(self, flight: Flight, seconds: float) -> None:
        """End the flight with an answer that is nobody else's: for so long everybody asks alone.

        Else those who wait would fetch one after the other.
        """
        await self._hold(flight, seconds, _NOT_FOR_OTHERS)

    async def abandon(self, flight: Flight) -> None:
        """End the flight; the next one who asks fetches."""
        await self._scripts.run(
            "give_back",
            keys=[keys.cache_flight(flight.key + flight.secondary)],
            args=[flight.token],
        )

    @asynccontextmanager
    async def prolonged(self, flight: Flight) -> AsyncIterator[None]:
        """Keeps the flight ours for as long as the block runs."""
        tasks: list[asyncio.Task[None]] = []

        def begin() -> None:
            tasks.append(asyncio.create_task(self._prolong(flight), name="flight"))

        # Most flights are over before that: a timer costs them less than a task.
        waiting = asyncio.get_running_loop().call_later(PROLONG_S, begin)
        try:
            yield
        finally:
            waiting.cancel()
            await end(*tasks)

    async def purge(self, tags: Iterable[str]) -> None:
        """Make everything that carries one of the tags, kept or on its way, count no more."""
        async with self._redis.pipeline(transaction=True) as pipe:
            for tag in tags:
                pipe.incr(keys.cache_tag(tag))
                pipe.expire(keys.cache_tag(tag), TAG_TTL_S)
                pipe.publish(keys.PURGED, tag)
            await pipe.execute()

    async def _prolong(self, flight: Flight) -> None:
        while True:
            with suppress(RedisError, OSError):
                await self._hold(flight, FLIGHT_MS / 1000, b"")
            await asyncio.sleep(PROLONG_S)

    async def _hold(self, flight: Flight, seconds: float, note: bytes) -> None:
        await self._scripts.run(
            "hold_flight",
            keys=[keys.cache_flight(flight.key + flight.secondary)],
            args=[flight.token, int(seconds * 1000), note],
        )


def new_token() -> str:
    """A token that nobody else has."""
    return secrets.token_hex(8)


def _keys(key: str, tags: Sequence[str]) -> list[str]:
    return [
        keys.cache_entry(key),
        keys.cache_flight(key),
        keys.cache_vary(key),
        keys.CACHED,
        *map(keys.cache_tag, tags),
    ]


def _flat(fields: Fields) -> list[str]:
    return [text for name, value in fields.items() for text in (name, _normal(name, value))]


def _normal(name: str, value: str) -> str:
    """A value as values are compared: blanks between its members say nothing (RFC 9111 §4.1)."""
    joined = ",".join(member.strip() for member in value.split(","))
    return joined.lower() if name == "accept-language" else joined
