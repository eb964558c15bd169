"""Runs of `ludo-proxy demo` as a person would start them, and a look at what they leave."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store.redis_server import prepare_place

ROOT = Path(__file__).resolve().parents[2]
OURS = ("LUDO_", "REDIS_URL", "CORS_ORIGINS", "DATABASE_URL")


def clean_environ(**settings: str) -> dict[str, str]:
    """This process' environment without any setting of ours, and these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, **settings}


@dataclass
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def games(self) -> list[dict[str, Any]]:
        """The games that `--json` printed."""
        return [json.loads(line) for line in self.out.splitlines()]


async def ludo_proxy(
    *arguments: str, within: float = 100, cwd: Path = ROOT, environ: Mapping[str, str] | None = None
) -> Ran:
    """Runs the command to its end; it is killed when the time is up."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli",
        *arguments,
        cwd=cwd,
        env=dict(environ or clean_environ()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), within)
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
        raise AssertionError(f"not within {within} s: {err.decode()[-2000:]}") from None
    return Ran(process.returncode or 0, out.decode(), err.decode())


class RunningDemo:
    """A demo under way, with what is needed to look at it and to kill its parts."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self.folder = folder

    def pid_of(self, part: str) -> int | None:
        """The process id of `proxy`, `worker` or `sandbox`, found by the demo's own folder."""
        return next((pid for pid, args in started_in(self.folder) if part in args), None)

    async def redis_pid(self) -> int | None:
        """The process id of the Redis that keeps the folder's data."""
        redis = Redis.from_url(prepare_place(self.folder).url)
        try:
            return int((await redis.info("server"))["process_id"])
        except (RedisError, OSError):
            return None
        finally:
            await redis.aclose()

    async def counter(self, name: str) -> int:
        """One of the deployment's counters; 0 while Redis is away."""
        redis = Redis.from_url(prepare_place(self.folder).url)
        try:
            return int(await redis.hget("ludo:counters", name) or 0)
        except (RedisError, OSError):
            return 0
        finally:
            await redis.aclose()

    async def ended(self, within: float) -> Ran:
        """The finished run."""
        out, err = await asyncio.wait_for(self._process.communicate(), within)
        return Ran(self._process.returncode or 0, out.decode(), err.decode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    async def line(self, containing: str, within: float = 40) -> str:
        """The first line on standard output that contains this text."""
        assert self._process.stdout is not None
        async with asyncio.timeout(within):
            while True:
                line = (await self._process.stdout.readline()).decode()
                if not line or containing in line:
                    return line


@asynccontextmanager
async def a_demo(*arguments: str, folder: Path) -> AsyncIterator[RunningDemo]:
    """A demo that keeps its data in `folder`; ended, if need be by force, with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli",
        "demo",
        "--data-dir",
        str(folder),
        "--port",
        "0",
        *arguments,
        cwd=ROOT,
        env=clean_environ(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield RunningDemo(process, folder)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(process.communicate(), 10)
            except TimeoutError:
                process.kill()
                await process.communicate()
        for pid, _ in started_in(folder):
            os.kill(pid, signal.SIGKILL)


def started_in(folder: Path) -> list[tuple[int, list[str]]]:
    """Processes of ours that were told to use this folder, with their arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                environ = (entry / "environ").read_bytes().split(b"\0")
                arguments = (entry / "cmdline").read_bytes().decode().split("\0")
                where = (entry / "cwd").readlink()
            except OSError:
                continue
            told = f"LUDO_DATA_DIR={folder}".encode() in environ
            if told or where == folder:
                found.append((int(entry.name), arguments))
    return found
