"""What resyncs skipped is added up to the end, also after a tombstone has replaced the game."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from ludo.mirror.owed import Pace, Reason
from ludo.rules.events import Rolled
from ludo.store.counters import accounts, read_counters
from ludo.store.scripts import Scripts
from ludo.store.tombstones import Tombstones
from tests.mirror.builders import snapshot_after
from tests.workers.builders import GAME, Bench, a_bench, a_history, delivery
from workers.planning import Policy

HISTORY = a_history()
LENGTH = len(HISTORY)
SEQUENCES = st.lists(st.integers(1, LENGTH), max_size=12)


@dataclass(frozen=True)
class Arrivals:
    """Sequences by when their events come; `refused` says that a false event follows the first
    ones and is set aside."""

    in_order: int
    before: list[int]
    hot: list[int]
    cold: list[int]
    refused: bool

    @property
    def genuine(self) -> set[int]:
        """All of which the true event comes."""
        return {*range(1, self.in_order + 1), *self.before, *self.hot, *self.cold}


ARRIVALS = st.builds(Arrivals, st.integers(1, 8), SEQUENCES, SEQUENCES, SEQUENCES, st.booleans())


@settings(max_examples=20)
@given(arrivals=ARRIVALS)
def test_skipped_less_late_is_what_never_came(redis_url: str, arrivals: Arrivals) -> None:
    """Whether an event comes before its game is fetched, while it is hot, or to its tombstone;
    once, or again."""
    asyncio.run(_sum_up(redis_url, arrivals))


async def _sum_up(url: str, arrivals: Arrivals) -> None:
    async with Redis.from_url(url) as redis:
        await redis.flushall()
        bench = a_bench(redis)
        await _play(bench, arrivals)
        tombstones = Tombstones(redis, Scripts(redis))
        leaving = await tombstones.leaving(GAME)
        assert leaving is not None
        assert await tombstones.entomb(leaving)
        await _come(bench, arrivals.cold)

        counters = await read_counters(redis)
        never_came = LENGTH - len(arrivals.genuine)
        assert counters.get("skipped", 0) - counters.get("late", 0) == never_came
        (account,) = accounts(counters)
        assert (account.unaccounted, account.pending) == (0, 0)


async def _play(bench: Bench, arrivals: Arrivals) -> None:
    await _come(bench, range(1, arrivals.in_order + 1))
    if arrivals.refused:
        place = arrivals.in_order + 1
        false = replace(HISTORY[place], event=Rolled(place, "nobody", 1), digest="false")
        await bench.inbox.accept(delivery(false, "msg_false"))
    await _come(bench, arrivals.before)
    bench.upstream.answer = snapshot_after(HISTORY)
    await bench.claims.owe(GAME, Reason.RECONNECT)
    await bench.applier.resync(GAME)
    await _come(bench, arrivals.hot)
    hot = Policy(bench.applier.policy.referee, Pace(gap_wait=0))
    await replace(bench.applier, policy=hot).resync(GAME)


async def _come(bench: Bench, sequences: Iterable[int]) -> None:
    await bench.accept(HISTORY[sequence - 1] for sequence in sequences)
    await bench.applier.apply(GAME)
