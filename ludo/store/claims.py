"""The worker's side of a game: claim it, commit a decision, start a resync, sweep."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, field
from typing import Any, Final, Literal

from ludo import tasks
from ludo.mirror.log import Entry
from ludo.mirror.owed import Reason
from ludo.mirror.settle import Waiting
from ludo.rules.ruleset import RuleSet
from ludo.store import keys
from ludo.store.feed import FEED_LENGTH
from ludo.store.log import LENGTH, Kept, to_kept
from ludo.store.record import Record, check_version, read_record, write_record
from ludo.store.scripts import Arg, Scripts
from ludo.upstream.wire import Told, parse_told

LEASE_MS: Final = 5_000
FLIGHT_MS: Final = 4_000
"""How long nobody else asks after a worker died that was asking; whoever lives prolongs it."""
BATCH: Final = 1_000
DEAD_LETTERS_KEPT: Final = 100_000
SWEEP_LIMIT: Final = 500
ENOUGH: Final = 256
"""Events after which a claim takes no further game: some 20 ms of a worker's time."""
MOST: Final = 64
REACH: Final = 256
"""Due games that one claim looks at: those that others hold are passed over."""

Mode = Literal["hold", "release", "yield"]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Events read from an inbox, and the digests applied under their sequences."""

    now: int
    last: str
    waiting: tuple[Waiting, ...]
    applied_digests: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A game held under a lease: only the holder of `token` can write it."""

    game_id: str
    token: str
    record: Record
    arrivals: Arrivals


@dataclass(frozen=True, slots=True)
class Taken:
    """A game held under a lease, as it came: what cannot be read is its own failure."""

    game_id: str
    token: str
    now: int
    values: Sequence[Any]
    entries: Sequence[Any]
    digests: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Due:
    """What a claim of many took; whether there is more, and whether a resync waits for a job."""

    games: tuple[Taken, ...] = ()
    more: bool = False
    owing: bool = False


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of a redriven dead letter; `nonce` tells which redrive it is about."""

    letter: str
    nonce: str
    outcome: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that one decision writes, in one script."""

    record: Record
    next_look: int | None
    decided_entries: Sequence[str] = ()
    applied_digests: Mapping[int, str] = field(default_factory=dict)
    late_digests: Mapping[int, str] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    feed_dropped: bool = False
    frames: Sequence[tuple[int, bytes]] = ()
    dead_letters: Sequence[bytes] = ()
    messages: Sequence[bytes] = ()
    redriven: Sequence[Redriven] = ()
    log: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True)
class Flight:
    """The one resync of a game that is under way, since `began` (Unix ms of Redis' clock)."""

    token: str
    began: int


class LeaseLost(Exception):
    """Another worker may hold the game now; nothing was written."""


class Claims:
    """Runs the scripts that a worker needs; every call raises redis.exceptions.RedisError."""

    def __init__(self, scripts: Scripts, rules: RuleSet) -> None:
        self._scripts = scripts
        self._rules = rules

    async def claim(self, game_id: str) -> Claimed | None:
        """The game with all that waits for it; None while another worker holds it, or if it is
        archived."""
        token = secrets.token_hex(8)
        answer = await self._scripts.run(
            "claim",
            keys=[
                keys.game(game_id),
                keys.lease(game_id),
                keys.inbox(game_id),
                keys.seen(game_id),
                keys.ARQ_QUEUE,
            ],
            args=[token, LEASE_MS, BATCH],
        )
        return self.read(Taken(game_id, token, *answer[1:])) if answer[0] == b"ok" else None

    async def claim_due(self) -> Due:
        """The games that are due and nobody has, the longest due first; their wake-ups are gone.

        It takes at least one, if there is one, and no more once there are ENOUGH events.
        """
        token = secrets.token_hex(8)
        prefixes = (keys.game, keys.lease, keys.inbox, keys.seen, keys.flight)
        now, more, owing, *games = await self._scripts.run(
            "claim_due",
            keys=[keys.DUE, keys.ARQ_QUEUE, keys.NUDGE],
            args=[token, LEASE_MS, BATCH, MOST, ENOUGH, REACH, *(key("") for key in prefixes)],
        )
        taken = tuple(Taken(game_id.decode(), token, now, *rest) for game_id, *rest in games)
        return Due(taken, bool(more), bool(owing))

    def read(self, taken: Taken) -> Claimed:
        """The game with all that waits for it; raises for a record or an entry that is none."""
        record = read_record(taken.values, self._rules)
        arrivals = _arrivals(taken.now, "", taken.entries, taken.digests)
        return Claimed(taken.game_id, taken.token, record, arrivals)

    async def commit(
        self,
        claimed: Claimed,
        commit: Commit,
        mode: Mode,
        *,
        last: str,
        flight: Flight | None = None,
    ) -> Arrivals | None:
        """Writes the decision; what has arrived meanwhile, or None once the lease is given back.

        Raises LeaseLost when the lease has passed to somebody else.
        """
        nonce = secrets.token_hex(8)
        answer = await self._scripts.run(
            "commit",
            keys=_commit_keys(claimed.game_id, commit),
            args=_commit_args(claimed, commit, mode, last, flight, nonce),
        )
        match answer[0]:
            case b"lost":
                raise LeaseLost(claimed.game_id)
            case b"released":
                return None
        _, now, entries, digests = answer
        return _arrivals(now, last, entries, digests)

    async def begin_resync(self, game_id: str) -> Flight | None:
        """The flight, if a resync is owed now and nobody is at it, else None."""
        token = secrets.token_hex(8)
        answer = await self._scripts.run(
            "begin_resync",
            keys=[keys.game(game_id), keys.flight(game_id)],
            args=[token, FLIGHT_MS],
        )
        return Flight(token, answer[1]) if answer[0] == b"go" else None

    @asynccontextmanager
    async def prolonged(self, game_id: str, flight: Flight) -> AsyncIterator[None]:
        """Keeps the flight for as long as the block runs, however long that is."""

        async def hold() -> None:
            while True:
                await asyncio.sleep(FLIGHT_MS / 1000 / 3)
                await self._scripts.run(
                    "hold", keys=[keys.flight(game_id)], args=[flight.token, FLIGHT_MS]
                )

        async with tasks.beside("flight", hold()):
            yield

    async def sweep(self) -> int:
        """Queues what is due and was forgotten; how many games that were."""
        woken: int = await self._scripts.run(
            "sweep",
            keys=[keys.DUE, keys.ARQ_QUEUE, keys.NUDGE],
            args=[SWEEP_LIMIT, secrets.token_hex(8), keys.game(""), keys.lease("")],
        )
        return woken

    async def ask(self, game_id: str, reason: Reason = Reason.ASKED) -> None:
        """Asks that a game without a mirror be fetched."""
        await self._scripts.run(
            "ask",
            keys=[keys.game(game_id), keys.DUE, keys.lease(game_id), keys.ARQ_QUEUE, keys.NUDGE],
            args=[game_id, secrets.token_hex(8), reason.value],
        )

    async def owe(self, game_id: str, reason: Reason) -> None:
        """Has a game's state fetched, whatever is known of it: events may be missing."""
        await self._scripts.run(
            "owe",
            keys=[keys.game(game_id), keys.DUE, keys.lease(game_id), keys.ARQ_QUEUE, keys.NUDGE],
            args=[game_id, secrets.token_hex(8), reason.value, keys.GAME_TTL_S],
        )


def _arrivals(now: int, last: str, entries: Sequence[Any], digests: Sequence[bytes]) -> Arrivals:
    waiting = tuple(_waiting(entry.decode(), flat) for entry, flat in entries)
    applied = {
        item.event.event.sequence: digest.decode()
        for item, digest in zip(waiting, digests, strict=True)
        if digest
    }
    return Arrivals(now, waiting[-1].entry if waiting else last, waiting, applied)


def _waiting(entry: str, flat: Sequence[bytes]) -> Waiting:
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    check_version(f"entry {entry} of an inbox", fields.get(b"v"))
    digest = fields.get(b"d")
    told = parse_told(fields[b"b"])
    if not isinstance(told, Told):
        raise TypeError(f"expected a game's event in the inbox; found {type(told).__name__}")
    return Waiting(
        entry=entry,
        arrived=int(entry.split("-")[0]),
        source=fields[b"src"].decode(),
        webhook_id=fields[b"i"].decode(),
        event=told.digested(digest.decode() if digest else None),
        body=fields[b"b"],
        key_id=fields.get(b"k", b"").decode(),
        headers=fields.get(b"h", b"").decode(),
    )


def _commit_keys(game_id: str, commit: Commit) -> list[str]:
    mirror = commit.record.mirror
    room = mirror.snapshot.room_code if mirror else ""
    return [
        keys.game(game_id),
        keys.lease(game_id),
        keys.inbox(game_id),
        keys.seen(game_id),
        keys.feed(game_id),
        keys.DUE,
        keys.COUNTERS,
        keys.DEAD_LETTERS,
        keys.ARQ_QUEUE,
        keys.NUDGE,
        keys.PLAYING,
        keys.FINISHED,
        keys.flight(game_id),
        keys.room_game(room) if room else "",
        keys.REDRIVEN,
        keys.log(game_id),
    ]


def _commit_args(
    claimed: Claimed, commit: Commit, mode: Mode, last: str, flight: Flight | None, nonce: str
) -> list[Arg]:
    mirror = commit.record.mirror
    index = "" if mirror is None else "over" if mirror.snapshot.over else "playing"
    args: list[Arg] = [
        claimed.game_id,
        claimed.token,
        nonce,
        str(commit.record.revision),
        mode,
        LEASE_MS,
        last,
        BATCH,
        "" if commit.next_look is None else commit.next_look,
        keys.GAME_TTL_S,
        keys.FEED_TTL_S,
        FEED_LENGTH,
        DEAD_LETTERS_KEPT,
        keys.channel(claimed.game_id),
        flight.token if flight else "",
        index,
        "1" if commit.feed_dropped else "0",
        LENGTH,
    ]
    _add(args, 2, [value for pair in write_record(commit.record).items() for value in pair])
    _add(args, 1, list(commit.decided_entries))
    _add(args, 2, [v for s, digest in commit.applied_digests.items() for v in (f"s:{s}", digest)])
    _add(args, 2, [value for pair in commit.late_digests.items() for value in pair])
    _add(args, 2, [value for pair in commit.counters.items() for value in pair])
    _add(args, 2, [value for pair in commit.frames for value in pair])
    _add(args, 1, list(commit.dead_letters))
    _add(args, 1, list(commit.messages))
    _add(args, 4, [value for each in commit.redriven for value in astuple(each)])
    kept = (to_kept(entry) for entry in commit.log)
    _add(args, 4, [value for each in kept for value in _logged(each)])
    return args


def _logged(kept: Kept) -> tuple[Arg, ...]:
    return (kept.kind, kept.sequence, kept.why, kept.body)


def _add(args: list[Arg], width: int, values: list[Arg]) -> None:
    """One list of the script's arguments: how many items, then the items."""
    args.append(len(values) // width)
    args.extend(values)
