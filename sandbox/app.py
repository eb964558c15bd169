"""The sandbox put together: one call makes all its parts, and they live as long as the app."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import structlog
from httpx_aiohttp import AiohttpTransport
from litestar import Litestar
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from ludo.upstream.keyring import SigningKey
from sandbox.config import SandboxConfig
from sandbox.continuous import Continuous
from sandbox.deliveries import Deliveries
from sandbox.errors import Refused
from sandbox.faults import Faults
from sandbox.gate import Gate
from sandbox.herald import Herald
from sandbox.lobby import Lobby
from sandbox.outbox import Attempt, Outbox
from sandbox.playing import Playing
from sandbox.progress import Progress
from sandbox.ratelimit import RateLimit
from sandbox.replies import on_failure, on_http_error, on_refused
from sandbox.routes.control import CONTROL
from sandbox.routes.games import GAMES
from sandbox.routes.players import PLAYERS
from sandbox.routes.rooms import ROOMS
from sandbox.routes.socket import listen
from sandbox.sockets import Sockets
from sandbox.tally import Tally
from sandbox.tokens import SessionTokens

Now = Callable[[], float]
_log = structlog.get_logger(__name__)


def create_app(config: SandboxConfig, now: Now = time.time) -> ASGIApp:
    """A sandbox as an ASGI application with a lifespan; `now` gives Unix seconds."""
    return _Parts(config, now).app()


class _Parts:
    """Everything of one sandbox, made without a running loop and started by the lifespan."""

    def __init__(self, config: SandboxConfig, now: Now) -> None:
        seed = secrets.token_hex(4) if config.seed is None else config.seed
        self._config = config
        self._now = now
        self._client = _client(config)
        self._tally = Tally()
        self._outbox = self._made_outbox()
        self._sockets = Sockets(config.api_key.get_secret_value())
        faults = Faults(seed, config.faults, config.longest_delay)
        self._herald = Herald(self._outbox, self._sockets, self._tally, faults)
        self._lobby = Lobby(
            self._herald,
            lambda room: self._playing.attend(room),
            lambda: int(now() * 1000),
            seed=seed,
            speed=config.speed,
            rules=config.rules,
            keep=config.keep,
        )
        self._playing = Playing(self._lobby, self._outbox, config.turn_timer)
        self._continuous = Continuous(self._lobby, self._playing, seed, config.total)

    def app(self) -> ASGIApp:
        """The application, behind its gate."""
        limit = self._config.limit
        return Gate(
            self._routed(),
            key=self._config.api_key.get_secret_value(),
            limit=RateLimit(limit.limit, limit.seconds) if limit else None,
            faults=lambda: self._herald.faults,
            busy=lambda: self._outbox.full,
            now=self._now,
        )

    def _routed(self) -> Litestar:
        progress = Progress(self._outbox, self._playing, self._tally, self._continuous)
        tokens = SessionTokens(self._config.api_key.get_secret_value())
        shared = {
            "lobby": self._lobby, "herald": self._herald, "progress": progress,
            "sockets": self._sockets, "tokens": tokens,
        }  # fmt: skip
        return Litestar(
            route_handlers=[*ROOMS, *PLAYERS, *GAMES, *CONTROL, listen],
            dependencies={name: _provided(part) for name, part in shared.items()},
            exception_handlers={
                Refused: on_refused,
                HTTPException: on_http_error,
                Exception: on_failure,
            },
            lifespan=[self._running],
            openapi_config=None,
            logging_config=None,
        )

    def _made_outbox(self) -> Outbox:
        config = self._config
        return Outbox(
            self._attempt(),
            config.schedule,
            self._tally,
            connections=config.connections,
            bound=config.queue,
        )

    def _attempt(self) -> Attempt | None:
        url, secret = self._config.webhook_url, self._config.webhook_secret
        if url is None or secret is None:
            return None
        key = SigningKey.parse(secret.get_secret_value())
        return Deliveries(self._client, url, key, self._now).attempt

    @asynccontextmanager
    async def _running(self, _: Litestar) -> AsyncIterator[None]:
        """The sandbox at work; on leaving, what is under way is dropped."""
        _log.info("sandbox.started", seed=self._herald.faults.seed, games=self._config.games)
        games = asyncio.create_task(self._continuous.run(self._config.games))
        try:
            yield
        finally:
            games.cancel()
            await asyncio.gather(games, return_exceptions=True)
            await self._playing.aclose()
            await self._outbox.aclose()
            await self._client.aclose()


def _provided(part: object) -> Provide:
    return Provide(lambda: part, sync_to_thread=False)


def _client(config: SandboxConfig) -> httpx.AsyncClient:
    """httpx over aiohttp's connections: a third of the processor time of httpx' own a delivery."""
    # Shorter than a server's usual 5 s, so that a connection is not used as it is being closed.
    limits = httpx.Limits(max_connections=config.connections, keepalive_expiry=2)
    # The receiver is ours: a proxy in the environment must not get between.
    transport = AiohttpTransport(limits=limits, trust_env=False)
    return httpx.AsyncClient(transport=transport, trust_env=False)
