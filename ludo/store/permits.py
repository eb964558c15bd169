"""Upstream's budget, shared by everybody who calls it with our key.

One exact log of call times in Redis: a bucket or a fixed window would let through up to twice the
limit in some 60 s. Without Redis nobody can count, so nobody calls, except with the few permits
that were leased ahead while it could.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import structlog
from redis.exceptions import RedisError

from ludo.config import Rate
from ludo.store import keys
from ludo.store.scripts import Arg, Scripts
from ludo.upstream.budget import CallClass, stretch
from ludo.upstream.deadline import Clock, Deadline
from ludo.upstream.errors import BudgetSpent

MARGIN_MS: Final = 1_000
"""Added to upstream's window: calls arrive later than they are counted here."""
STATE_TTL_MS: Final = 24 * 3_600_000
WITHIN_S: Final = 1.0
RETRY_S: Final = 1.0
RESERVE: Final = 5
EVERY_S: Final = 0.25
SETTLE_S: Final = 2 * EVERY_S
"""How long a log rests after Redis started: every process looks at it in this time."""
LEASE_S: Final = 10.0
MOST_AHEAD: Final = 50
_UNREACHABLE: Final = (RedisError, OSError, TimeoutError)
_URGENT: Final = frozenset({CallClass.WRITE, CallClass.READ})
"""Classes for which a caller waits; only they use what was leased ahead."""

log = structlog.get_logger("upstream")


class BudgetUnknown(BudgetSpent):
    """Permits cannot be counted, because Redis does not answer, and none was leased ahead."""

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


def leased_ahead(limit: int) -> int:
    """How many permits one process holds for the moment in which Redis goes: 2 %, 50 at most."""
    return min(MOST_AHEAD, limit // 50)


class Permits:
    """A budget (see `ludo.upstream.budget.Budget`) of `rate`, for all replicas together.

    `left` is how many permits there were when last asked, None before that. While `run` runs,
    `ahead` permits are leased (2 % of the limit if None), and the loss of the log is noticed
    without a call. `settle` is how many seconds a log rests after Redis started.
    """

    def __init__(
        self,
        scripts: Scripts,
        rate: Rate,
        clock: Clock = time.monotonic,
        *,
        ahead: int | None = None,
        settle: float = SETTLE_S,
    ) -> None:
        self._scripts = scripts
        self._rate = rate
        self._limit = rate.limit
        self._window = rate.seconds * 1000 + MARGIN_MS
        self._clock = clock
        self._ahead = leased_ahead(rate.limit) if ahead is None else ahead
        self._settle = int(settle * 1000)
        self._log, self._count, self._seen_at = "", 0, float("-inf")
        self._leases: dict[str, float] = {}
        """When each ends; whatever leaves this dict without being used is given back."""
        self._returned: set[str] = set()
        self._asked_for: list[str] = []
        """Asked for again under the same names until an answer says what became of them."""
        self._away_until = float("-inf")
        self.left: int | None = None

    @property
    def limit(self) -> int:
        """The limit that holds: ours, or upstream's own if that is lower."""
        return self._limit

    @property
    def leased(self) -> int:
        """How many permits are held for the moment in which Redis goes."""
        return len(self._leases)

    @property
    def stretch(self) -> float:
        """What soft lifetimes are multiplied by now (see `ludo.upstream.budget.stretch`)."""
        return stretch(self._limit if self.left is None else self.left, self._limit)

    async def take(self, klass: CallClass, deadline: Deadline) -> None:
        """Take one permit; raises BudgetSpent at once if there is none for this class.

        Only a log that rests after Redis started is waited for.
        """
        while True:
            verdict, number = await self._asked(klass, deadline)
            if verdict == b"taken":
                return
            seconds = number / 1000
            if verdict == b"spent" and self._use_lease(klass):
                return
            if verdict == b"spent" or seconds > min(self._settle / 1000, deadline.left()):
                log.info("permits.spent", klass=klass.value, wait_ms=number)
                raise BudgetSpent(seconds)
            await asyncio.sleep(seconds)

    async def learn(self, limit: int, remaining: int, reset: float) -> None:
        """Take note of what upstream says: `reset` is when its window ends, Unix seconds.

        Never raises: what could not be noted will be said again.
        """
        args = [remaining, int(reset * 1000), MARGIN_MS, limit, STATE_TTL_MS]
        try:
            async with asyncio.timeout(WITHIN_S):
                self.left, self._limit = await self._run(
                    "learn_permits", [secrets.token_hex(8), self._rate.limit, self._window, *args]
                )
        except _UNREACHABLE as error:
            log.warning("permits.not_learned", error=repr(error))

    async def run(self) -> None:
        """Keeps permits leased until cancelled, and hands them back then."""
        try:
            while True:
                if await self._lease(self._ahead) and self._returned:
                    continue  # others may be waiting for what this process gave up
                await asyncio.sleep(EVERY_S)
        finally:
            await self._lease(0)

    async def _asked(self, klass: CallClass, deadline: Deadline) -> tuple[bytes, int]:
        """The log's verdict; without Redis a lease stands for it, or BudgetUnknown is raised."""
        if self._clock() >= self._away_until:
            try:
                async with asyncio.timeout(min(WITHIN_S, deadline.left())):
                    return await self._take(klass)
            except _UNREACHABLE as error:
                log.warning("permits.out_of_reach", error=repr(error))
                # The next ones need not find out for themselves.
                self._away_until = self._clock() + EVERY_S
        if self._use_lease(klass):
            return b"taken", 0
        raise BudgetUnknown

    def _use_lease(self, klass: CallClass) -> bool:
        """Whether a lease was there for this call; it stays in the log, and is ours no more."""
        now = self._clock()
        valid = [token for token, until in self._leases.items() if until > now]
        if klass not in _URGENT or not valid:
            return False
        del self._leases[valid[0]]
        log.info("permits.lease_used", klass=klass.value)
        return True

    async def _take(self, klass: CallClass) -> tuple[bytes, int]:
        keep = kept_back(klass, self._limit)
        args = [secrets.token_hex(8), keep, self._rate.limit, *self._asker()]
        verdict, number, name, count, limit = await self._run("take_permit", args)
        self._saw(name, count, limit)
        if verdict == b"taken":
            self.left = number
        elif verdict == b"spent":
            self.left = keep if self.left is None else min(keep, self.left)
        return verdict, number

    async def _lease(self, number: int) -> bool:
        """Lease so many from here on; whether Redis answered."""
        begun = self._clock()
        self._give_up(lambda _, until: until <= begun)
        if number == 0:
            self._give_up(lambda *_: True)
        returned, held = tuple(self._returned), tuple(self._leases)
        while len(held) + len(self._asked_for) < number:
            self._asked_for.append(f"lease:{secrets.token_hex(8)}")
        wanted = (*held, *self._asked_for[: max(0, number - len(held))])
        keep = kept_back(CallClass.REFRESH, self._limit)
        args = [keep, self._rate.limit, int(LEASE_S * 1000), *self._asker(), len(returned)]
        try:
            async with asyncio.timeout(WITHIN_S):
                answer = await self._run("lease_permits", [*args, *returned, *wanted])
        except _UNREACHABLE as error:
            log.debug("permits.not_leased", error=repr(error))
            return False
        self.left, name, count, limit, *fits = answer
        self._saw(name, count, limit)
        self._returned.difference_update(returned)
        self._leased([token for token, fit in zip(wanted, fits, strict=True) if fit], held, begun)
        return True

    def _leased(self, fit: Sequence[str], held: Sequence[str], begun: float) -> None:
        """Takes over an answer; what was used while it was under way stays used."""
        fresh = [token for token in fit if token in self._asked_for]
        self._give_up(lambda token, _: token in held and token not in fit)
        # Counted from before Redis was asked, so that a lease ends here before it ends there.
        for token in (*fresh, *(token for token in fit if token in self._leases)):
            self._leases[token] = begun + LEASE_S
        self._asked_for.clear()

    def _give_up(self, which: Callable[[str, float], bool]) -> None:
        """Stop using leases first; Redis hears of it the next time it is asked."""
        given_up = {token for token, until in self._leases.items() if which(token, until)}
        self._leases = {t: until for t, until in self._leases.items() if t not in given_up}
        self._returned |= given_up

    async def _run(self, name: str, args: Sequence[Arg]) -> list[Any]:
        both = [keys.PERMITS, keys.PERMITS_STATE]
        return cast("list[Any]", await self._scripts.run(name, keys=both, args=args))

    def _asker(self) -> list[Arg]:
        """What this process knows of the log: `permit_log` in the prelude compares."""
        recent = self._clock() - self._seen_at < self._window / 1000
        known, seen = (self._log, self._count) if recent else ("", 0)
        return [known, seen, secrets.token_hex(8), self._window, self._settle, STATE_TTL_MS]

    def _saw(self, name: bytes, count: int, limit: int) -> None:
        self._log, self._count, self._seen_at = name.decode(), count, self._clock()
        self._limit = limit
