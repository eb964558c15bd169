"""`ludo-proxy serve`: uvicorn under our own signals.

SIGTERM makes readiness say 503 while the listener stays open and clients of the relay are sent
elsewhere over LUDO_DRAIN; only then the server ends, within 5 s. SIGINT, or a second signal, ends
it at once. uvicorn alone would close every socket with 1012 in the same moment.
"""

import asyncio
import signal
import socket
from collections.abc import Generator, Mapping
from contextlib import AsyncExitStack, closing, contextmanager
from typing import Final, Literal, cast

import structlog
import uvicorn
import uvloop
from litestar import Litestar
from prometheus_client import disable_created_metrics

from ludo.config import ConfigError
from ludo.store.connection import redis_address
from proxy.app import create_app
from proxy.config import ProxySettings, Role
from proxy.fast import FastPath
from proxy.hits import connections
from proxy.parts import Parts
from proxy.processes import run_processes
from proxy.sockets import FramedSockets

OLDEST_UVICORN: Final = (0, 52, 1)
"""Before it a slow WebSocket client had no back-pressure: memory grew without a bound."""
EXIT_WITHIN_S: Final = 5
UNREAD_WITHIN_MS: Final = 20_000
"""How long the kernel waits for a peer to take what was sent before it ends the connection."""
NOTICED_WITHIN_S: Final = 5.0
"""How long load balancers may need to see that this replica is leaving."""
BACKLOG: Final = 2048
MAX_SOCKET_MESSAGE: Final = 65_536

log = structlog.get_logger("server")


def run(
    environ: Mapping[str, str],
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    role: str = "all",
    processes: int = 1,
) -> None:
    """Serves until a signal ends it; raises ConfigError or StoreError when it cannot start."""
    _check_uvicorn()
    # A second series for each counter, which nobody reads.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    settings = ProxySettings.from_env(environ)
    chosen = _role(role)
    with closing(_listening(host, port)) as listener:
        run_processes(processes, lambda: _run_one(settings, chosen, listener))


def _run_one(settings: ProxySettings, role: Role, listener: socket.socket) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, role, listener))


async def serve(settings: ProxySettings, role: Role, listener: socket.socket) -> None:
    """Serves on an open listener until a signal ends it."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(redis_address(settings.store))
        app = create_app(settings, redis_url=url, role=role)
        await stack.enter_async_context(app.lifespan())
        server = _Server(app)
        log.info("server.listening", address=_address(listener), role=role.value)
        await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn, with its signals left to us."""

    def __init__(self, app: Litestar) -> None:
        settings = app.state.parts.settings
        super().__init__(
            uvicorn.Config(
                app,
                http=_http(app),
                ws=FramedSockets,
                ws_per_message_deflate=settings.relay.compression,
                ws_ping_interval=None,
                ws_max_size=MAX_SOCKET_MESSAGE,
                lifespan="off",
                server_header=False,
                access_log=False,
                log_config=None,
                proxy_headers=False,
                timeout_graceful_shutdown=EXIT_WITHIN_S,
            )
        )
        self._parts: Parts = app.state.parts
        self._leaving: asyncio.Task[None] | None = None

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Our signals instead of uvicorn's, for as long as it serves."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminate)
        loop.add_signal_handler(signal.SIGINT, self._end)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _terminate(self) -> None:
        self._leave(self._parts.settings.proxy.drain)

    def _end(self) -> None:
        self._leave(0)

    def _leave(self, window: float) -> None:
        self._parts.readiness.is_draining = True
        if self._leaving is None:
            log.info("server.leaving", seconds=window)
            self._leaving = asyncio.create_task(self._left(window), name="leave")
        else:
            self.should_exit = True

    async def _left(self, window: float) -> None:
        noticed = asyncio.sleep(min(window, NOTICED_WITHIN_S))
        relay = self._parts.relay
        await asyncio.gather(noticed, *([relay.drain(window)] if relay else []))
        self.should_exit = True


def _http(app: Litestar) -> type[asyncio.Protocol] | Literal["httptools"]:
    hits: FastPath | None = app.state["hits"]
    if hits is None:
        return "httptools"
    # uvicorn only calls it, as it calls a class.
    return cast("type[asyncio.Protocol]", connections(hits))


def _check_uvicorn() -> None:
    found = tuple(int(part) for part in uvicorn.__version__.split(".")[:3] if part.isdecimal())
    if found < OLDEST_UVICORN:
        oldest = ".".join(map(str, OLDEST_UVICORN))
        raise ConfigError(f"expected uvicorn {oldest} or newer; found {uvicorn.__version__}")


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise ConfigError(f"--role: expected all, api or relay; found {text!r}") from None


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"--port: expected an address to listen on; {host}:{port} is not one "
            f"({error.strerror}); choose another with --host or --port"
        ) from None
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Connections inherit it: a peer that never reads does not hold what was written for ever.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_WITHIN_MS)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
