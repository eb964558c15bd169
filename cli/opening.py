"""How operators' commands reach the store: opened in one place, with one line when it cannot be."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cli.failing import CannotGoOn, one_clear_line
from ludo.logs import LogConfig, configure_logs
from ludo.store.config import StoreConfig
from ludo.store.connection import connect, redis_address
from ludo.store.scripts import Scripts

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opened:
    """The store of a deployment, as its settings name it; closed when the command ends."""

    config: StoreConfig
    redis: Redis
    scripts: Scripts


def on_store(environ: Mapping[str, str], work: Callable[[Opened], Awaitable[T]]) -> T:
    """What `work` returns, given the store that the environment names.

    What an operator can mend (settings, a store that is away or full) is one line on standard
    error and exit code 1.
    """
    with one_clear_line():
        configure_logs(LogConfig.from_env(environ))
        return asyncio.run(_worked(environ, work))


async def _worked(environ: Mapping[str, str], work: Callable[[Opened], Awaitable[T]]) -> T:
    async with opened(StoreConfig.from_env(environ)) as store:
        try:
            return await work(store)
        except (RedisError, OSError) as error:
            raise _out_of_reach(error) from None


@asynccontextmanager
async def opened(config: StoreConfig) -> AsyncIterator[Opened]:
    """The store, which answered a moment ago; raises CannotGoOn or StoreError."""
    if config.redis_url is None and not config.data_dir.is_dir():
        # Else a new and empty store would be made in whatever folder this happens to be.
        raise CannotGoOn(
            f"expected REDIS_URL, or a data folder at {config.data_dir} (LUDO_DATA_DIR); "
            "found neither: run this where `ludo-proxy serve` runs"
        )
    async with redis_address(config) as url, connect(url) as redis:
        try:
            await redis.ping()
        except (RedisError, OSError) as error:
            raise _out_of_reach(error) from None
        yield Opened(config, redis, Scripts(redis))


def _out_of_reach(error: Exception) -> CannotGoOn:
    # The address may hold a password, so it is named and not shown.
    return CannotGoOn(f"REDIS_URL: expected a Redis that answers; {error}")
