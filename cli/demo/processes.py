"""The processes of the demo: started, started again when they die, and ended together."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from cli.failing import CannotGoOn

TERMINATE_WITHIN_S: Final = 3.0
KILL_WITHIN_S: Final = 1.0
RESTART_PAUSE_S: Final = 0.2
STABLE_S: Final = 5.0
"""A process that ends sooner than this for the third time in a row is not started again."""
MAX_QUICK_ENDS: Final = 3

log = structlog.get_logger("demo")


class ProcessFailed(CannotGoOn):
    """A process of the demo cannot be kept running; the message quotes what it said last."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process: its name, the arguments of `ludo-proxy`, and its environment."""

    name: str
    arguments: Sequence[str]
    environ: Mapping[str, str] = field(repr=False)


class Processes:
    """Keeps the parts running inside its block and ends all of them when it is left."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._ending = False

    async def __aenter__(self) -> "Processes":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ending = True
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(_end(process) for process in self._running.values()))

    def keep(self, part: Part) -> None:
        """Starts the part and starts it again whenever it ends."""
        keeper = asyncio.create_task(self._keep(part), name=f"keep-{part.name}")
        self._keepers.append(keeper)

    def check(self) -> None:
        """Raises ProcessFailed if a part cannot be kept running."""
        for keeper in self._keepers:
            if keeper.done() and (error := keeper.exception()):
                raise error

    async def until_failed_or(self, stop: asyncio.Event) -> None:
        """Waits for `stop`; raises ProcessFailed if a part cannot be kept running."""
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({stopping, *self._keepers}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        self.check()

    async def _keep(self, part: Part) -> None:
        loop = asyncio.get_running_loop()
        quick_ends = 0
        while True:
            started = loop.time()
            process = await self._start(part)
            code = await process.wait()
            quick_ends = quick_ends + 1 if loop.time() - started < STABLE_S else 0
            if code > 0 and quick_ends >= MAX_QUICK_ENDS:
                raise ProcessFailed(f"{part.name} ended with {code}: {self._last_line(part)}")
            log.info("process.ended", name=part.name, code=code)
            await asyncio.sleep(RESTART_PAUSE_S)

    async def _start(self, part: Part) -> asyncio.subprocess.Process:
        with self._log_path(part).open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "cli",
                *part.arguments,
                env=dict(part.environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        self._running[part.name] = process
        return process

    def _log_path(self, part: Part) -> Path:
        return self._log_folder / f"{part.name}.log"

    def _last_line(self, part: Part) -> str:
        lines = self._log_path(part).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


async def _end(process: asyncio.subprocess.Process) -> None:
    for number, within in ((signal.SIGINT, TERMINATE_WITHIN_S), (signal.SIGKILL, KILL_WITHIN_S)):
        if process.returncode is not None:
            return
        try:
            os.kill(process.pid, number)
            await asyncio.wait_for(process.wait(), within)
        except ProcessLookupError:
            return
        except TimeoutError:
            continue


_PR_SET_PDEATHSIG: Final = 1


def _die_with_parent() -> None:
    """Runs in the child: the kernel ends it when the demo is killed, so that none stays behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
