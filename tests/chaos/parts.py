"""The processes that are struck: forked from a server that has imported them, killed, frozen.

A process of ours needs a second or two to import its modules, which would be most of a round. The
fork server of the standard library has done that once; what it forks shares nothing else with
anybody, and dies of SIGKILL like any other.
"""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from cli.sandbox import run as run_sandbox
from ludo.logs import LogConfig, configure_logs
from proxy.server import run as run_proxy
from sandbox.config import SandboxConfig
from workers.config import WorkerSettings
from workers.main import run as run_worker

Environ = Mapping[str, str]
Body = Callable[[Environ], None]
"""What a process does, until a signal ends it."""

_IMPORTED_LATE: Final = (
    "aiosqlite",
    "anyio._backends._asyncio",
    "httptools",
    "litestar.plugins.attrs",
    "litestar.plugins.pydantic",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
"""What others import only when they are used, and would import after every restart."""
FORKING: Final = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload([__name__, *_IMPORTED_LATE])
PORT: Final = "CHAOS_PORT"
_PR_SET_PDEATHSIG: Final = 1


@dataclass(slots=True)
class Part:
    """One process: it can be started, struck, and started again."""

    name: str
    body: Body
    environ: Environ = field(repr=False)
    log: Path
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _process: ForkServerProcess | None = None

    def start(self) -> None:
        """Fork it."""
        self._process = FORKING.Process(
            target=_live,
            args=(self.body, dict(self.environ), str(self.log)),
            name=self.name,
            daemon=True,
        )
        self._process.start()

    async def kill(self) -> None:
        """End it as a crash does; it is gone afterwards."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.join)
            self._process = None

    async def terminate(self, within: float) -> int | None:
        """Ask it to end; its exit code, or None if it did not end in time."""
        self._signal(signal.SIGTERM)
        return await self.ended(within)

    async def ended(self, within: float) -> int | None:
        """Wait for it to end by itself; its exit code (negative: the signal), or None."""
        if self._process is None:
            return None
        await asyncio.to_thread(self._process.join, within)
        return self._process.exitcode

    async def freeze(self) -> None:
        """Stop it where it stands; its connections stay open."""
        self._signal(signal.SIGSTOP)

    async def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    async def restart(self) -> None:
        """Start it again after it was killed."""
        self.start()

    @property
    def died(self) -> bool:
        """Whether it ended although nobody killed it."""
        return self._process is not None and not self._process.is_alive()

    @property
    def pid(self) -> int:
        """The process id of one that runs."""
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.pid is not None:
            os.kill(self._process.pid, number)


def _live(body: Body, environ: Environ, log: str) -> None:
    if sys.platform == "linux":
        # The fork server ends with us, and this with it: nothing stays behind.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    configure_logs(LogConfig.from_env(environ))
    body(environ)


def serve(environ: Environ) -> None:
    """A proxy, as `ludo-proxy serve` runs it."""
    run_proxy(environ, port=int(environ[PORT]))


def work(environ: Environ) -> None:
    """A worker, as `ludo-proxy worker` runs it."""
    asyncio.run(run_worker(WorkerSettings.from_env(environ)))


def play(environ: Environ) -> None:
    """A sandbox, as `ludo-proxy sandbox` runs it."""
    run_sandbox(SandboxConfig.from_env(environ))
