"""Receivers that are wrong on purpose, each in one of the ways that receivers are wrong."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest
import structlog
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from ludo.mirror.incoming import GameEvent
from ludo.store import keys
from ludo.store.inbox import Delivery, Inbox, Verdict
from ludo.store.scripts import Arg, Scripts, source
from ludo.upstream import signing
from ludo.upstream.keyring import KeyRing
from proxy.webhooks import examining
from proxy.webhooks.intake import Accepted, Intake, Received

MARK = "redis.call('HSET', seen, 'i:' .. webhook_id, mark)\n"


@dataclass
class Faults:
    """What happens to the first call of a script: nothing, or it fails before or after it ran."""

    before: bool = False
    after: bool = False


class TestedScripts(Scripts):
    """Scripts of which a part can be left out, and whose first call can fail."""

    __test__ = False

    def __init__(self, redis: Redis, faults: Faults) -> None:
        super().__init__(redis)
        self._client = redis
        self._faults = faults
        self.without: dict[str, str] = {}

    async def run(
        self, name: str, *, keys: Sequence[str], args: Sequence[Arg], within: float | None = None
    ) -> Any:
        faults, self._faults = self._faults, Faults()
        if faults.before:
            raise RedisConnectionError("broken before the script ran")
        text = source(name)
        if name in self.without:
            assert self.without[name] in text
            text = text.replace(self.without[name], "")
        answer = await self._client.register_script(text)(keys=list(keys), args=list(args))
        if faults.after:
            raise RedisConnectionError("broken after the script ran")
        return answer


@dataclass
class Bench:
    """The parts of a receiver that variants change."""

    redis: Redis
    scripts: TestedScripts
    patch: pytest.MonkeyPatch
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)


class _Inbox(Inbox):
    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.scripts, backlog=1_000)
        self.bench = bench

    def seen(self, delivery: Delivery) -> tuple[str, str]:
        assert isinstance(delivery.incoming, GameEvent)
        return keys.seen(delivery.incoming.game_id), f"i:{delivery.webhook_id}"


def no_dedup_record(bench: Bench, intake: Intake) -> Intake:
    """Nothing is remembered of what was accepted."""
    bench.scripts.without["accept_event"] = MARK
    return intake


def check_then_insert(bench: Bench, intake: Intake) -> Intake:
    """Asks whether a delivery is known, and stores it in a second step."""

    class Checking(_Inbox):
        async def accept(self, delivery: Delivery) -> Verdict:
            key, name = self.seen(delivery)
            if await self.bench.redis.hexists(key, name):
                return Verdict.DUPLICATE
            await super().accept(delivery)
            await self.bench.redis.hset(key, name, "known")
            return Verdict.ACCEPTED

    bench.scripts.without["accept_event"] = MARK
    return replace(intake, inbox=Checking(bench))


def mark_before_effect(bench: Bench, intake: Intake) -> Intake:
    """Remembers a delivery first, and stores it in a second step."""

    class Marking(_Inbox):
        async def accept(self, delivery: Delivery) -> Verdict:
            key, name = self.seen(delivery)
            if not await self.bench.redis.hsetnx(key, name, "known"):
                return Verdict.DUPLICATE
            await self.bench.redis.expire(key, 600)
            self.bench.scripts.without["accept_event"] = (
                "local before = redis.call('HGET', seen, 'i:' .. webhook_id)"
            )
            return await super().accept(delivery)

    return replace(intake, inbox=Marking(bench))


def ack_before_commit(bench: Bench, intake: Intake) -> Intake:
    """Says that a delivery is stored, and stores it then."""

    class Eager(_Inbox):
        async def accept(self, delivery: Delivery) -> Verdict:
            task = asyncio.create_task(super().accept(delivery))
            self.bench.tasks.append(task)
            return Verdict.ACCEPTED

    return replace(intake, inbox=Eager(bench))


def verify_after_reserialising(bench: Bench, intake: Intake) -> Intake:
    """Verifies what its JSON library writes instead of what was sent."""

    def verify(ring: KeyRing, headers: Mapping[str, str], body: bytes, now: int) -> Any:
        return signing.verify(ring, headers, json.dumps(json.loads(body)).encode(), now)

    bench.patch.setattr(examining, "verify", verify)
    return intake


def accepts_stale(bench: Bench, intake: Intake) -> Intake:
    """Verifies the signature of the timestamp, and never looks at the time."""
    bench.patch.setattr(signing, "TOLERANCE", 10**9)
    return intake


def dedup_before_verify(bench: Bench, intake: Intake) -> Intake:
    """Remembers ids that anybody can claim."""
    claimed: set[str] = set()

    class Claiming(Intake):
        async def receive(self, headers: Mapping[str, str], body: bytes) -> Received:
            if headers["webhook-id"] in claimed:
                return Accepted(Verdict.DUPLICATE)
            claimed.add(headers["webhook-id"])
            return await intake.receive(headers, body)

    return Claiming(*(getattr(intake, each.name) for each in fields(intake)))


def assumes_order(bench: Bench, intake: Intake) -> Intake:
    """Takes a lower sequence than the last one for something old."""

    class Ordered(_Inbox):
        last = 0

        async def accept(self, delivery: Delivery) -> Verdict:
            assert isinstance(delivery.incoming, GameEvent)
            sequence = delivery.incoming.event.sequence
            if sequence <= self.last:
                return Verdict.DUPLICATE
            self.last = sequence
            return await super().accept(delivery)

    return replace(intake, inbox=Ordered(bench))


def logs_a_secret(bench: Bench, intake: Intake) -> Intake:
    """Helps whoever looks for the reason of a refusal a little too much."""

    def verify(ring: KeyRing, headers: Mapping[str, str], body: bytes, now: int) -> Any:
        found = signing.verify(ring, headers, body, now)
        tried = [key.material for key in ring.keys]
        structlog.get_logger().info("verified", found=found, tried=tried)
        return found

    bench.patch.setattr(examining, "verify", verify)
    return intake


def crash_between_effect_and_mark(bench: Bench, intake: Intake) -> Intake:
    """Stores a delivery first, and remembers it in a second step."""

    class Late(_Inbox):
        async def accept(self, delivery: Delivery) -> Verdict:
            verdict = await super().accept(delivery)
            key, name = self.seen(delivery)
            await self.bench.redis.hset(key, name, "known")
            return verdict

    bench.scripts.without["accept_event"] = MARK
    return replace(intake, inbox=Late(bench))


Variant = Callable[[Bench, Intake], Intake]
