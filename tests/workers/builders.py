"""A game's events on a real Redis, and workers without arq."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
from redis.asyncio import Redis

from ludo.mirror.incoming import GameEvent
from ludo.mirror.mirror import Referee
from ludo.mirror.owed import Pace
from ludo.rules.events import Event
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.store.claims import Claims
from ludo.store.inbox import Delivery, Inbox, Verdict
from ludo.store.scripts import Scripts
from ludo.upstream.wire import event_body, game_event
from tests.rules.builders import play_game
from workers.applying import Applier
from workers.planning import Fetched, Policy, Unreachable

GAME = "gm_test"
ROOM = "ABC123"


def told(event: Event, game_id: str = GAME) -> GameEvent:
    """The event as upstream tells it."""
    at = f"2026-11-21T08:00:{event.sequence % 60:02d}.{event.sequence % 1000:03d}Z"
    room = ROOM if event.sequence == 1 else None
    return game_event(game_id, event, room_code=room, at=at)


def a_history(seed: int = 1, game_id: str = GAME) -> list[GameEvent]:
    """All events of one quick game."""
    return [told(event, game_id) for event in play_game(seed, GameMode.QUICK, 2)]


def delivery(event: GameEvent, webhook_id: str | None = None) -> Delivery:
    """The event as a verified delivery."""
    body = msgspec.json.encode(event_body(event))
    return Delivery(webhook_id or f"msg_{event.game_id}_{event.event.sequence}", body, event)


@dataclass
class Upstream:
    """What upstream answers when it is asked for a state; counts the questions."""

    answer: Fetched = field(default_factory=lambda: Unreachable("nobody is there"))
    asked: int = 0

    async def fetch(self, game_id: str) -> Fetched:
        self.asked += 1
        return self.answer


@dataclass
class Bench:
    """A store with one worker, driven by hand."""

    redis: Redis
    upstream: Upstream
    inbox: Inbox
    claims: Claims
    applier: Applier

    async def accept(self, events: Iterable[GameEvent]) -> list[Verdict]:
        return [await self.inbox.accept(delivery(event)) for event in events]


def a_bench(redis: Redis, *, gap_wait: int = 0, silence: int = 60_000) -> Bench:
    """A bench on this Redis; gaps owe a resync at once unless said otherwise."""
    scripts, upstream = Scripts(redis), Upstream()
    claims = Claims(scripts, RuleSet())
    policy = Policy(Referee(), Pace(gap_wait=gap_wait, silence=silence))
    applier = Applier(claims, upstream.fetch, policy, asyncio.Semaphore(8))
    return Bench(redis, upstream, Inbox(scripts, backlog=10_000), claims, applier)
