"""A real Redis is cut, frozen, restarted, emptied, set back; every client has the mirror again."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store.connection import connect
from proxy.relay.limits import Limits
from tests.redis_servers import PrivateRedis
from tests.relay.audience import Audience, seated
from tests.relay.conftest import Running, Start
from tests.relay.scribe import Scribe
from tests.waiting import wait_until

GAMES = [f"g{n}" for n in range(5)]
BACK_WITHIN = 5.0
PATIENCE = 30.0
"""What a busy machine may take; the bound itself is asserted in `make prove`."""


@dataclass(frozen=True)
class Scale:
    """How many clients, how long the long faults last, and how soon all have to be right."""

    clients: int
    freeze: float
    outage: float
    within: float


SMALL = pytest.param(Scale(6, 1.0, 1.0, PATIENCE), id="small")
FULL = pytest.param(Scale(50, 10.0, 60.0, BACK_WITHIN), id="full", marks=pytest.mark.prove)
scaled = pytest.mark.parametrize("scale", [SMALL, FULL])


@dataclass
class Stage:
    """A relay on a Redis of its own, games that go on, and an audience."""

    server: PrivateRedis
    front: "Front"
    redis: Redis
    games: list[Scribe]
    audience: Audience
    running: Running

    async def play(self, times: int = 3) -> None:
        """Every game goes on."""
        for game in self.games:
            await game.advance(times)

    async def agree(self, scale: Scale) -> None:
        """All have the mirror, and nobody applied anything twice or out of order."""
        took = await self.audience.until_all_have(self.games, scale.within)
        assert took <= scale.within
        assert self.audience.total("missed") == self.audience.total("doubled") == 0


class Front:
    """A TCP port in front of the Redis: a network that can be cut, or swallow everything."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: set[asyncio.StreamWriter] = set()
        self.passing = asyncio.Event()
        self.passing.set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """The address while the block runs."""
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        try:
            yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            self.cut()
            await server.wait_closed()

    def cut(self) -> None:
        """Break every connection."""
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there = await asyncio.open_unix_connection(str(self._path))
            self._open |= {writer, there[1]}
            await asyncio.gather(self._pipe(reader, there[1]), self._pipe(there[0], writer))
        writer.close()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self.passing.wait()
                writer.write(data)
                await writer.drain()
        self._open.discard(writer)
        writer.close()


SetUp = Callable[[Scale], AbstractAsyncContextManager[Stage]]


@pytest.fixture
def stage(start: Start, redis_server: PrivateRedis) -> SetUp:
    """Sets the stage at a scale."""

    @asynccontextmanager
    async def set_up(scale: Scale) -> AsyncIterator[Stage]:
        async with AsyncExitStack() as stack:
            front = Front(redis_server.place.socket)
            url = await stack.enter_async_context(front.listening())
            redis = connect(redis_server.url)
            stack.push_async_callback(redis.aclose)
            games = [Scribe(redis, name) for name in GAMES]
            for game in games:
                await game.advance(3)
            running = await start(Limits(linger=0.05), url=url)
            seating = seated(running.address + "/ws", scale.clients, GAMES, each=2)
            audience = await stack.enter_async_context(seating)
            await audience.until_all_have(games, PATIENCE)
            yield Stage(redis_server, front, redis, games, audience, running)

    return set_up


Fault = Callable[[Stage, Scale], Awaitable[None]]


async def kill_links(stage: Stage, scale: Scale) -> None:
    """CLIENT KILL of everybody, while games go on."""
    for _ in range(3):
        await stage.play(1)
        for kind in ("pubsub", "normal"):
            await stage.redis.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        await stage.play(1)


async def cut_network(stage: Stage, scale: Scale) -> None:
    """Every TCP connection of the relay is reset."""
    for _ in range(3):
        stage.front.cut()
        await stage.play(1)


async def swallow_network(stage: Stage, scale: Scale) -> None:
    """A black hole: connections stay open, and nothing comes through for a while."""
    stage.front.passing.clear()
    await stage.play()
    await asyncio.sleep(scale.freeze)
    stage.front.passing.set()


async def freeze(stage: Stage, scale: Scale) -> None:
    """SIGSTOP: sockets stay open, nobody answers."""
    stage.server.freeze()
    await asyncio.sleep(scale.freeze)
    stage.server.thaw()


async def restart(stage: Stage, scale: Scale) -> None:
    """Killed and started on its data."""
    stage.server.kill()
    stage.server.start()


async def outage(stage: Stage, scale: Scale) -> None:
    """Away for a long time, then back with its data."""
    stage.server.kill()
    await asyncio.sleep(scale.outage)
    stage.server.start()


async def empty(stage: Stage, scale: Scale) -> None:
    """Back with nothing: the games are fetched when the relay asks for them, in a new epoch."""
    await stage.redis.flushall()
    stage.server.kill()
    stage.server.start()
    asked = stage.running.asked.games
    await wait_until(lambda: set(GAMES) <= set(asked), PATIENCE)
    for game in stage.games:
        await game.replace(game.seq, new_epoch=True)


async def set_back(stage: Stage, scale: Scale) -> None:
    """An older copy of the data: what came after it never was."""
    older = Path(f"{stage.server.place.folder}-older")
    stage.server.stop()
    shutil.copytree(stage.server.place.folder, older)
    stage.server.start()
    then = [(game.seq, game.counter) for game in stage.games]
    await _ready(stage)
    await stage.play(5)
    await stage.audience.until_all_have(stage.games, PATIENCE)
    stage.server.kill()
    shutil.rmtree(stage.server.place.folder)
    shutil.move(older, stage.server.place.folder)
    stage.server.start()
    for game, (seq, counter) in zip(stage.games, then, strict=True):
        game.seq, game.counter = seq, counter


FAULTS = [kill_links, cut_network, swallow_network, freeze, restart, outage, empty, set_back]


@scaled
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_all_clients_have_the_mirror_again(stage: SetUp, fault: Fault, scale: Scale) -> None:
    """Within 5 s after Redis is back, without a restart of the relay, then and after one more."""
    async with stage(scale) as set_up:
        await fault(set_up, scale)
        await set_up.agree(scale)
        await _ready(set_up)
        await set_up.play()
        await set_up.agree(scale)
        assert set_up.running.relay.status().connections == scale.clients


@scaled
async def test_a_swallowed_last_message_is_repaired(stage: SetUp, scale: Scale) -> None:
    """Nothing follows it, and yet within 2 s everybody has it."""
    async with stage(scale) as set_up:
        for game in set_up.games:
            await game.advance(publish=False)
        within = 2.0 if scale.within == BACK_WITHIN else PATIENCE
        assert await set_up.audience.until_all_have(set_up.games, within) <= within


async def _ready(stage: Stage) -> None:
    """Redis answers the writer again."""

    async def answers() -> bool:
        with suppress(RedisError, OSError):
            return bool(await stage.redis.ping())
        return False

    await wait_until(answers, PATIENCE)
