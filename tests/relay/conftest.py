"""A relay on a real Redis behind a real server."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import uvicorn
from litestar import Litestar
from redis.asyncio import Redis

from ludo.config import Rate
from ludo.store.connection import connect
from ludo.store.feed import Feed
from ludo.store.games import GameReader
from ludo.store.orders import Orders
from ludo.store.scripts import Scripts
from ludo.tasks import beside
from proxy.orders import OrderWatch
from proxy.relay.callers import Anyone, Authenticator
from proxy.relay.entrance import Entrance
from proxy.relay.limits import Limits
from proxy.relay.reader import LINK
from proxy.relay.relay import Relay
from proxy.relay.shared import Shared
from proxy.relay.store_source import StoreSource
from proxy.sockets import FramedSockets
from tests.relay.scribe import Scribe
from tests.waiting import wait_until

QUICK = replace(Limits(), audit_every=0.03, linger=0.01, unknown_for=0.2, look_every=0.05)
_SMALL_BUFFER = 4096


@dataclass
class Asked:
    """Remembers which unknown games were to be fetched."""

    games: list[str] = field(default_factory=list)

    async def ask(self, game_id: str) -> None:
        """See `Asking`."""
        self.games.append(game_id)


class _Server(uvicorn.Server):
    def capture_signals(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


@dataclass
class Running:
    """A relay that can be reached at `address`."""

    relay: Relay
    address: str
    asked: Asked
    source: StoreSource


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start(redis_url: str) -> AsyncIterator[Start]:
    """Starts relays; at the end nothing of them may be left."""
    before = asyncio.all_tasks()
    async with contextlib.AsyncExitStack() as stack:

        async def one(
            limits: Limits = QUICK,
            *,
            url: str = redis_url,
            authenticator: Authenticator | None = None,
            origins: tuple[str, ...] = (),
            talk_rates: Sequence[Rate] = (),
            **server: Any,
        ) -> Running:
            return await stack.enter_async_context(
                _running(url, limits, authenticator or Anyone(), origins, talk_rates, server)
            )

        yield one
    await wait_until(lambda: not asyncio.all_tasks() - before - {asyncio.current_task()})


@pytest.fixture
def scribe(redis: Redis) -> Callable[..., Scribe]:
    """Writes games."""
    return lambda game="g1", **more: Scribe(redis, game, **more)


@contextlib.asynccontextmanager
async def _running(
    url: str,
    limits: Limits,
    authenticator: Authenticator,
    origins: tuple[str, ...],
    talk_rates: Sequence[Rate],
    server: Mapping[str, Any],
) -> AsyncIterator[Running]:
    client = connect(url)
    asked = Asked()
    scripts = Scripts(client)
    orders = OrderWatch(Orders(client, scripts), limits.look_every)
    source = StoreSource(GameReader(client), Feed(client), asked)
    relay = Relay(
        source,
        lambda: connect(url, LINK),
        authenticator,
        Shared.on(client, scripts, orders, limits, talk_rates),
        origins=origins,
        limits=limits,
    )
    app = Litestar(
        lifespan=[lambda _: beside("orders", orders.run()), lambda _: relay.running()],
    )
    app.asgi_handler = Entrance(app.asgi_handler, relay)
    listener = listening()
    async with served(app, listener, **server):
        port = listener.getsockname()[1]
        yield Running(relay, f"ws://127.0.0.1:{port}", asked, source)
        await relay.drain(0)
        if limits.audit_every <= QUICK.audit_every:
            await wait_until(lambda: _at_rest(relay))
    await client.aclose()


def _at_rest(relay: Relay) -> bool:
    status = relay.status()
    return status.connections == status.rooms == status.subscriptions == 0


def listening() -> socket.socket:
    """Sockets with small buffers, so that a slow reader is noticed soon."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALL_BUFFER)
    listener.bind(("127.0.0.1", 0))
    return listener


@contextlib.asynccontextmanager
async def served(app: Any, listener: socket.socket, **options: Any) -> AsyncIterator[None]:
    """The application on a real server."""
    chosen = {"ws": FramedSockets, "ws_per_message_deflate": False, **options}
    config = uvicorn.Config(
        app,
        ws_ping_interval=None,
        log_level="error",
        lifespan="on",
        timeout_graceful_shutdown=5,
        **chosen,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listener]))
    await wait_until(lambda: server.started or task.done())
    try:
        yield
    finally:
        server.should_exit = True
        await task
