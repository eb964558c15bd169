"""The profile on a real server, as production serves."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from redis.asyncio import Redis

from ludo.store.cache import SharedCache
from ludo.store.connection import connect
from ludo.store.scripts import Scripts
from ludo.tasks import beside, end
from proxy.facade.fetching import Fetcher
from proxy.facade.purges import Purges
from proxy.facade.reading import Reader
from proxy.relay.reader import LINK
from tests.cachetests.profile import PassThrough, RawOrigin
from tests.cachetests.suite import free_port
from tests.waiting import wait_until


@asynccontextmanager
async def caching(redis: Redis, redis_url: str, origin_url: str) -> AsyncIterator[str]:
    """The address of the facade's cache in front of an origin."""
    cache = SharedCache(redis, Scripts(redis))
    origin = RawOrigin(origin_url)
    purges = Purges(lambda: connect(redis_url, LINK), time.monotonic)
    reader = Reader(cache, Fetcher(cache, origin, time.monotonic, 10.0), purges.layer)
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            PassThrough(reader, cache, origin),
            port=port,
            http="httptools",
            ws="none",
            lifespan="off",
            server_header=False,
            # Answers keep the Date that they came with.
            date_header=False,
            access_log=False,
            log_config=None,
        )
    )
    async with beside("purges", purges.run()):
        serving = asyncio.create_task(server._serve(), name="profile")
        try:
            await wait_until(lambda: server.started)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await serving
            await end(serving)
            await reader.aclose()
            await origin.aclose()
