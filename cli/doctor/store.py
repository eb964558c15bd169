"""Looks at the store: is it there, does it keep what it acknowledged, has it room, what time is it.

Every look raises redis.exceptions.RedisError when Redis is away.
"""

import time
from typing import Final

from redis.asyncio import Redis

from cli.doctor.findings import Finding, finding, note, ok
from ludo.store import durability

OLDEST_REDIS: Final = (6, 2)
FULL: Final = 0.8
SKEW_S: Final = 1.0
"""arq compares due times with the worker's own clock: a skew delays every job by as much."""


async def look_at_redis(redis: Redis) -> Finding:
    """Its version, and how long it takes to answer."""
    version = str((await redis.info("server"))["redis_version"])
    began = time.perf_counter()
    await redis.ping()
    took = (time.perf_counter() - began) * 1000
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        return finding("redis", f"version {version}", "install Redis 6.2 or newer")
    return ok("redis", f"version {version}, answers in {took:.1f} ms")


async def look_at_durability(redis: Redis, *, allow_volatile: bool) -> Finding:
    """Whether an acknowledged event survives a kill."""
    found = await durability.ask(redis)
    told = durability.sentence(found)
    match found:
        case durability.Durable():
            return ok("durability", told)
        case durability.Refused() if not allow_volatile:
            return finding(
                "durability",
                told,
                "set that in redis.conf, or accept the loss with LUDO_ALLOW_VOLATILE_REDIS=1",
            )
        case _:
            return note("durability", told)


async def look_at_memory(redis: Redis) -> Finding:
    """How much of its memory is used; at its end it refuses events (503)."""
    memory = await redis.info("memory")
    used, most = int(memory["used_memory"]), int(memory.get("maxmemory", 0))
    told = f"{used / 2**20:.0f} MB used"
    if most == 0:
        return ok("memory", f"{told}, no maxmemory")
    if used > FULL * most:
        return finding(
            "memory", f"{told} of {most / 2**20:.0f} MB", "raise maxmemory, or give Redis more room"
        )
    return ok("memory", f"{told} of {most / 2**20:.0f} MB")


async def look_at_clock(redis: Redis) -> Finding:
    """How far this machine's clock is from Redis', which all times of events come from."""
    before = time.time()
    seconds, micros = await redis.time()
    after = time.time()
    skew = seconds + micros / 1e6 - (before + after) / 2
    told = f"{skew * 1000:+.0f} ms from this machine"
    if abs(skew) > SKEW_S + (after - before):
        return finding("redis clock", told, "synchronise the clocks of both machines (NTP)")
    return ok("redis clock", told)
