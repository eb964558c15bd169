"""What readiness looks at, one part each."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store import durability, keys
from ludo.store.archive.archive import Archive
from ludo.store.errors import ArchiveUnavailable
from ludo.upstream.circuits import Circuits
from ludo.upstream.health import Phase
from proxy.config import Access, ProxyConfig
from proxy.health import Component, Level, Look
from proxy.relay.relay import Status
from proxy.webhooks.keys import Keys

REDIS_WITHIN_S: Final = 0.8
LATE_MS: Final = 10_000
DEAF_S: Final = 5.0
SHORT_SECRET: Final = 32


def _ok(detail: str) -> Component:
    return Component(Level.OK, detail)


def _degraded(detail: str) -> Component:
    return Component(Level.DEGRADED, detail)


def look_at_redis(redis: Redis) -> Look:
    """Down when it does not answer: nothing can be accepted or pushed then."""

    async def look() -> Component:
        try:
            async with asyncio.timeout(REDIS_WITHIN_S):
                await redis.ping()
        except (RedisError, OSError, TimeoutError) as error:
            return Component(Level.DOWN, f"out of reach: {type(error).__name__}")
        return _ok("answers")

    return look


def look_at_durability(redis: Redis, allow_volatile: bool) -> Look:
    """Down when acknowledged events could be lost and nobody said that they may."""

    async def look() -> Component:
        try:
            async with asyncio.timeout(REDIS_WITHIN_S):
                found = await durability.ask(redis)
        except (RedisError, OSError, TimeoutError):
            return _degraded("unknown: Redis does not answer")
        told = durability.sentence(found)
        match found:
            case durability.Durable():
                return _ok(told)
            case durability.Refused() if not allow_volatile:
                return Component(Level.DOWN, told)
            case _:
                return _degraded(told)

    return look


def look_at_secrets(webhooks: Keys, clock: Callable[[], float] = time.time) -> Look:
    """Degraded without a webhook key in force, and while a newer file of them is unusable."""

    async def look() -> Component:
        ring = webhooks.ring
        if not ring:
            return _degraded("LUDO_WEBHOOK_SECRETS is unset: every delivery is refused")
        counting = [key.id for key in ring.keys if key.counts_at(int(clock()))]
        told = f"{len(counting)} of {len(ring.keys)} webhook keys in force"
        if webhooks.trouble is not None:
            problem = f"LUDO_WEBHOOK_SECRETS_FILE: {webhooks.trouble}"
            return _degraded(f"{problem}; the keys from before are kept: {told}")
        if not counting:
            return _degraded(f"{told}: every delivery is refused")
        return _ok(told)

    return look


def look_at_auth(config: ProxyConfig) -> Look:
    """Degraded when tokens could be forged by trying secrets (RFC 7518 §3.2)."""

    async def look() -> Component:
        secret = config.jwt_secret.get_secret_value().encode() if config.jwt_secret else None
        if secret is not None and len(secret) < SHORT_SECRET:
            return _degraded(f"LUDO_JWT_SECRET is shorter than {SHORT_SECRET} bytes")
        return _ok("anonymous callers pass" if config.access is Access.OPEN else "tokens only")

    return look


def look_at_upstream(circuits: Circuits) -> Look:
    """Degraded while a circuit is not closed."""

    async def look() -> Component:
        disturbed = [
            f"{state.name} {state.phase.value}"
            for state in circuits.states()
            if state.phase is not Phase.CLOSED
        ]
        return _degraded(", ".join(disturbed)) if disturbed else _ok("every circuit is closed")

    return look


def look_at_workers(redis: Redis) -> Look:
    """Degraded when no worker has shown itself for a few seconds."""

    async def look() -> Component:
        if await redis.exists(keys.WORKERS_ALIVE):
            return _ok("at work")
        return _degraded("none has shown itself: events wait")

    return look


def look_at_backlog(redis: Redis) -> Look:
    """Degraded when a game should have been looked at a while ago."""

    async def look() -> Component:
        oldest = await redis.zrange(keys.DUE, 0, 0, withscores=True)
        seconds, micros = await redis.time()
        late = seconds * 1000 + micros // 1000 - int(oldest[0][1]) if oldest else 0
        if late > LATE_MS:
            return _degraded(f"a game is overdue by {late / 1000:.0f} s")
        return _ok("nothing is overdue")

    return look


def look_at_archive(archive: Archive) -> Look:
    """Degraded while the archive does not answer: games that are over stay in Redis."""

    async def look() -> Component:
        try:
            async with asyncio.timeout(REDIS_WITHIN_S):
                await archive.ping()
        except (ArchiveUnavailable, TimeoutError):
            return _degraded("out of reach: games that are over wait in Redis")
        return _ok("answers")

    return look


def look_at_relay(status: Callable[[], Status]) -> Look:
    """Degraded while clients are here and nothing is heard from Redis."""

    async def look() -> Component:
        seen = status()
        deaf = seen.link_age is None or seen.link_age > DEAF_S
        if deaf and seen.subscriptions:
            return _degraded("nothing is heard from Redis")
        return _ok(f"{seen.connections} clients, {seen.rooms} games")

    return look


def look_at_dev() -> Look:
    """Degraded by being there at all."""

    async def look() -> Component:
        return _degraded("LUDO_DEV=1: POST /token makes tokens for anybody")

    return look
