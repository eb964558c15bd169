"""Brings one game up to date: claim, decide, commit; and fetches what it owes."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

import structlog

from ludo.store.claims import Claimed, Claims, Flight, LeaseLost, Taken
from workers.planning import Fetched, Plan, Policy, Situation, Unreachable, plan

QUANTUM: Final = 10
"""Commits in a row before a busy game goes to the back of the queue."""
CLAIM_DEADLINE_S: Final = 6.0
CLAIM_RETRY_S: Final = 0.02

Fetch = Callable[[str], Awaitable[Fetched]]
Move = Callable[[str], Awaitable[None]]
log = structlog.get_logger("workers")


async def _stays(_game_id: str) -> None:
    """For a worker without an archive."""


@dataclass(frozen=True, slots=True)
class Applier:
    """The use cases of a worker; all decisions are `planning.plan`'s.

    `calls` bounds the questions to upstream, so that a slow one leaves room for events. `archive`
    moves a game that is over out of Redis; the lease is not held meanwhile.
    """

    claims: Claims
    fetch: Fetch
    policy: Policy
    calls: asyncio.Semaphore
    archive: Move = _stays

    async def apply(self, game_id: str) -> None:
        """Decides all that waits for the game; another holder does it in our place."""
        claimed = await self.claims.claim(game_id)
        if claimed is not None:
            await self._work(claimed)

    async def finish(self, taken: Taken) -> None:
        """Decides all that waits for a game that was taken, and gives it back."""
        await self._work(self.claims.read(taken))

    async def resync(self, game_id: str) -> None:
        """Asks upstream for the state that the game owes and settles the difference.

        The lease is taken only after the answer: events go on being applied meanwhile. Without
        a call to spare only events are applied; the sweeper comes back for what is owed.
        """
        if self.calls.locked():
            await self.apply(game_id)
            return
        async with self.calls:
            flight = await self.claims.begin_resync(game_id)
            fetched = await self._fetched(game_id, flight) if flight else None
        if flight is None:
            await self.apply(game_id)
            return
        if isinstance(fetched, Unreachable):
            log.warning("resync.unanswered", game=game_id, why=fetched.why)
        claimed = await self._claim_soon(game_id)
        if claimed is None:
            log.warning("resync.put_off", game=game_id)
            return
        await self._work(claimed, fetched, flight)

    async def _fetched(self, game_id: str, flight: Flight) -> Fetched:
        async with self.claims.prolonged(game_id, flight):
            return await self.fetch(game_id)

    async def _claim_soon(self, game_id: str) -> Claimed | None:
        deadline = asyncio.get_running_loop().time() + CLAIM_DEADLINE_S
        while asyncio.get_running_loop().time() < deadline:
            claimed = await self.claims.claim(game_id)
            if claimed is not None:
                return claimed
            await asyncio.sleep(CLAIM_RETRY_S)
        return None

    async def _work(
        self, claimed: Claimed, fetched: Fetched | None = None, flight: Flight | None = None
    ) -> None:
        situation = Situation(
            record=claimed.record,
            waiting=claimed.arrivals.waiting,
            applied_digests=claimed.arrivals.applied_digests,
            now=claimed.arrivals.now,
            fetched=fetched,
            asked_at=flight.began if flight else 0,
        )
        last = claimed.arrivals.last
        for left in reversed(range(QUANTUM)):
            decision = plan(situation, self.policy, new_epoch=secrets.token_hex(6))
            try:
                arrivals = await self.claims.commit(
                    claimed,
                    decision.commit,
                    "release" if left else "yield",
                    last=last,
                    flight=flight,
                )
            except LeaseLost:
                log.info("lease.lost", game=claimed.game_id)
                return
            _report(claimed.game_id, decision)
            if arrivals is None:
                if decision.archive:
                    await self.archive(claimed.game_id)
                return
            last, flight = arrivals.last, None
            written = decision.commit.record
            situation = Situation(
                record=replace(written, revision=written.revision + 1),
                waiting=(*decision.waiting, *arrivals.waiting),
                applied_digests=arrivals.applied_digests,
                now=arrivals.now,
            )


def _report(game_id: str, decision: Plan) -> None:
    for item in decision.commit.dead_letters:
        log.warning("event.dead", game=game_id, letter=item.decode())
    if decision.commit.feed_dropped:
        log.info("mirror.replaced", game=game_id)
