"""Would this Redis still have an acknowledged event after being killed?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from ludo.store.errors import VolatileRedis

ASKED: Final = ("appendonly", "appendfsync", "maxmemory-policy")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Durable:
    """Every acknowledged write is on the disk."""


@dataclass(frozen=True, slots=True)
class UpToOneSecond:
    """A killed process loses nothing; a power cut loses up to one second."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Acknowledged events can be lost; the reason says which setting does it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The server does not tell: CONFIG is forbidden, as on most hosted Redis."""


Durability = Durable | UpToOneSecond | Refused | Unknown


def judge(settings: Mapping[str, str]) -> Durability:
    """What the answers to CONFIG GET of `ASKED` promise."""
    if any(name not in settings for name in ASKED):
        return Unknown()
    if (policy := settings["maxmemory-policy"]) != "noeviction":
        return Refused(f"expected maxmemory-policy noeviction; found {policy}")
    if (appendonly := settings["appendonly"]) != "yes":
        return Refused(f"expected appendonly yes; found {appendonly}")
    match settings["appendfsync"]:
        case "always":
            return Durable()
        case "everysec":
            return UpToOneSecond()
        case other:
            return Refused(f"expected appendfsync always or everysec; found {other}")


def sentence(found: Durability) -> str:
    """The judgement in words, for readiness and logs."""
    match found:
        case Durable():
            return "every acknowledged event is on disk"
        case UpToOneSecond():
            return "up to 1 s on power loss"
        case Refused(reason):
            return f"acknowledged events can be lost: {reason}"
        case Unknown():
            return "unknown: the server forbids CONFIG"
        case _:
            assert_never(found)


async def ask(redis: Redis) -> Durability:
    """The judgement of a running server; raises redis.exceptions.RedisError if it is away."""
    settings: dict[str, str] = {}
    for name in ASKED:  # Redis 6.2 takes one name at a time
        try:
            answer = await redis.config_get(name)
        except ResponseError:
            return Unknown()
        settings |= {_text(key): _text(value) for key, value in answer.items()}
    return judge(settings)


def admit(found: Durability, *, allow_volatile: bool) -> None:
    """Let a server in, or raise VolatileRedis with what to change."""
    if not isinstance(found, Refused):
        return
    if not allow_volatile:
        raise VolatileRedis(
            f"this Redis can lose acknowledged events: {found.reason}; "
            "change that, or accept it with LUDO_ALLOW_VOLATILE_REDIS=1"
        )
    log.warning("redis.volatile_allowed", reason=found.reason)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
