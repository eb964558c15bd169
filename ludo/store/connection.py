"""Clients of Redis with bounded patience.

A command is sent again when its connection breaks, so whatever is sent has to be idempotent:
single writes that set a value, and the scripts in `lua/`.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import hiredis
from arq.connections import ArqRedis
from arq.jobs import Deserializer, Serializer
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import FullJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ludo.store.bundled import bundled_redis
from ludo.store.config import StoreConfig


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client waits for Redis, and how often it tries again; times in seconds."""

    connect_within: float
    answer_within: float
    attempts: int
    """Tries after the first; -1 is for ever."""
    longest_pause: float
    again_on: tuple[type[Exception], ...]
    """redis-py raises its own errors for commands, and tries connecting again on plain ones."""


REQUEST: Final = Patience(
    connect_within=1.0,
    answer_within=2.0,
    attempts=2,
    longest_pause=0.1,
    again_on=(RedisConnectionError, ConnectionError, FileNotFoundError),
)
"""Somebody waits: a broken connection is replaced at once, a silent Redis is not asked again."""

WORKER: Final = Patience(
    connect_within=2.0,
    answer_within=5.0,
    attempts=-1,
    longest_pause=1.0,
    again_on=(RedisConnectionError, RedisTimeoutError, OSError),
)
"""Nobody waits: go on until Redis is back. The caller's own deadline ends it earlier."""

_CONNECTIONS: Final = 64
_IDLE_BEFORE_PING: Final = 15
_FIRST_PAUSE: Final = 0.02


@asynccontextmanager
async def redis_address(config: StoreConfig) -> AsyncIterator[str]:
    """The address of the configured Redis, or of the bundled one while the block runs.

    Raises NoRedisServer, DataFolderUnusable or RedisDidNotStart; a configured Redis is not
    looked for here, because it may come later.
    """
    if config.redis_url is not None:
        yield config.redis_url.get_secret_value()
        return
    async with bundled_redis(config.data_dir) as url:
        yield url


def connect(url: str, patience: Patience = REQUEST) -> Redis:
    """A client that connects when first used; the caller closes it with `aclose`."""
    return Redis.from_pool(_pool(url, patience))


def connect_arq(
    url: str,
    *,
    serializer: Serializer | None = None,
    deserializer: Deserializer | None = None,
    patience: Patience = WORKER,
) -> ArqRedis:
    """The same for arq, which by itself would die with Redis.

    An arq worker takes it as `redis_pool` and closes it.
    """
    client = ArqRedis(
        _pool(url, patience), job_serializer=serializer, job_deserializer=deserializer
    )
    client.auto_close_connection_pool = True
    return client


def _pool(url: str, patience: Patience) -> BlockingConnectionPool:
    backoff = FullJitterBackoff(cap=patience.longest_pause, base=_FIRST_PAUSE)
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=patience.answer_within,
        socket_connect_timeout=patience.connect_within,
        socket_timeout=patience.answer_within,
        health_check_interval=_IDLE_BEFORE_PING,
        retry=Retry(backoff, patience.attempts, supported_errors=()),
        retry_on_error=list(patience.again_on),
    )
    pool.connection_class = _packing_in_c(pool.connection_class)
    return pool


def _packing_in_c(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """The same connection, whose commands hiredis writes, and whose loss has one name.

    redis-py's blocking client packs so by itself, its asyncio client does not; it takes a seventh
    of the time.
    """

    async def send(
        self: AbstractConnection,
        command: bytes | str | Iterable[bytes],
        check_health: bool = True,
    ) -> None:
        try:
            await kind.send_packed_command(self, command, check_health)
        except RuntimeError as error:
            # What uvloop says of a transport that was closed a moment ago. Nobody expects it of
            # Redis, and a loop that outlives every lost connection would end by it.
            raise RedisConnectionError(f"the connection was closed: {error}") from error

    names = {"pack_command": _pack_command, "send_packed_command": send}
    return type(kind.__name__, (kind,), names)


def _pack_command(_: AbstractConnection, *args: Any) -> list[bytes]:
    # The name of a command may be two words, such as SCRIPT LOAD.
    name = args[0].encode() if isinstance(args[0], str) else args[0]
    return [hiredis.pack_command((*name.split(), *args[1:]))]
