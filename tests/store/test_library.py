"""A game is found wherever it is, and at every moment of its way."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import URL

from ludo.mirror.replay import replay
from ludo.rules.ruleset import RuleSet
from ludo.store import keys, library
from ludo.store.archive.archive import Archive
from ludo.store.archive.engine import make_engine
from ludo.store.errors import ArchiveUnavailable
from ludo.store.library import Library
from ludo.store.listing import Wanted
from tests.store.archive.builders import a_game, a_log
from tests.workers.builders import GAME, a_bench, a_history
from tests.workers.test_archiving import Bed

HISTORY = a_history()


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    opened = Archive(
        make_engine(URL.create("sqlite+aiosqlite", database=str(tmp_path / "ludo.db")))
    )
    yield opened
    await opened.aclose()


@pytest.fixture
def games(redis: Redis, archive: Archive) -> Library:
    return Library(redis, archive, RuleSet())


async def test_game_reads_alike_before_and_after_it_left(
    redis: Redis, archive: Archive, games: Library
) -> None:
    """Place, state and log are the same from Redis and from the archive."""
    bench = a_bench(redis)
    await bench.accept(HISTORY)
    await bench.applier.apply(GAME)
    hot, told = await games.load(GAME), await games.chronicle(GAME)
    await Bed(redis, archive).bench.applier.apply(GAME)
    cold, kept = await games.load(GAME), await games.chronicle(GAME)

    assert hot is not None
    assert cold is not None
    assert told is not None
    assert kept is not None
    assert (hot.archived, cold.archived) == (False, True)
    assert (hot.epoch, hot.seq, hot.body) == (cold.epoch, cold.seq, cold.body)
    assert hot.placements == cold.placements
    assert told.log == kept.log
    assert await games.tips([GAME]) == {GAME: (cold.epoch, cold.seq)}
    *_, (_, last) = replay(kept.entries(), kept.rules)
    assert last.sequence == cold.seq


async def test_unknown_game_is_nowhere(games: Library) -> None:
    """Neither here nor there."""
    assert await games.load("gm_none") is None
    assert await games.chronicle("gm_none") is None


async def test_archive_that_is_away_is_told_only_where_it_matters(
    redis: Redis, archive: Archive, games: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archived game cannot be read then; an unknown one may be upstream's."""
    await Bed(redis, archive).play()

    async def away(*_: object) -> None:
        raise ArchiveUnavailable("connection refused")

    monkeypatch.setattr(Archive, "load", away)
    with pytest.raises(ArchiveUnavailable):
        await games.load(GAME)
    assert await games.load("gm_none") is None


async def test_list_goes_over_both_stores(
    redis: Redis, archive: Archive, games: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live, hot and archived ones, page by page, filtered."""
    monkeypatch.setattr(library, "_CHUNK", 2)
    bench = a_bench(redis)
    for n in range(4):
        history = a_history(game_id=f"gm_live{n}")
        await bench.accept(history if n == 3 else history[:9])
        await bench.applier.apply(f"gm_live{n}")
    for n in range(3):
        await archive.save(a_game(f"gm_old{n}", ended_at=1_000 * n), a_log()[:2])

    listed, wanted = [], Wanted(limit=2)
    while True:
        page = await games.page(wanted)
        listed += [game.game_id for game in page.games]
        if page.next is None:
            break
        wanted = replace(wanted, before=page.next)
    assert sorted(listed[:4]) == [f"gm_live{n}" for n in range(4)]
    assert listed[4:] == ["gm_old2", "gm_old1", "gm_old0"]

    async def ids(**which: str) -> list[str]:
        return sorted(game.game_id for game in (await games.page(Wanted(**which))).games)

    assert await ids(status="playing") == ["gm_live0", "gm_live1", "gm_live2"]
    assert await ids(status="finished") == ["gm_live3", "gm_old0", "gm_old1", "gm_old2"]
    assert await ids(status="abandoned") == []
    assert await ids(player_id="nobody") == []
    red = {"player_id": "player-red"}
    assert set(await ids(**red)) >= {"gm_old0"}


async def test_page_looks_at_so_many_games_only(
    redis: Redis, games: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A player whom few games know costs no more than others; the next page goes on."""
    monkeypatch.setattr(library, "_CHUNK", 2)
    monkeypatch.setattr(library, "SCANNED", 2)
    bench = a_bench(redis)
    for n in range(5):
        await bench.accept(a_history(game_id=f"gm_{n}")[:3])
        await bench.applier.apply(f"gm_{n}")
    pages, wanted = 0, Wanted(status="playing", player_id="nobody")
    while True:
        page = await games.page(wanted)
        pages += 1
        assert not page.games
        if page.next is None:
            break
        wanted = replace(wanted, before=page.next)
    assert 3 <= pages <= 5
    assert await redis.zcard(keys.PLAYING) == 5
