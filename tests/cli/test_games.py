"""`ludo-proxy games`: what an operator sees of live and of archived games."""

import asyncio
import json

import pytest
from redis.asyncio import Redis
from sqlalchemy import URL
from typer.testing import CliRunner

from cli.main import app
from ludo.store import keys
from ludo.store.archive.archive import Archive
from ludo.store.archive.engine import make_engine
from tests.redis_servers import PrivateRedis
from tests.workers.builders import GAME, a_bench, a_history
from tests.workers.test_archiving import Bed, snapshot_after

HISTORY = a_history()


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and everything printed."""
    result = CliRunner().invoke(app, ["games", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def deployment(redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archived game and one that is played, the latter with a resync in it."""
    folder = redis_server.place.folder
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    monkeypatch.setenv("LUDO_DATA_DIR", str(folder))
    monkeypatch.setenv("LUDO_LOG_FORMAT", "json")

    async def play() -> None:
        async with Redis.from_url(redis_server.url) as redis:
            url = URL.create("sqlite+aiosqlite", database=str(folder / "ludo.db"))
            archive = Archive(make_engine(url))
            await Bed(redis, archive).play()
            await archive.aclose()
            history, bench = a_history(game_id="gm_live"), a_bench(redis)
            await bench.accept([*history[:5], history[6]])
            await bench.applier.apply("gm_live")
            assert snapshot_after(9).sequence == 9

    asyncio.run(play())


def test_games_are_listed_shown_and_replayed(deployment: None, redis_server: PrivateRedis) -> None:
    """As lines for people, and as JSON for scripts; errors are one line and exit code 1."""
    code, text = run("list")
    assert code == 0
    assert "archived" in text
    assert "gm_live" in text
    code, text = run("list", "--status", "finished", "--json")
    (game,) = [json.loads(line) for line in text.splitlines()]
    assert (game["gameId"], game["archived"]) == (GAME, True)
    assert run("list", "--status", "lost")[0] == 1

    code, text = run("show", GAME, "--json")
    assert (code, json.loads(text)["sequence"]) == (0, len(HISTORY))
    assert "finished" in run("show", GAME)[1]
    assert run("show", "gm_none")[0] == 1

    code, text = run("replay", GAME, "--json")
    steps = [json.loads(line) for line in text.splitlines()]
    assert [step["sequence"] for step in steps] == list(range(1, len(HISTORY) + 1))
    assert "game:dice-rolled" in run("replay", GAME)[1]
    code, text = run("replay", GAME, "--at", "17", "--json")
    assert (code, json.loads(text)["sequence"]) == (0, 17)
    code, text = run("replay", GAME, "--at", "99999")
    assert code == 1
    assert f"from 1 to {len(HISTORY)}" in text

    assert run("resync", GAME)[0] == 1
    assert run("resync", "gm_live")[0] == 0

    async def owed() -> bytes | None:
        async with Redis.from_url(redis_server.url) as redis:
            found: bytes | None = await redis.hget(keys.game("gm_live"), "owed")
            return found

    assert asyncio.run(owed()) is not None
