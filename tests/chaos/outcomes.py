"""What became of each acknowledged event, by id; and whether a log was written in order."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from redis.asyncio import Redis

from ludo.mirror.incoming import GameEvent
from ludo.store import keys
from ludo.store.log import EVENT, HotLog, Kept
from ludo.upstream.wire import parse_event
from tests.chaos.ledger import Acknowledged

APPLIED: Final = "applied"
DUPLICATE: Final = "duplicate"
STALE: Final = "stale"
DEAD: Final = "dead"


@dataclass(slots=True)
class Outcomes:
    """How many acknowledged ids had which outcome, and those that have none."""

    counts: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    doubled: int = 0
    """Log entries of events that were in the log before."""
    out_of_order: int = 0
    """Log entries of events that were not the next one."""
    effects: int = 0
    """Applied events in the logs, and rooms' events, each counted once."""


@dataclass(frozen=True, slots=True)
class _Game:
    """What the store knows of one game."""

    seen: Mapping[bytes, bytes]
    pending: frozenset[str]
    floor: int
    log: Sequence[Kept]


async def find_outcomes(redis: Redis, acknowledged: Iterable[Acknowledged]) -> Outcomes:
    """The outcome of each id; for when nothing is under way any more."""
    found, by_game = Outcomes(), defaultdict[str, list[tuple[Acknowledged, GameEvent]]](list)
    dead = await _dead(redis)
    for each in acknowledged:
        event = parse_event(each.body)
        if isinstance(event, GameEvent):
            by_game[event.game_id].append((each, event))
        elif await redis.exists(keys.delivery(each.webhook_id)):
            found.counts[APPLIED] += 1
            found.effects += 1
        else:
            found.lost.append(f"{each.webhook_id} (a room's)")
    for game_id, events in by_game.items():
        game = await _load(redis, game_id)
        _judge_log(game.log, found)
        taken: set[int] = set()
        for each, event in sorted(events, key=lambda pair: pair[0].at):
            outcome = _outcome(each.webhook_id, event, game, dead)
            if outcome is None:
                found.lost.append(f"{each.webhook_id} ({game_id} {event.event.sequence})")
                continue
            if outcome == APPLIED and event.event.sequence in taken:
                outcome = DUPLICATE
            taken.add(event.event.sequence)
            found.counts[outcome] += 1
    return found


def _outcome(webhook_id: str, event: GameEvent, game: _Game, dead: frozenset[str]) -> str | None:
    """What became of one event; None if nobody knows of it, or it was never decided."""
    sequence = event.event.sequence
    if f"i:{webhook_id}".encode() not in game.seen or webhook_id in game.pending:
        return None
    if webhook_id in dead:
        return DEAD
    if game.seen.get(f"s:{sequence}".encode()) == event.digest.encode():
        return APPLIED
    if sequence <= game.floor or f"l:{sequence}".encode() in game.seen:
        return STALE
    return None


def _judge_log(log: Sequence[Kept], found: Outcomes) -> None:
    place = 0
    for entry in log:
        if entry.kind == EVENT:
            found.effects += 1
            found.doubled += entry.sequence <= place
            found.out_of_order += entry.sequence > place + 1
        place = entry.sequence


async def _load(redis: Redis, game_id: str) -> _Game:
    async with redis.pipeline(transaction=True) as pipe:
        pipe.hgetall(keys.seen(game_id))
        pipe.xrange(keys.inbox(game_id))
        pipe.hget(keys.game(game_id), "floor")
        seen, waiting, floor = await pipe.execute()
    pending = frozenset(fields[b"i"].decode() for _, fields in waiting)
    return _Game(seen, pending, int(floor or 0), await HotLog(redis).load(game_id))


async def _dead(redis: Redis) -> frozenset[str]:
    letters = await redis.xrange(keys.DEAD_LETTERS)
    return frozenset(fields[b"webhook_id"].decode() for _, fields in letters)
