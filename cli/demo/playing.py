"""The demo itself: everything on one machine, watched until it ends or for as long as you like."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, cast

import httpx
import typer
from redis.asyncio import Redis
from rich.console import Console
from rich.progress import Progress

from cli.demo.layout import Layout, Wishes, lay_out
from cli.demo.processes import Processes
from cli.demo.report import Findings
from cli.demo.truth import Reality
from cli.demo.watching import Watcher
from cli.failing import CannotGoOn
from ludo.store import keys
from ludo.store.config import StoreConfig
from ludo.store.connection import WORKER, connect, redis_address
from ludo.store.redis_server import prepare_place
from sandbox.config import SandboxConfig

READY_WITHIN_S: Final = 30.0
GAMES_A_WATCHER: Final = 30
POLL_S: Final = 0.1


@asynccontextmanager
async def _running(wishes: Wishes, folder: Path) -> AsyncIterator[tuple[Layout, Processes, Redis]]:
    """Redis, proxy, worker and sandbox, in this order; all ended when the block is left."""
    async with AsyncExitStack() as parts:
        layout = lay_out(wishes, folder, os.environ)
        store = StoreConfig.from_env({**os.environ, "LUDO_DATA_DIR": str(folder)})
        url = await parts.enter_async_context(redis_address(store))
        redis = connect(url, WORKER)
        parts.push_async_callback(redis.aclose)
        SandboxConfig.from_env(layout.sandbox.environ)
        processes = await parts.enter_async_context(Processes(folder))
        processes.keep(layout.proxy)
        processes.keep(layout.worker)
        await _until_ready(layout, redis, processes)
        processes.keep(layout.sandbox)
        yield layout, processes, redis


async def _until_ready(layout: Layout, redis: Redis, processes: Processes) -> None:
    async with httpx.AsyncClient(timeout=2) as http:
        deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
        while asyncio.get_running_loop().time() < deadline:
            processes.check()
            if await _answers(http, layout) and await redis.exists(keys.WORKERS_ALIVE):
                return
            await asyncio.sleep(POLL_S)
    raise CannotGoOn(f"expected proxy and worker to be ready within {READY_WITHIN_S:.0f} s")


async def _answers(http: httpx.AsyncClient, layout: Layout) -> bool:
    try:
        return (await http.get(f"{layout.board}health/ready")).status_code == 200
    except httpx.HTTPError:
        return False


async def play_on(wishes: Wishes, folder: Path) -> None:
    """Plays until Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _running(wishes, folder) as (layout, processes, _):
        typer.echo(f"Board:  {layout.board}")
        typer.echo(f"API:    {layout.board}docs")
        typer.echo(f"{wishes.games} games are being played. Ctrl-C ends everything.")
        await processes.until_failed_or(stop)
        typer.echo("Ending …")


async def play_once(wishes: Wishes, folder: Path) -> Findings:
    """Plays `wishes.total` games to their end and compares every mirror with the truth."""
    async with AsyncExitStack() as parts:
        layout, processes, redis = await parts.enter_async_context(_running(wishes, folder))
        http = await parts.enter_async_context(httpx.AsyncClient(timeout=10))
        progress = parts.enter_context(_progress())
        reality = Reality(layout, http)
        watchers = _Watchers(layout.relay)
        parts.push_async_callback(watchers.end)
        await _until_played(reality, watchers, processes, wishes.total or 0, progress)
        ids = list(watchers.ids)
        compared = await reality.until_equal(ids, wishes.settle)
        await watchers.until_done(wishes.settle if all(each.equal for each in compared) else 1.0)
        watched = {
            game.game_id: game for watcher in watchers.all for game in watcher.games.values()
        }
        return Findings(compared, watched, await _counters(redis))


async def _counters(redis: Redis) -> dict[str, int]:
    found = await cast(Awaitable[dict[bytes, bytes]], redis.hgetall(keys.COUNTERS))
    return {name.decode(): int(value) for name, value in found.items()}


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


async def _until_played(
    reality: Reality, watchers: "_Watchers", processes: Processes, total: int, progress: Progress
) -> None:
    bar = progress.add_task("games played", total=total)
    while True:
        processes.check()
        games = await reality.games()
        watchers.follow([game["gameId"] for game in games])
        ended = sum(game["status"] == "finished" for game in games)
        progress.update(bar, completed=ended)
        if ended >= total:
            return
        await asyncio.sleep(POLL_S)


class _Watchers:
    """One relay connection for each handful of games, begun as the games begin."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._tasks: list[asyncio.Task[None]] = []
        self.all: list[Watcher] = []
        self.ids: dict[str, None] = {}

    def follow(self, game_ids: list[str]) -> None:
        """Watches the games that are not watched yet."""
        new = [game_id for game_id in game_ids if game_id not in self.ids]
        self.ids.update(dict.fromkeys(new))
        for start in range(0, len(new), GAMES_A_WATCHER):
            watcher = Watcher(self._url, new[start : start + GAMES_A_WATCHER])
            self.all.append(watcher)
            self._tasks.append(asyncio.create_task(watcher.run(), name="watcher"))

    async def until_done(self, within: float) -> None:
        """Waits until every watched game was told to have ended, or the time is up."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)

    async def end(self) -> None:
        """Ends all watching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextmanager
def data_folder(wanted: Path | None) -> Iterator[Path]:
    """The wanted folder, or one of this run's own that is gone afterwards."""
    if wanted is not None:
        yield prepare_place(wanted).folder
        return
    with tempfile.TemporaryDirectory(prefix="ludo-", ignore_cleanup_errors=True) as made:
        yield Path(made)
