"""How fast is the relay, and what does a connection cost? Beside a raw send loop and Socket.IO.

    make bench

Three servers, each a process of its own on the same Redis: ours; the raw loop of `rawloop.py`,
which is uvicorn and Redis and nothing else; Socket.IO on node, if npm can get it. The same clients
(`sockets.py`) load each in turn, in rounds, so that a busy machine is unfair to all alike; medians
are shown. Deliveries a second are those of a closed loop: one event to each of 250 games, and the
next when all 1,000 clients have it; beside it the deliveries for each second of the server's own
CPU time, which does not depend on what else the machine does.
"""

import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import jwt
import uvloop
from redis.asyncio import Redis

from benchmarks.sockets import Socket
from ludo.store import keys
from tests.redis_servers import PrivateRedis
from tests.relay.scribe import Scribe

ROUNDS: Final = 3
CLIENTS: Final = 1_000
GAMES: Final = 250
EVENTS_A_SECOND: Final = 100
LATENCY_FOR: Final = 5.0
SWEEPS: Final = 20
NEWCOMERS_A_SECOND: Final = 180
MANY: Final = 10_000
KEY: Final = "k" * 32
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass
class Audience:
    """All clients of one server, and what came to them."""

    games: Sequence[Scribe]
    sockets: list[Socket] = field(default_factory=list)
    live: int = 0
    received: int = 0
    wanted: int = 0
    all_came: asyncio.Event = field(default_factory=asyncio.Event)
    published: dict[bytes, float] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)

    def came(self, text: bytes) -> None:
        """A delta; its game and number say which event it is."""
        self.received += 1
        if self.received == self.wanted:
            self.all_came.set()
        if self.published:
            begun = self.published.get(text[:40].split(b'"at"')[0])
            if begun is not None:
                self.delays.append(time.perf_counter() - begun)


class Server:
    """One of the three; speaks its protocol."""

    name = "ours"

    def __init__(self, redis: PrivateRedis) -> None:
        self.redis = redis
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    def command(self) -> list[str]:
        """How it is started."""
        return [sys.executable, "-m", "cli", "serve", "--role", "relay", "--port", "0"]

    def find_port(self, line: str) -> int | None:
        """The port, if this line of its output says it."""
        if "server.listening" not in line:
            return None
        return int(json.loads(line)["address"].rpartition(":")[2])

    async def join(self, audience: Audience, number: int) -> Socket:
        """One more client, which follows one game."""
        game = audience.games[number % len(audience.games)].game

        def heard(socket: Socket, text: bytes) -> None:
            if text.startswith(b'{"t":"d"'):
                audience.came(text)
            elif text.startswith(b'{"t":"live"'):
                audience.live += 1
            elif text.startswith(b'{"t":"ping"'):
                socket.send(b'{"t":"pong","n":%d}' % json.loads(text)["n"])
            elif text.startswith(b'{"t":"bye"'):
                raise OSError(text.decode())

        socket = await Socket.connect(f"ws://127.0.0.1:{self.port}/ws", heard)
        token = jwt.encode({"sub": f"player-{number}", "exp": 4_000_000_000}, KEY)
        hello = {"t": "hello", "v": 1, "token": token, "subs": [{"game": game}]}
        socket.send(json.dumps(hello).encode())
        return socket

    # ---- the process

    async def __aenter__(self) -> "Server":
        environ = {
            **os.environ,
            "REDIS_URL": self.redis.url,
            "LUDO_JWT_SECRET": KEY,
            "LUDO_LOG_FORMAT": "json",
        }
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self.command(), env=environ, stdout=pipe, stderr=asyncio.subprocess.STDOUT
        )
        out = self._process.stdout
        assert out is not None
        async with asyncio.timeout(60):
            while not self.port:
                line = (await out.readline()).decode()
                if not line:
                    raise OSError(f"{self.name} ended before it listened")
                self.port = self.find_port(line) or 0
        self._reading = asyncio.create_task(out.read())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
        await self._reading

    def memory(self) -> int:
        """Resident bytes."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/statm").read_text().split()
        return int(fields[1]) * PAGE

    def cpu(self) -> float:
        """Seconds of CPU time so far."""
        assert self._process is not None
        stat = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / TICKS


class RawLoop(Server):
    """Sends in a loop, and does nothing else."""

    name = "raw loop"

    def command(self) -> list[str]:
        """See `Server`."""
        return [sys.executable, "-m", "benchmarks.rawloop", self.redis.url]

    def find_port(self, line: str) -> int | None:
        """See `Server`."""
        return int(line.split()[1]) if line.startswith("port ") else None


class SocketIo(RawLoop):
    """Socket.IO 4 over WebSocket only, with its packets as text."""

    name = "Socket.IO"
    folder: Path

    def command(self) -> list[str]:
        """See `Server`."""
        prefix = keys.channel("")
        return ["node", str(self.folder / "server.cjs"), str(self.redis.place.socket), prefix]

    async def join(self, audience: Audience, number: int) -> Socket:
        """See `Server`."""
        game = audience.games[number % len(audience.games)].game

        def heard(socket: Socket, text: bytes) -> None:
            if text.startswith(b'42["d",'):
                audience.came(text[8:].replace(b'\\"', b'"') if audience.published else text)
            elif text.startswith(b"0"):
                socket.send(b"40")
            elif text.startswith(b"40"):
                socket.send(b'42["join","%s"]' % game.encode())
            elif text.startswith(b'42["live"'):
                audience.live += 1
            elif text == b"2":
                socket.send(b"3")

        url = f"ws://127.0.0.1:{self.port}/socket.io/?EIO=4&transport=websocket"
        return await Socket.connect(url, heard)


@dataclass(frozen=True)
class Measured:
    """One round of one server."""

    per_second: float
    per_cpu_second: float
    kib: float
    p50_ms: float
    p99_ms: float


async def measure(server: Server, games: Sequence[Scribe]) -> Measured:
    """Fill it, and look."""
    async with server:
        async with seated(server, games, 50):
            await asyncio.sleep(0.5)
        await asyncio.sleep(1.0)
        empty = server.memory()
        async with seated(server, games, CLIENTS) as audience:
            await asyncio.sleep(1.0)
            kib = (server.memory() - empty) / CLIENTS / 1024
            p50, p99 = await latency(audience)
            per_second, per_cpu_second = await throughput(server, audience)
    return Measured(per_second, per_cpu_second, kib, p50, p99)


@contextlib.asynccontextmanager
async def seated(server: Server, games: Sequence[Scribe], count: int) -> AsyncIterator[Audience]:
    """So many clients, all live."""
    audience = Audience(games)
    begun = time.perf_counter()
    try:
        for number in range(count):
            wait = begun + number / NEWCOMERS_A_SECOND - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            audience.sockets.append(await server.join(audience, number))
        async with asyncio.timeout(30):
            while audience.live < count:
                await asyncio.sleep(0.05)
        yield audience
    finally:
        for socket in audience.sockets:
            socket.close()


async def latency(audience: Audience) -> tuple[float, float]:
    """Publish at a pace; p50 and p99 from publishing to having, in ms."""
    begun = time.perf_counter()
    for number in range(int(LATENCY_FOR * EVENTS_A_SECOND)):
        wait = begun + number / EVENTS_A_SECOND - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        game = audience.games[number % len(audience.games)]
        head = b'{"t":"d","game":"%s","seq":%d,' % (game.game.encode(), game.seq + 1)
        audience.published[head] = time.perf_counter()
        await game.advance()
    await asyncio.sleep(0.5)
    audience.published.clear()
    cuts = quantiles(audience.delays, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


async def throughput(server: Server, audience: Audience) -> tuple[float, float]:
    """One event to every game, and the next when everybody has it."""
    cpu, begun = server.cpu(), time.perf_counter()
    for _ in range(SWEEPS):
        await sweep(audience)
    took = time.perf_counter() - begun
    deliveries = SWEEPS * len(audience.sockets)
    return deliveries / took, deliveries / max(server.cpu() - cpu, 1 / TICKS)


async def sweep(audience: Audience) -> None:
    """One event to every game; returns when everybody has it."""
    audience.wanted = audience.received + len(audience.sockets)
    audience.all_came.clear()
    await asyncio.gather(*(game.advance() for game in audience.games))
    async with asyncio.timeout(30):
        await audience.all_came.wait()


async def reach_many(server: Server, game: Scribe, count: int) -> list[float]:
    """All sockets on one game: the seconds until one event has reached everybody, five times."""
    async with server, seated(server, [game], count) as audience:
        found = []
        for _ in range(5):
            begun = time.perf_counter()
            await sweep(audience)
            found.append(time.perf_counter() - begun)
            await asyncio.sleep(0.5)
        return found


def get_socketio(folder: Path) -> bool:
    """Whether npm could get Socket.IO into a folder."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    shutil.copy(Path(__file__).with_name("socketio.cjs"), folder / "server.cjs")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "socket.io@4", "redis@5"]
    return subprocess.run(command, cwd=folder, check=False, timeout=180).returncode == 0


def allowed_sockets(wanted: int) -> int:
    """How many sockets this process may have, after asking for as many as it may ask for."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = wanted + 200 if hard == resource.RLIM_INFINITY else min(wanted + 200, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
    return ceiling - 200


async def main() -> None:
    """Print a table, and what became of the goals."""
    allowed = allowed_sockets(MANY)
    with PrivateRedis() as redis, tempfile.TemporaryDirectory() as folder:
        kinds: list[Callable[[PrivateRedis], Server]] = [Server, RawLoop]
        SocketIo.folder = Path(folder)
        if get_socketio(SocketIo.folder):
            kinds.append(SocketIo)
        else:
            say("Socket.IO could not be had (node, npm): it is left out")
        async with Redis.from_url(redis.url) as client:
            games = [Scribe(client, f"g{number}") for number in range(GAMES)]
            for game in games:
                await game.advance()
            rounds: dict[str, list[Measured]] = {}
            for number in range(ROUNDS):
                for kind in kinds:
                    server = kind(redis)
                    rounds.setdefault(server.name, []).append(await measure(server, games))
                say(f"round {number + 1} of {ROUNDS} is done")
            report(rounds)
            if allowed < MANY:
                say(f"{MANY} sockets need {MANY + 200} open files; the limit allows {allowed}")
            reached = await reach_many(Server(redis), games[0], min(MANY, allowed))
            shown = ", ".join(f"{seconds:.2f}" for seconds in reached)
            say(f"one event to {min(MANY, allowed):,} sockets of one process: {shown} s")


def report(rounds: dict[str, list[Measured]]) -> None:
    """Medians of all rounds."""
    names = ("deliveries/s", "per CPU second", "KiB a connection", "p50 ms", "p99 ms")
    say(f"| {CLIENTS:,} clients, {GAMES} games | " + " | ".join(names) + " |")
    say("|---|" + "---|" * len(names))
    for name, measured in rounds.items():
        columns = (
            f"{median(each.per_second for each in measured):,.0f}",
            f"{median(each.per_cpu_second for each in measured):,.0f}",
            f"{median(each.kib for each in measured):.1f}",
            f"{median(each.p50_ms for each in measured):.1f}",
            f"{median(each.p99_ms for each in measured):.1f}",
        )
        say(f"| {name} | " + " | ".join(columns) + " |")


def say(line: str) -> None:
    """A line, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
