"""Games that are over, read after they left Redis."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import URL

from ludo.store.archive.archive import Archive
from ludo.store.archive.engine import make_engine
from tests.mirror.builders import a_history as told
from tests.proxy.builders import a_proxy, a_token, bearer
from tests.proxy.facade.builders import STATE, mirror
from tests.proxy.upstream import Upstream
from tests.workers.builders import GAME, a_bench, a_history
from tests.workers.test_archiving import Bed, snapshot_after

HISTORY = a_history()
LAST = len(HISTORY)
REPLAY = f"/v1/games/{GAME}/replay"


@pytest.fixture
async def archive(redis_url: str) -> AsyncIterator[Archive]:
    """The archive of the tests' proxies, without games."""
    file = Path(urlsplit(redis_url).path).parent / "ludo.db"
    opened = Archive(make_engine(URL.create("sqlite+aiosqlite", database=str(file))))
    while await opened.give_up(2**60, 100):
        pass
    yield opened
    await opened.aclose()


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
async def proxy(
    redis_url: str, archive: Archive, upstream: Upstream
) -> AsyncIterator[httpx.AsyncClient]:
    async with a_proxy(redis_url, upstream) as http:
        yield http


async def test_state_is_the_same_after_the_game_left(
    redis: Redis, archive: Archive, proxy: httpx.AsyncClient, upstream: Upstream
) -> None:
    """Body and tag do not change, and upstream is not asked."""
    await mirror(redis, HISTORY)
    hot = await proxy.get(STATE)
    await Bed(redis, archive).bench.applier.apply(GAME)
    cold = await proxy.get(STATE)

    assert cold.status_code == 200
    assert cold.json() == hot.json()
    assert cold.headers["etag"] == hot.headers["etag"]
    assert cold.headers["cache-status"] == "ludo-proxy; hit; detail=archive"
    again = await proxy.get(STATE, headers={"If-None-Match": cold.headers["etag"]})
    assert again.status_code == 304
    assert upstream.arrived == []


@pytest.mark.parametrize("archived", [False, True])
async def test_replay_shows_the_state_at_a_sequence(
    redis: Redis, archive: Archive, proxy: httpx.AsyncClient, archived: bool
) -> None:
    """Of a game that is hot and of one that is not; the tag names the sequence."""
    if archived:
        await Bed(redis, archive).play()
    else:
        await mirror(redis, HISTORY)
    for at in (1, 17, LAST):
        answer = await proxy.get(f"{REPLAY}?at={at}")
        assert answer.json()["data"]["sequence"] == at
    assert answer.json() == (await proxy.get(STATE)).json()
    tag = answer.headers["etag"]
    cached = await proxy.get(f"{REPLAY}?at={LAST}", headers={"If-None-Match": tag})
    assert cached.status_code == 304
    assert (await proxy.get(f"{REPLAY}?at=1")).headers["etag"] != tag


async def test_replay_lists_what_happened(
    redis: Redis, archive: Archive, proxy: httpx.AsyncClient
) -> None:
    """Each event as it was applied, in order."""
    await Bed(redis, archive).play()
    data = (await proxy.get(REPLAY)).json()["data"]
    assert (data["gameId"], data["status"], data["sequence"]) == (GAME, "finished", LAST)
    assert [entry["sequence"] for entry in data["entries"]] == list(range(1, LAST + 1))
    assert data["entries"][0]["body"]["type"] == "game:started"
    assert {entry["kind"] for entry in data["entries"]} == {"event"}


async def test_gap_of_a_resync_is_told(redis: Redis, proxy: httpx.AsyncClient) -> None:
    """With the next sequence that can be shown."""
    bench = a_bench(redis)
    await bench.accept([*HISTORY[:5], HISTORY[6]])
    await bench.applier.apply(GAME)
    bench.upstream.answer = snapshot_after(9)
    await bench.applier.resync(GAME)

    assert (await proxy.get(f"{REPLAY}?at=5")).status_code == 200
    assert (await proxy.get(f"{REPLAY}?at=9")).json()["data"]["sequence"] == 9
    gap = await proxy.get(f"{REPLAY}?at=7")
    assert (gap.status_code, gap.json()["type"], gap.json()["next"]) == (409, "replay-gap", 9)
    far = await proxy.get(f"{REPLAY}?at=10")
    assert (far.status_code, far.json()["type"], far.json()["last"]) == (404, "not-reached", 9)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/games/gm_none/replay", 404),
        (f"{REPLAY}?at=0", 400),
        (f"{REPLAY}?at=x", 400),
        ("/v1/games?cursor=nonsense", 400),
    ],
)
async def test_what_cannot_be_shown_is_a_problem(
    proxy: httpx.AsyncClient, path: str, status: int
) -> None:
    """Never a 500."""
    answer = await proxy.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_token_for_other_games_sees_no_replay(redis: Redis, proxy: httpx.AsyncClient) -> None:
    """The claim `games` holds here too."""
    other = bearer(a_token(games=["gm_other"]))
    assert (await proxy.get(REPLAY, headers=other)).status_code == 403


async def test_list_goes_on_into_the_archive(
    redis: Redis, archive: Archive, proxy: httpx.AsyncClient
) -> None:
    """By the cursor, and by the link that carries it, with the same filter."""
    await Bed(redis, archive).play()
    bench = a_bench(redis)
    await bench.accept(a_history(game_id="gm_live")[:5])
    await bench.applier.apply("gm_live")
    player = told()[0].event.players[0].id  # type: ignore[union-attr]
    first = await proxy.get("/v1/games?limit=1")
    assert [game["gameId"] for game in first.json()["data"]] == ["gm_live"]
    assert first.json()["nextCursor"]

    second = await proxy.get(first.links["next"]["url"])
    assert [game["gameId"] for game in second.json()["data"]] == [GAME]
    assert second.json()["data"][0]["status"] == "finished"
    assert second.json()["nextCursor"] is None
    over = await proxy.get("/v1/games?status=finished")
    assert [game["gameId"] for game in over.json()["data"]] == [GAME]
    theirs = await proxy.get("/v1/games", params={"player": player, "status": "finished"})
    played = {each["playerId"] for each in over.json()["data"][0]["players"]}
    assert bool(theirs.json()["data"]) is (player in played)
