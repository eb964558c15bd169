"""Runs `http-cache-tests` with its own server and client, in Node."""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.structure.sources import ROOT

PACKAGE: Final = ROOT / ".venv/node/node_modules/http-cache-tests"
HERE: Final = Path(__file__).parent
RUN_WITHIN_S: Final = 240.0
Results = Mapping[str, Any]


def missing() -> str | None:
    """Why the suite cannot run here, or None."""
    if shutil.which("node") is None:
        return "needs node"
    if not PACKAGE.is_dir():
        return "needs http-cache-tests: run make node"
    return None


@dataclass(frozen=True, slots=True)
class Kind:
    """What a test of the suite is for, and which ones have to pass for it to say anything."""

    kind: str
    depends_on: tuple[str, ...]
    suite: str


@asynccontextmanager
async def origin() -> AsyncIterator[str]:
    """The suite's server; its address."""
    port = free_port()
    process = await _node("server/server.mjs", port=str(port), pidfile="/dev/null")
    try:
        await _listening(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.communicate()


async def run(base: str, *only: str) -> Results:
    """What the suite's client finds at an address, by test; `only` names some of them."""
    process = await _node(str(HERE / "run.mjs"), str(PACKAGE), base, *only)
    async with asyncio.timeout(RUN_WITHIN_S):
        out, _ = await process.communicate()
    found: Results = json.loads(out)
    return found


async def kinds() -> dict[str, Kind]:
    """Every test that is for shared caches."""
    process = await _node(str(HERE / "kinds.mjs"), str(PACKAGE))
    out, _ = await process.communicate()
    return {
        name: Kind(each["kind"], tuple(each["dependsOn"]), each["suite"])
        for name, each in json.loads(out).items()
    }


def passes(name: str, results: Results, known: Mapping[str, Kind]) -> bool:
    """Whether a test passed, and whatever it depends on, as the suite's own page counts."""
    if results.get(name) is not True:
        return False
    return all(passes(other, results, known) for other in known[name].depends_on)


def free_port() -> int:
    """A port of loopback that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


async def _node(*arguments: str, **config: str) -> asyncio.subprocess.Process:
    given = {f"npm_config_{name}": value for name, value in config.items()}
    return await asyncio.create_subprocess_exec(
        "node",
        "--no-warnings",
        "--require",
        str(HERE / "loopback.cjs"),
        *arguments,
        cwd=PACKAGE,
        env={**os.environ, "npm_config_protocol": "http", **given},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return
