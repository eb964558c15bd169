"""A game that does not exist, through the queue and a worker and back."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, cast
from uuid import uuid4

from redis.asyncio import Redis

from cli.doctor.findings import Finding, finding, ok
from ludo.store import keys
from ludo.store.scripts import Scripts

WITHIN_S: Final = 5.0
LOOK_EVERY_S: Final = 0.01
PART: Final = "worker probe"


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Queues a look at a game that nobody plays, and waits for the commit of it.

    Upstream is not asked, nothing is counted, and what is left ends by itself within a minute.
    """

    redis: Redis
    scripts: Scripts
    within: float = WITHIN_S

    async def send(self) -> Finding:
        """How long a worker took; raises RedisError."""
        game_id, began = f"probe:{uuid4().hex}", time.monotonic()
        await self.scripts.run(
            "wake_probe",
            keys=[keys.game(game_id), keys.ARQ_QUEUE, keys.NUDGE],
            args=[game_id, uuid4().hex],
        )
        while time.monotonic() < began + self.within:
            if await cast(Awaitable[bool], self.redis.hexists(keys.game(game_id), "rev")):
                took = (time.monotonic() - began) * 1000
                return ok(PART, f"queued, claimed and committed in {took:.0f} ms")
            await asyncio.sleep(LOOK_EVERY_S)
        return finding(
            PART,
            f"no worker took a job within {self.within:g} s",
            "is one running on this Redis (`ludo-proxy worker`)? if so, its log says what it does; "
            "if they have too much to do, start more",
        )
