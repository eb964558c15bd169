"""The servers that are compared: each a process of its own, on the same Redis."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import jwt

from benchmarks.relay.audience import Audience
from benchmarks.relay.processes import cpu, resident
from benchmarks.relay.sockets import Socket
from ludo.store import keys
from tests.redis_servers import PrivateRedis

KEY: Final = "k" * 32


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
                audience.missing.append(number)

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
        return resident(self._process.pid)

    def cpu(self) -> float:
        """Seconds of CPU time so far."""
        assert self._process is not None
        return cpu(self._process.pid)


class RawLoop(Server):
    """Sends in a loop, and does nothing else."""

    name = "raw loop"

    def command(self) -> list[str]:
        """See `Server`."""
        return [sys.executable, "-m", "benchmarks.relay.rawloop", self.redis.url]

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


def get_socketio(folder: Path) -> bool:
    """Whether npm could get Socket.IO into a folder."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    shutil.copy(Path(__file__).with_name("socketio.cjs"), folder / "server.cjs")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "socket.io@4", "redis@5"]
    return subprocess.run(command, cwd=folder, check=False, timeout=180).returncode == 0
