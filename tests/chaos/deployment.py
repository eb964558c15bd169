"""One whole deployment of real processes on loopback, each of which can be struck."""

import asyncio
import base64
import os
import secrets
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import httpx
from redis.asyncio import Redis

from ludo.store import keys
from tests.chaos.ledger import HOST, Ledger, recording
from tests.chaos.parts import PORT, Body, Environ, Part, play, serve, work
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until

READY_WITHIN_S: Final = 60.0
LIMIT: Final = "60000/60s"
ROOM_FOR_REDIS: Final = 1 << 30


class Victim(Protocol):
    """Whatever can be struck; who strikes holds the lock until it is up again."""

    lock: asyncio.Lock

    async def kill(self) -> None:
        """End it as a crash does."""

    async def restart(self) -> None:
        """Start it again after that."""

    async def freeze(self) -> None:
        """Stop it where it stands."""

    async def thaw(self) -> None:
        """Let it go on after that."""


class RedisVictim:
    """The Redis of a deployment; what it acknowledged is on the disk."""

    def __init__(self, server: PrivateRedis) -> None:
        self._server = server
        self.lock = asyncio.Lock()

    async def kill(self) -> None:
        await asyncio.to_thread(self._server.kill)

    async def restart(self) -> None:
        await asyncio.to_thread(self._server.start)

    async def freeze(self) -> None:
        self._server.freeze()

    async def thaw(self) -> None:
        self._server.thaw()


@dataclass(frozen=True, slots=True)
class Deployment:
    """Sandbox, ledger, proxy, two workers and Redis, all answering."""

    parts: tuple[Part, ...]
    victims: dict[str, Victim]
    ledger: Ledger
    redis: Redis
    sandbox: httpx.AsyncClient
    relay: str
    """The relay's address."""

    def check(self) -> None:
        """Fails if a part ended by itself: nothing of ours may do that, whatever goes away."""
        for part in self.parts:
            assert not part.died, f"{part.name} ended by itself; see {part.log}"


@asynccontextmanager
async def deployed(folder: Path, *, receiver: Body = serve) -> AsyncIterator[Deployment]:
    """A deployment that keeps its data and logs in `folder`; `receiver` is the proxy's body."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    proxy_port, ledger_port, sandbox_port = (free_port() for _ in range(3))
    async with AsyncExitStack() as stack:
        server = stack.enter_context(PrivateRedis(_quick_folder()))
        ledger = Ledger(f"http://{HOST}:{proxy_port}/webhooks/ludo")
        webhooks = await stack.enter_async_context(recording(ledger, ledger_port))
        ours, theirs = _settings(folder, server.url, proxy_port, sandbox_port, webhooks)
        proxy, first, second, sandbox = parts = (
            Part("proxy", receiver, ours, folder / "proxy.log"),
            Part("worker-1", work, ours, folder / "worker-1.log"),
            Part("worker-2", work, ours, folder / "worker-2.log"),
            Part("sandbox", play, theirs, folder / "sandbox.log"),
        )
        redis = Redis.from_url(server.url, retry_on_timeout=True)
        stack.push_async_callback(redis.aclose)
        for part in parts:
            part.start()
            stack.push_async_callback(part.kill)
        key = theirs["LUDO_SANDBOX_API_KEY"]
        client = httpx.AsyncClient(
            base_url=f"http://{HOST}:{sandbox_port}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=15,
            # A connection that is kept may be closed in the moment in which it is used again.
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
        )
        await stack.enter_async_context(client)
        address = f"http://{HOST}:{proxy_port}"
        await wait_until(lambda: _ready(client, redis, address), READY_WITHIN_S)
        victims: dict[str, Victim] = {
            "proxy": proxy, "worker-1": first, "worker-2": second, "redis": RedisVictim(server),
        }  # fmt: skip
        relay = f"ws://{HOST}:{proxy_port}/ws"
        yield Deployment((proxy, first, second, sandbox), victims, ledger, redis, client, relay)


async def _ready(sandbox: httpx.AsyncClient, redis: Redis, proxy: str) -> bool:
    try:
        await sandbox.get("/health")
        ready = await sandbox.get(f"{proxy}/health/ready")
    except httpx.HTTPError:
        return False
    return ready.status_code == 200 and bool(await redis.exists(keys.WORKERS_ALIVE))


def _settings(
    folder: Path, redis: str, proxy_port: int, sandbox_port: int, webhooks: str
) -> tuple[dict[str, str], dict[str, str]]:
    """The environments of our processes and of the sandbox."""
    key = f"lk_test_{secrets.token_hex(8)}"
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    ours = {
        **_kept(),
        PORT: str(proxy_port),
        "REDIS_URL": redis,
        "LUDO_DATA_DIR": str(folder),
        "LUDO_AUTH": "open",
        "LUDO_QUOTA": "off",
        "LUDO_API_KEY": key,
        "LUDO_API_BASE_URL": f"http://{HOST}:{sandbox_port}/v1",
        "LUDO_WEBHOOK_SECRETS": secret,
        "LUDO_UPSTREAM_LIMIT": LIMIT,
        "LUDO_GAP_WAIT": "0.5s",
        "LUDO_WORKERS_SILENCE": "2s",
        "LUDO_DRAIN": "0s",
    }
    theirs = {
        **_kept(),
        "LUDO_SANDBOX_HOST": HOST,
        "LUDO_SANDBOX_PORT": str(sandbox_port),
        "LUDO_SANDBOX_API_KEY": key,
        "LUDO_SANDBOX_WEBHOOK_URL": webhooks,
        "LUDO_SANDBOX_WEBHOOK_SECRET": secret,
        "LUDO_SANDBOX_RETRY": "0.02s,0.05s,0.1s,0.2s",
        "LUDO_SANDBOX_ATTEMPTS": "1000",
        "LUDO_SANDBOX_DELAY": "0.5s",
        "LUDO_SANDBOX_LIMIT": LIMIT,
    }
    return ours, theirs


def _kept() -> Environ:
    """This process' environment without any setting of ours."""
    ours = ("LUDO_", "REDIS_URL", "CORS_ORIGINS", "DATABASE_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _quick_folder() -> Path | None:
    """A folder in memory, if there is a large one: what SIGKILL leaves in a file is the same, and
    rounds do not wait for a disk that others write to."""
    memory = Path("/dev/shm")
    large = memory.is_dir() and shutil.disk_usage(memory).free >= ROOM_FOR_REDIS
    return memory if large else None


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
