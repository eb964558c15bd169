"""Upstream's budget, shared by everybody who calls it with our key.

One exact log of call times in Redis: a bucket or a fixed window would let through up to twice the
limit in some 60 s. Without Redis nobody can count, so nobody calls.
"""

import asyncio
import secrets
import time
from typing import Final

import structlog
from redis.exceptions import RedisError

from ludo.config import Rate
from ludo.store import keys
from ludo.store.scripts import Scripts
from ludo.upstream.budget import CallClass
from ludo.upstream.deadline import Clock, Deadline
from ludo.upstream.errors import BudgetSpent

MARGIN_MS: Final = 1_000
"""Added to upstream's window: calls arrive later than they are counted here."""
STATE_TTL_MS: Final = 24 * 3_600_000
WITHIN_S: Final = 1.0
RETRY_S: Final = 1.0
RESERVE: Final = 5

log = structlog.get_logger("upstream")


class BudgetUnknown(BudgetSpent):
    """Permits cannot be counted, because Redis does not answer."""

    def __init__(self) -> None:
        super().__init__(RETRY_S)
        self.args = ("upstream's budget cannot be counted while the store does not answer",)


def kept_back(klass: CallClass, limit: int) -> int:
    """How many permits a class leaves for those that are more urgent.

    The last five are for writes and the circuit's probe, which is one.
    """
    reserve = min(RESERVE, limit // 4)
    match klass:
        case CallClass.WRITE:
            return 0
        case CallClass.READ:
            return reserve
        case CallClass.RESYNC:
            return reserve + limit // 10
        case CallClass.REFRESH:
            return reserve + 3 * limit // 10


class Permits:
    """A budget (see `ludo.upstream.budget.Budget`) of `rate`, for all replicas together.

    `left` is how many permits there were when last asked, None before that.
    """

    def __init__(self, scripts: Scripts, rate: Rate, clock: Clock = time.monotonic) -> None:
        self._scripts = scripts
        self._limit = rate.limit
        self._window = rate.seconds * 1000 + MARGIN_MS
        self._clock = clock
        self._log = ""
        self._log_seen = float("-inf")
        self.left: int | None = None

    async def take(self, klass: CallClass, deadline: Deadline) -> None:
        """Take one permit; raises BudgetSpent at once if there is none for this class."""
        try:
            async with asyncio.timeout(min(WITHIN_S, deadline.left())):
                granted, number = await self._take(kept_back(klass, self._limit))
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("permits.out_of_reach", error=repr(error))
            raise BudgetUnknown from error
        if not granted:
            log.info("permits.spent", klass=klass.value, wait_ms=number)
            raise BudgetSpent(number / 1000)
        self.left = number

    async def learn(self, limit: int, remaining: int, reset: float) -> None:  # noqa: ARG002
        """Take note of what upstream says: `reset` is when its window ends, Unix seconds.

        Never raises: what could not be noted will be said again.
        """
        try:
            async with asyncio.timeout(WITHIN_S):
                self.left = await self._scripts.run(
                    "learn_permits",
                    keys=[keys.PERMITS, keys.PERMITS_STATE],
                    args=[
                        secrets.token_hex(8),
                        self._limit,
                        self._window,
                        remaining,
                        int(reset * 1000),
                        MARGIN_MS,
                    ],
                )
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("permits.not_learned", error=repr(error))

    async def _take(self, keep: int) -> tuple[bool, int]:
        granted, number, name = await self._scripts.run(
            "take_permit",
            keys=[keys.PERMITS, keys.PERMITS_STATE],
            args=[
                secrets.token_hex(8),
                keep,
                self._limit,
                self._window,
                self._known(),
                secrets.token_hex(8),
                STATE_TTL_MS,
            ],
        )
        self._log, self._log_seen = name.decode(), self._clock()
        return bool(granted), number

    def _known(self) -> str:
        """The log that calls of ours are in which upstream may still count."""
        recent = self._clock() - self._log_seen < self._window / 1000
        return self._log if recent else ""
