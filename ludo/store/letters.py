"""Dead letters: events that were given up, each kept with its reason until somebody decides."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

import msgspec
from redis.asyncio import Redis

from ludo.mirror.settle import Outcome
from ludo.store import keys
from ludo.store.scripts import Scripts

REDRIVE: Final = "redrive"
"""The source of an event that an operator sent in again."""
PENDING: Final = "pending"
REFUSED: Final = "refused"
DISCARDED_KEPT: Final = 10_000
_PAGE: Final = 200
_SETTLED: Final = frozenset({Outcome.APPLIED, Outcome.DUPLICATE, Outcome.STALE, Outcome.FILTERED})


@dataclass(frozen=True, slots=True)
class Redrive:
    """The last time that a letter was sent in again: when (Unix ms), and what became of it.

    `tries` counts all times. `outcome` is that of the event, `pending` while it waits, or
    `refused` when the store did not take it; `cause` says why it died again or was refused.
    """

    tries: int
    at: int
    nonce: str
    outcome: str = PENDING
    cause: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether the event has found its place, so that nobody need look at the letter again."""
        return self.outcome in _SETTLED


@dataclass(frozen=True, slots=True)
class Letter:
    """An event that was given up.

    `received_at` and `decided_at` are Unix milliseconds; `sequence` is None for an event without
    one. `clause` and `sentence` are there when it broke a rule; `headers` hold no secret.
    """

    id: str
    game_id: str
    sequence: int | None
    cause: str
    source: str
    webhook_id: str
    received_at: int
    decided_at: int
    body: bytes
    clause: str = ""
    sentence: str = ""
    key_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    redrive: Redrive | None = None

    @property
    def attempts(self) -> int:
        """How often it was tried: when it came, and each time that it was redriven."""
        return 1 + (self.redrive.tries if self.redrive else 0)

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to decide what becomes of it."""
        return self.redrive is None or not self.redrive.is_settled


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant: all of these at once. Ages are seconds since they were given up.

    Letters whose event found its place when it was redriven are left out unless `settled`.
    """

    game_id: str | None = None
    cause: str | None = None
    older_than: float | None = None
    newer_than: float | None = None
    settled: bool = False

    def matches(self, letter: Letter, now: int) -> bool:
        """Whether the letter is meant, at that time (Unix ms)."""
        age = (now - letter.decided_at) / 1000
        return (
            (self.settled or letter.is_open)
            and self.game_id in (None, letter.game_id)
            and self.cause in (None, letter.cause)
            and (self.older_than is None or age > self.older_than)
            and (self.newer_than is None or age < self.newer_than)
        )


class DeadLetters:
    """Reads and discards dead letters; every call raises redis.exceptions.RedisError."""

    def __init__(self, redis: Redis, scripts: Scripts) -> None:
        self._redis = redis
        self._scripts = scripts

    async def count(self) -> int:
        """How many are kept, settled ones too."""
        return int(await self._redis.xlen(keys.DEAD_LETTERS))

    async def find(self, letter_id: str) -> Letter | None:
        """One letter, or None if there is none of this id."""
        if not _is_id(letter_id):
            return None
        found = await self._redis.xrange(keys.DEAD_LETTERS, letter_id, letter_id)
        return (await self._letters(found))[0] if found else None

    async def select(self, wanted: Wanted) -> AsyncIterator[Letter]:
        """The letters that are meant, oldest first; those that come meanwhile are left out."""
        last = await self._redis.xrevrange(keys.DEAD_LETTERS, count=1)
        if not last:
            return
        now = await self._now()
        start, end = "-", last[0][0]
        while page := await self._redis.xrange(keys.DEAD_LETTERS, start, end, count=_PAGE):
            for letter in await self._letters(page):
                if wanted.matches(letter, now):
                    yield letter
            start = f"({page[-1][0].decode()}"

    async def discard(self, letter_ids: Iterable[str], *, by: str) -> list[str]:
        """Drops letters for good, and records that and by whom; the ids that there were."""
        ids = [each for each in letter_ids if _is_id(each)]
        gone: list[bytes] = await self._scripts.run(
            "discard_letters",
            keys=[keys.DEAD_LETTERS, keys.REDRIVEN, keys.DISCARDED, keys.COUNTERS],
            args=[secrets.token_hex(8), by, DISCARDED_KEPT, keys.REDRIVEN_TTL_S, *ids],
        )
        return [each.decode() for each in gone]

    async def begin_redrive(self, letter_id: str) -> str | None:
        """Counts another try of the letter; its nonce, or None if there is no such letter."""
        if not _is_id(letter_id):
            return None
        nonce = secrets.token_hex(8)
        begun = await self._scripts.run(
            "begin_redrive",
            keys=[keys.DEAD_LETTERS, keys.REDRIVEN],
            args=[letter_id, nonce, keys.REDRIVEN_TTL_S],
        )
        return nonce if begun else None

    async def settle_redrive(self, letter_id: str, nonce: str, outcome: str, cause: str) -> None:
        """Notes what became of a redrive that no worker decides."""
        await self._scripts.run(
            "settle_redrive", keys=[keys.REDRIVEN], args=[letter_id, nonce, outcome, cause]
        )

    async def last_redrive(self, letter_id: str) -> Redrive | None:
        """How the letter's last redrive stands; None if it never was redriven."""
        kept = await self._kept([letter_id])
        return _redrive(kept[0])

    async def _letters(
        self, entries: Sequence[tuple[bytes, Mapping[bytes, bytes]]]
    ) -> list[Letter]:
        kept = await self._kept([entry for entry, _ in entries])
        return [
            _letter(entry.decode(), fields, _redrive(text))
            for (entry, fields), text in zip(entries, kept, strict=True)
        ]

    async def _kept(self, letter_ids: Sequence[str | bytes]) -> list[bytes | None]:
        answer = self._redis.hmget(keys.REDRIVEN, list(letter_ids))
        return await cast(Awaitable[list[bytes | None]], answer)

    async def _now(self) -> int:
        seconds, micros = await self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000


def redrive_id(letter_id: str, nonce: str) -> str:
    """The id under which a letter is accepted again: another one each time."""
    return f"{REDRIVE}:{letter_id}:{nonce}"


def redrive_of(webhook_id: str) -> tuple[str, str]:
    """The letter and the nonce in such an id."""
    _, letter_id, nonce = webhook_id.split(":")
    return letter_id, nonce


def _is_id(text: str) -> bool:
    """Whether it can be the id of a stream's entry; Redis calls anything else an error."""
    ms, dash, count = text.partition("-")
    numbers = (ms, count)
    return bool(dash) and all(n.isascii() and n.isdecimal() and len(n) <= 19 for n in numbers)


def _redrive(text: bytes | None) -> Redrive | None:
    if text is None:
        return None
    tries, at, nonce, outcome, cause = text.decode().split(" ")
    return Redrive(int(tries), int(at), nonce, outcome, cause)


def _letter(letter_id: str, fields: Mapping[bytes, bytes], redrive: Redrive | None) -> Letter:
    def text(name: str) -> str:
        return fields.get(name.encode(), b"").decode()

    given_up = int(letter_id.split("-")[0])
    return Letter(
        id=letter_id,
        game_id=text("game"),
        sequence=int(text("sequence")) if text("sequence") else None,
        cause=text("cause"),
        source=text("source"),
        webhook_id=text("webhook_id"),
        received_at=int(text("received_at") or given_up),
        decided_at=int(text("decided_at") or given_up),
        body=fields.get(b"body", b""),
        clause=text("clause"),
        sentence=text("sentence"),
        key_id=text("key_id"),
        headers=msgspec.json.decode(text("headers") or "{}"),
        redrive=redrive,
    )
