"""The sandbox's games and faults against a real Redis and several workers, without HTTP."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from redis.asyncio import Redis

from ludo.mirror.body import to_body
from ludo.mirror.decide import Applied, decide
from ludo.mirror.mirror import Mirror, Referee
from ludo.mirror.owed import MAX_BACKOFF_MS
from ludo.mirror.snapshot import Snapshot
from ludo.rules.ruleset import GameMode
from ludo.store import keys
from ludo.store.counters import read_counters
from ludo.store.games import GameReader
from ludo.store.inbox import Delivery, Verdict
from ludo.upstream.wire import parse_event
from ludo.upstream.wire.events import game_event
from sandbox.clock import iso
from sandbox.faults import Fault, Faults
from sandbox.sending import Sending, of_event
from sandbox.table import Table
from tests.sandbox.builders import a_table, step
from tests.workers.builders import ROOM, Bench, a_bench
from workers.applying import Applier
from workers.planning import Fetched, Unreachable

SILENCE_MS = 50
SETTLED_WITHIN_S = 2 * MAX_BACKOFF_MS / 1000
"""A question that came too early is put again after a back-off, the longest of which is half."""


@dataclass
class Played:
    """One game: its truth, and what its faults let be sent, in the order of arrival."""

    game_id: str
    table: Table
    suffered: Mapping[int, frozenset[Fault]]
    sendings: list[tuple[int, Sending]]
    digests: Mapping[int, str]

    @property
    def length(self) -> int:
        """How many events truly happened."""
        return self.table.sequence

    def with_fault(self, *faults: Fault) -> set[int]:
        """The sequences that suffered one of these."""
        return {s for s, suffered in self.suffered.items() if suffered & set(faults)}


def played(seed: int, rates: Mapping[Fault, float], events: int = 10_000) -> Played:
    """A game of the sandbox under faults; what is late arrives up to a dozen events behind."""
    game_id, chance, clock = f"gm_{seed}", random.Random(seed), iter(range(1, 10**6))
    table = a_table(seed, mode=GameMode.QUICK, now=lambda: next(clock))
    while not table.over and table.sequence < events:
        step(table, chance)
    faults, suffered, digests = Faults(str(seed), rates), {}, {}
    arriving: list[tuple[float, int, Sending]] = []
    for happened in table.log:
        sequence = happened.event.sequence
        event = game_event(
            game_id,
            happened.event,
            room_code=ROOM if sequence == 1 else None,
            at=iso(happened.at),
        )
        suffered[sequence], sendings = of_event(event, table.game.players, faults)
        digests[sequence] = event.digest
        for number, sending in enumerate(sendings):
            behind = sequence + number / 10 + (1.5 if sending.swapped else 0)
            behind += 0 if sending.delay is None else chance.uniform(1, 12)
            arriving.append((behind, sequence, sending))
    ordered = [(sequence, sending) for _, sequence, sending in sorted(arriving, key=_by_arrival)]
    return Played(game_id, table, suffered, ordered, digests)


def _by_arrival(each: tuple[float, int, Sending]) -> float:
    return each[0]


@dataclass
class Arena:
    """Games on one Redis with so many workers; `works` says whether states can be had."""

    redis: Redis
    games: list[Played]
    workers: int
    works: bool = True
    told: Counter[str] = field(default_factory=Counter)
    bench: Bench = field(init=False)
    appliers: list[Applier] = field(init=False)
    truth: Mapping[str, list[Snapshot]] = field(init=False)

    def __post_init__(self) -> None:
        self.bench = a_bench(self.redis, gap_wait=5, silence=10**9)
        self.appliers = [
            replace(self.bench.applier, fetch=self._state, calls=asyncio.Semaphore(64))
            for _ in range(self.workers)
        ]
        self.truth = {game.game_id: snapshots(game) for game in self.games}

    async def _state(self, game_id: str) -> Fetched:
        """The true state as of the last event that was told, and never an older one."""
        await asyncio.sleep(0.001)
        if not self.works:
            return Unreachable("503")
        return self.truth[game_id][self.told[game_id] - 1]

    async def run(self, chance: random.Random, batch: int = 8) -> None:
        """Every sending arrives, the games side by side, while all workers work on all games."""
        lanes = [list(game.sendings) for game in self.games]
        while any(lanes):
            for game, lane in zip(self.games, lanes, strict=True):
                for _ in range(min(len(lane), chance.randint(1, batch))):
                    await self._accept(game, *lane.pop(0))
            await self._work()
        for game in self.games:
            self.told[game.game_id] = game.length
        self._fall_silent()
        deadline = asyncio.get_running_loop().time() + SETTLED_WITHIN_S
        while await self.unsettled() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
            await self._work()

    def _fall_silent(self) -> None:
        """Nothing comes any more: a game whose last event was lost is found by its silence."""
        if not self.works:
            return
        policy = self.bench.applier.policy
        quiet = replace(policy, pace=replace(policy.pace, silence=SILENCE_MS))
        self.appliers = [replace(applier, policy=quiet) for applier in self.appliers]

    async def _accept(self, game: Played, sequence: int, sending: Sending) -> None:
        self.told[game.game_id] = max(self.told[game.game_id], sequence)
        delivery = Delivery(sending.webhook_id, sending.body, parse_event(sending.body))
        verdict = await self.bench.inbox.accept(delivery)
        assert verdict in (Verdict.ACCEPTED, Verdict.DUPLICATE), verdict

    async def _work(self) -> None:
        """Every worker takes every game at once; the lease lets one of them have it."""
        await asyncio.gather(
            *(applier.resync(game.game_id) for applier in self.appliers for game in self.games)
        )

    async def unsettled(self) -> list[str]:
        """The games that differ from the truth or still owe something."""
        found = []
        for game in self.games:
            stored = await GameReader(self.redis).load(game.game_id)
            truth = to_body(self.truth[game.game_id][-1])
            owed = await self.redis.hget(keys.game(game.game_id), "owed")
            if stored is None or stored.body != truth or (owed and self.works):
                found.append(game.game_id)
        return found

    async def counters(self) -> Mapping[str, int]:
        return await read_counters(self.redis)


def snapshots(game: Played) -> list:  # type: ignore[type-arg]
    """The true state after each event."""

    mirror: Mirror | None = None
    states = []
    for happened in game.table.log:
        event = game_event(
            game.game_id,
            happened.event,
            room_code=ROOM if not states else None,
            at=iso(happened.at),
        )
        decision = decide(mirror, event, None, Referee(), "truth")
        assert isinstance(decision, Applied)
        mirror = decision.mirror
        states.append(mirror.snapshot)
    return states


async def sequences(redis: Redis, game_id: str, prefix: str) -> dict[int, str]:
    """What is kept by sequence: `s` for applied, `l` for late, each with its digest."""
    seen = await redis.hgetall(keys.seen(game_id))
    return {
        int(name[2:]): digest.decode()
        for name, digest in seen.items()
        if name.startswith(f"{prefix}:".encode())
    }


async def set_aside(redis: Redis, game_id: str) -> set[int]:
    """The sequences of which an event was refused by the rules."""
    letters = await redis.xrange(keys.DEAD_LETTERS)
    return {
        int(fields[b"sequence"])
        for _, fields in letters
        if fields[b"game"].decode() == game_id and fields[b"cause"] == b"illegal"
    }
