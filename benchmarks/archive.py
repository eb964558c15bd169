"""How many rows a second the archive takes, on SQLite and, where it is installed, PostgreSQL."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from sqlalchemy import URL

from ludo.mirror.log import Happened
from ludo.store.archive.archive import Archive
from ludo.store.archive.engine import make_engine
from ludo.store.log import to_kept
from tests.mirror.builders import a_history
from tests.postgres_servers import PrivatePostgres, find_binaries
from tests.store.archive.builders import a_game

ROUNDS: Final = 5
GAMES: Final = 20


async def main() -> None:
    """Interleaved rounds, the median of each database."""
    log = [to_kept(Happened(event)) for event in a_history()]
    with tempfile.TemporaryDirectory(prefix="ludo-bench-") as folder:
        file = URL.create("sqlite+aiosqlite", database=str(Path(folder) / "ludo.db"))
        binaries = find_binaries()
        if binaries is None:
            await measured({"SQLite": file}, log)
            return
        with PrivatePostgres(binaries) as server:
            await measured({"SQLite": file, "PostgreSQL": server.url}, log)


async def measured(urls: dict[str, URL], log: list[object]) -> None:
    """Prints a line a database."""
    archives = {name: Archive(make_engine(url)) for name, url in urls.items()}
    seconds: dict[str, list[float]] = {name: [] for name in urls}
    for archive in archives.values():
        await archive.open()
    for number in range(ROUNDS):
        for name, archive in archives.items():
            begun = perf_counter()
            for game in range(GAMES):
                await archive.save(replace(a_game(f"gm_{number}_{game}")), log)  # type: ignore[arg-type]
            seconds[name].append(perf_counter() - begun)
    for name, archive in archives.items():
        rows = GAMES * (len(log) + 5)
        middle = median(seconds[name])
        print(f"{name:10}  {rows / middle:>9,.0f} rows/s  {GAMES / middle:>7,.1f} games/s")
        await archive.aclose()
    print(f"{ROUNDS} rounds of {GAMES} games of {len(log)} entries; every game is one transaction")


if __name__ == "__main__":
    asyncio.run(main())
