"""`ludo-proxy sandbox`: serves the sandbox until it is told to end."""

import asyncio
import signal
import socket
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Final

import structlog
import uvicorn

from ludo.config import ConfigError
from sandbox.app import create_app
from sandbox.config import SandboxConfig

_GRACE: Final = 2
"""Seconds that requests under way have to end."""
_log = structlog.get_logger(__name__)


def run(config: SandboxConfig) -> None:
    """Serve until SIGTERM or SIGINT, then return within 3 s.

    Raises ConfigError if the address cannot be listened on.
    """
    with closing(_listening(config.host, config.port)) as listener:
        address = f"http://{config.host}:{listener.getsockname()[1]}"
        _log.info("sandbox.listening", address=address, webhooks=config.webhook_url)
        _Server(_settings(config)).run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn, with its signals left to us: it would end the process by the signal it got."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Ask to end on either signal, as often as it comes."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        yield

    def _end(self) -> None:
        self.should_exit = True


def _settings(config: SandboxConfig) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(config),
        # Cut answers are wished for here, and uvicorn calls each an error.
        log_level="critical",
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Made with its protocol: asyncio turns Nagle's delay off (40 ms an answer) only then.
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _cannot_listen(host, port, error) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from None
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> ConfigError:
    return ConfigError(
        f"LUDO_SANDBOX_PORT: expected an address to listen on; {host}:{port} is not one "
        f"({error.strerror}); set LUDO_SANDBOX_HOST or LUDO_SANDBOX_PORT to another"
    )
