"""A whole deployment: two relays on one Redis, clients that come and go, and a fate by seed."""

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from random import Random
from unittest import mock

from structlog.testing import capture_logs

from ludo.tasks import end
from proxy.relay import relay as relay_module
from proxy.relay.callers import Caller, Refused
from proxy.relay.limits import Limits
from proxy.relay.relay import Relay
from tests.relay.model.alone import alone
from tests.relay.model.clock import run, times
from tests.relay.model.players import Player
from tests.relay.model.shelf import Shelf
from tests.relay.model.wires import Wire

# Nobody has anything to look for besides the games.
LIMITS = replace(Limits(), linger=2.0, unknown_for=1.0, look_every=1e6, tell_every=1e6)
GAMES = ("g1", "g2", "g3")
QUIET_WITHIN = 45.0


@dataclass(frozen=True)
class Outcome:
    """What a run came to; equal for equal seeds."""

    seed: int
    applied: int
    snapshots: int
    at: float


class Doors:
    """Who may come in: a token is the time at which it ends."""

    async def authenticate(self, token: str | None) -> Caller | Refused:
        """See `Authenticator`."""
        if token is None:
            return Caller()
        return Caller(sub="somebody", exp=int(token))


class Replica:
    """A relay process that can be killed, drained, and started again."""

    def __init__(self, shelf: Shelf, chance: Random) -> None:
        self._shelf = shelf
        self._chance = chance
        self._stack = AsyncExitStack()
        self._relay: Relay | None = None
        self._serving: dict[asyncio.Task[None], Wire] = {}

    @property
    def up(self) -> bool:
        """Whether it takes connections."""
        return self._relay is not None

    async def start(self) -> None:
        """Begin with nothing."""
        self._stack = AsyncExitStack()
        relay = Relay(
            self._shelf,
            self._shelf.connect,  # type: ignore[arg-type, return-value]
            Doors(),
            alone(),
            limits=LIMITS,
            chance=self._chance,
        )
        await self._stack.enter_async_context(relay.running())
        self._relay = relay

    def take(self, wire: Wire) -> None:
        """Serve one client."""
        assert self._relay is not None
        task = asyncio.create_task(self._relay.serve(*wire.end()))
        self._serving[task] = wire
        task.add_done_callback(lambda done: self._serving.pop(done, None))

    async def kill(self) -> None:
        """End without a word."""
        self._relay = None
        for wire in tuple(self._serving.values()):
            wire.cut()
        await self._stack.aclose()
        await end(*self._serving)

    async def drain(self, window: float) -> None:
        """Send everybody away within a window, then end."""
        relay = self._relay
        if relay is None:
            return
        self._relay = None
        await relay.drain(window)
        await self._stack.aclose()
        await end(*self._serving)


class World:
    """Everything of one run."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._shelf = Shelf(self._chance)
        self._replicas = [Replica(self._shelf, self._chance) for _ in range(2)]
        self._players: list[Player] = []
        self._busy: list[asyncio.Task[None]] = []
        self._loop = asyncio.get_running_loop()

    async def play(self, actions: int) -> tuple[int, int]:
        """Begin, suffer, come to rest, and compare; what was applied, and how many snapshots."""
        for game in GAMES:
            self._shelf.begin(game, self._chance.randint(1, 30))
        self._shelf.save()
        for replica in self._replicas:
            await replica.start()
        for _ in range(3):
            self._come()
        for _ in range(actions):
            self._act()
            await asyncio.sleep(self._chance.choice((0.0, 0.001, 0.01, 0.05, 0.3)))
        await self._rest()
        counts = sum(p.applied for p in self._players), sum(p.snapshots for p in self._players)
        await self._end()
        return counts

    # ---- what may happen

    def _act(self) -> None:
        deeds = {
            self._publish: 60,
            self._resync: 3,
            self._cut_client: 4,
            self._freeze_client: 2,
            self._change_watch: 3,
            self._come: 1,
            self._change_fate: 4,
            self._shelf.cut: 2,
            self._shelf.forget_feeds: 1,
            self._shelf.save: 1,
            self._shelf.restore: 1,
            self._shelf.empty: 1,
            self._outage: 1,
            self._restart: 2,
        }
        deed = self._chance.choices(list(deeds), list(deeds.values()))[0]
        deed()

    def _publish(self) -> None:
        game = self._chance.choice(GAMES)
        for _ in range(self._chance.choice((1, 1, 1, 2, 5, 80))):
            self._shelf.advance(game)

    def _resync(self) -> None:
        rotate = self._chance.random() < 0.5
        by = self._chance.choice((1, 2, 9) if not rotate else (-20, -1, 0, 1, 5))
        self._shelf.resync(self._chance.choice(GAMES), by, rotate=rotate)

    def _change_fate(self) -> None:
        shelf, draw = self._shelf, self._chance.choice
        shelf.swallow, shelf.repeat, shelf.shuffle = (
            draw((0.0, 0.0, 0.3, 1.0)),
            draw((0.0, 0.4)),
            draw((0.0, 0.3)),
        )

    def _cut_client(self) -> None:
        for wire in self._chance.choice(self._players).wires():
            wire.cut()

    def _freeze_client(self) -> None:
        for wire in self._chance.choice(self._players).wires():
            wire.freeze(True)
            self._loop.call_later(self._chance.uniform(0.1, 7.0), wire.freeze, False)

    def _change_watch(self) -> None:
        player, game = self._chance.choice(self._players), self._chance.choice(GAMES)
        if game in player.talk.followers:
            player.unwatch(game)
        else:
            player.watch(game)

    def _come(self) -> None:
        if len(self._players) < 6:
            player = Player(f"p{len(self._players)}", self._chance, self._connect, self._token)
            self._players.append(player)
            player.open(self._chance.sample(GAMES, self._chance.randint(1, len(GAMES))))

    def _outage(self) -> None:
        if not self._shelf.down:
            self._shelf.down = True
            self._shelf.cut()
            self._loop.call_later(self._chance.uniform(0.1, 8.0), self._back)

    def _back(self) -> None:
        self._shelf.down = False

    def _restart(self) -> None:
        up = [replica for replica in self._replicas if replica.up]
        if up:
            window = self._chance.choice((None, 0.0, 3.0))
            task = asyncio.create_task(self._one_restart(self._chance.choice(up), window))
            self._busy.append(task)

    async def _one_restart(self, replica: Replica, window: float | None) -> None:
        if window is None:
            await replica.kill()
        else:
            await replica.drain(window)
        await asyncio.sleep(self._chance.uniform(0.0, 3.0))
        await replica.start()

    def _connect(self, wire: Wire) -> bool:
        up = [replica for replica in self._replicas if replica.up]
        if up:
            self._chance.choice(up).take(wire)
        return bool(up)

    def _token(self) -> str:
        lifetime = self._chance.choice((3.0, 20.0, 600.0))
        return str(int((1_700_000_000 + self._loop.time() + lifetime) * 1000))

    # ---- the end

    async def _rest(self) -> None:
        """Heal everything, let one more event happen, and wait until all have the truth."""
        await asyncio.gather(*self._busy)
        self._back()
        self._shelf.swallow = self._shelf.repeat = self._shelf.shuffle = 0.0
        for player in self._players:
            for wire in player.wires():
                wire.freeze(False)
        deadline = self._loop.time() + QUIET_WITHIN
        while wrong := self._differences():
            assert self._loop.time() < deadline, f"still different: {wrong}"
            await asyncio.sleep(0.25)

    def _differences(self) -> list[str]:
        return [
            f"{player.name} {game}: {player.copy(game)} is not {record}"
            for player in self._players
            for game in player.talk.followers
            for record in [self._shelf.records.get(game)]
            if record is None or player.copy(game)[0] is None or self._differs(player, game)
        ]

    def _differs(self, player: Player, game: str) -> bool:
        record = self._shelf.records[game]
        place, _ = player.copy(game)
        return place is None or (place.epoch, place.seq) != (record.epoch, record.seq)

    async def _end(self) -> None:
        for player in self._players:
            player.close()
        for replica in self._replicas:
            await replica.kill()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"still running: {left}"


def play(seed: int, actions: int) -> Outcome:
    """One run; raises what goes wrong in it, with the seed."""

    async def whole() -> Outcome:
        loop, faults = asyncio.get_running_loop(), list[object]()
        loop.set_exception_handler(lambda _, context: faults.append(context))
        clock = mock.patch.object(relay_module, "time", times(loop))
        with clock, capture_logs() as logs:
            applied, snapshots = await World(seed).play(actions)
        faults += [entry for entry in logs if entry["log_level"] in ("error", "critical")]
        assert not faults, f"faults that nobody expected: {faults}"
        return Outcome(seed, applied, snapshots, round(loop.time(), 6))

    state = random.getstate()
    random.seed(seed)
    try:
        return run(whole())
    except BaseException as error:
        error.add_note(f"to see it again: python -m tests.relay.model {seed} {actions}")
        raise
    finally:
        random.setstate(state)
