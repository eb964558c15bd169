"""Game states: from the mirror, never older than a push, and what one wrote oneself is there."""

import asyncio
import time

import httpx
import pytest
from redis.asyncio import Redis

from ludo.store import keys
from proxy.facade import states
from tests.proxy.builders import a_proxy, a_token, bearer
from tests.proxy.facade.builders import HISTORY, ROLL, STATE, mirror, stored
from tests.proxy.upstream import Upstream, data, no
from tests.waiting import wait_until
from tests.workers.builders import GAME, Bench


@pytest.fixture
async def bench(redis: Redis) -> Bench:
    """A worker that has applied the first ten events."""
    return await mirror(redis, HISTORY[:10])


async def test_state_is_the_mirror_s(
    proxy: httpx.AsyncClient, upstream: Upstream, redis: Redis, bench: Bench
) -> None:
    """Without a call to upstream, with the mirror's place as its tag."""
    answer = await proxy.get(STATE)
    kept = await stored(redis)
    assert answer.json() == {"success": True, "data": kept.body}
    assert answer.headers["etag"] == f'"{kept.epoch}:{kept.seq}"'
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["ludo-stale"] == "false"
    assert int(answer.headers["age"]) < 60
    assert upstream.arrived == []


async def test_state_is_sent_again_only_when_it_changed(
    proxy: httpx.AsyncClient, bench: Bench
) -> None:
    """304 at the same place, the new state after the next event."""
    tag = (await proxy.get(STATE)).headers["etag"]
    assert (await proxy.get(STATE, headers={"If-None-Match": tag})).status_code == 304
    await bench.accept(HISTORY[10:11])
    await bench.applier.apply(GAME)
    changed = await proxy.get(STATE, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["data"]["sequence"]) == (200, 11)


async def test_a_read_is_never_older_than_a_push(
    proxy: httpx.AsyncClient, redis: Redis, bench: Bench
) -> None:
    """Whatever was published on the game's channel is in the next read."""
    pushed = redis.pubsub()
    await pushed.subscribe(keys.channel(GAME))
    await pushed.get_message(timeout=1)
    for event in HISTORY[10:40]:
        await bench.accept([event])
        await bench.applier.apply(GAME)
        message = await pushed.get_message(ignore_subscribe_messages=True, timeout=1)
        assert message is not None
        sequence = int(message["data"].split(b" ")[3])
        assert (await proxy.get(STATE)).json()["data"]["sequence"] >= sequence
    await pushed.aclose()


async def test_a_stale_mirror_says_so(proxy: httpx.AsyncClient, redis: Redis, bench: Bench) -> None:
    """It is still the best there is."""
    await redis.hset(keys.game(GAME), "stale", "1")
    assert (await proxy.get(STATE)).headers["ludo-stale"] == "true"


async def test_a_game_without_a_mirror_is_fetched_once(
    proxy: httpx.AsyncClient, upstream: Upstream
) -> None:
    """And cached for a second, as anything else."""
    upstream.says("GET", "/games/gm_new/state", data({"gameId": "gm_new", "sequence": 4}))
    first, second = [await proxy.get("/v1/games/gm_new/state") for _ in range(2)]
    assert first.json() == second.json()
    assert second.headers["cache-status"] == "ludo-proxy; hit"
    assert len(upstream.arrived) == 1


async def test_a_mirror_replaces_what_was_cached(
    proxy: httpx.AsyncClient, upstream: Upstream, redis: Redis
) -> None:
    """From its first event on, an older answer is not told any more."""
    upstream.says("GET", f"/games/{GAME}/state", data({"gameId": GAME, "sequence": 0}))
    await proxy.get(STATE)
    await mirror(redis, HISTORY[:3])
    assert (await proxy.get(STATE)).json()["data"]["sequence"] == 3


async def test_a_mirror_that_begins_meanwhile_is_told(
    proxy: httpx.AsyncClient, upstream: Upstream, redis: Redis
) -> None:
    """It may have been pushed already when upstream's older answer comes."""
    upstream.says("GET", f"/games/{GAME}/state", data({"gameId": GAME, "sequence": 0}))
    upstream.hold()
    read = asyncio.create_task(proxy.get(STATE))
    await wait_until(lambda: upstream.arrived)
    await mirror(redis, HISTORY[:3])
    upstream.go_on()
    assert (await read).json()["data"]["sequence"] == 3


async def test_an_unknown_game_is_not_found(proxy: httpx.AsyncClient) -> None:
    """As upstream says."""
    assert (await proxy.get("/v1/games/gm_none/state")).status_code == 404


async def test_a_writer_waits_for_the_mirror(
    proxy: httpx.AsyncClient, upstream: Upstream, bench: Bench
) -> None:
    """The next read after a roll has the event that the roll led to."""
    upstream.says("POST", f"/games/{GAME}/roll", data({"value": 3}))
    assert (await proxy.post(ROLL)).status_code == 200
    read = asyncio.create_task(proxy.get(STATE))
    await asyncio.sleep(0.05)
    assert not read.done()
    await bench.accept(HISTORY[10:11])
    await bench.applier.apply(GAME)
    assert (await read).json()["data"]["sequence"] == 11
    assert upstream.calls("GET", f"/games/{GAME}/state") == 0


async def test_a_writer_does_not_wait_for_ever(
    proxy: httpx.AsyncClient, upstream: Upstream, bench: Bench
) -> None:
    """If the event does not come within half a second, upstream is asked."""
    upstream.says("POST", f"/games/{GAME}/roll", data({"value": 3}))
    upstream.says("GET", f"/games/{GAME}/state", data({"gameId": GAME, "sequence": 12}))
    await proxy.post(ROLL)
    begun = time.monotonic()
    answer = await proxy.get(STATE)
    assert states.ADVANCE_WITHIN_S <= time.monotonic() - begun < 2
    assert answer.json()["data"]["sequence"] == 12


async def test_an_older_answer_of_upstream_is_not_told(
    proxy: httpx.AsyncClient, upstream: Upstream, bench: Bench
) -> None:
    """An upstream that lags behind the mirror does not take its place."""
    upstream.says("POST", f"/games/{GAME}/roll", data({"value": 3}))
    upstream.says("GET", f"/games/{GAME}/state", data({"gameId": GAME, "sequence": 9}))
    await proxy.post(ROLL)
    assert (await proxy.get(STATE)).json()["data"]["sequence"] == 10


async def test_a_writer_gets_the_mirror_if_upstream_fails(
    proxy: httpx.AsyncClient, upstream: Upstream, bench: Bench
) -> None:
    """An older state is better than none."""
    upstream.says("POST", f"/games/{GAME}/roll", data({"value": 3}))
    upstream.says("GET", f"/games/{GAME}/state", httpx.Response(500))
    await proxy.post(ROLL)
    assert (await proxy.get(STATE)).json()["data"]["sequence"] == 10


@pytest.mark.parametrize("answer", ["refused", "other caller"])
async def test_others_do_not_wait(
    proxy: httpx.AsyncClient, upstream: Upstream, bench: Bench, answer: str
) -> None:
    """Neither whoever wrote nothing, nor whoever was refused."""
    said = no(409, "NOT_YOUR_TURN", "wait") if answer == "refused" else data({"value": 3})
    upstream.says("POST", f"/games/{GAME}/roll", said)
    await proxy.post(ROLL)
    headers = {} if answer == "refused" else bearer(a_token("plr_bob"))
    begun = time.monotonic()
    await proxy.get(STATE, headers=headers)
    assert time.monotonic() - begun < states.ADVANCE_WITHIN_S


async def test_games_are_listed_from_the_mirror(
    proxy: httpx.AsyncClient, upstream: Upstream, bench: Bench
) -> None:
    """With what a lobby shows, and no call to upstream."""
    answer = await proxy.get("/v1/games?status=playing&limit=5")
    (game,) = answer.json()["data"]
    assert (game["gameId"], game["sequence"], game["status"]) == (GAME, 10, "playing")
    assert [set(player) for player in game["players"]] == [{"playerId", "playerName", "color"}] * 2
    assert set(game) >= {"roomCode", "gameMode", "currentPlayerId", "updatedAt"}
    assert (await proxy.get("/v1/games?status=finished")).json()["data"] == []
    assert upstream.arrived == []


@pytest.mark.parametrize("query", ["status=lost", "limit=0", "limit=101", "limit=x"])
async def test_a_wrong_list_is_a_bad_request(proxy: httpx.AsyncClient, query: str) -> None:
    """The problem names the parameter."""
    answer = await proxy.get(f"/v1/games?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["detail"]


async def test_a_token_for_other_games_does_not_reach_this_one(
    redis_url: str, upstream: Upstream, bench: Bench
) -> None:
    """The claim `games` names the only ones that may be watched."""
    async with a_proxy(redis_url, upstream) as proxy:
        other, this = (bearer(a_token(games=[name])) for name in ("gm_other", GAME))
        assert (await proxy.get(STATE, headers=other)).status_code == 403
        assert (await proxy.get(STATE, headers=this)).status_code == 200
        assert (await proxy.get("/v1/games", headers=other)).json()["data"] == []


async def test_reads_go_on_while_a_worker_writes(
    proxy: httpx.AsyncClient, redis: Redis, bench: Bench
) -> None:
    """A read never sees half a commit: body and tag belong together."""

    async def apply() -> None:
        for event in HISTORY[10:60]:
            await bench.accept([event])
            await bench.applier.apply(GAME)

    work = asyncio.create_task(apply())
    while not work.done():
        answer = await proxy.get(STATE)
        sequence = int(answer.headers["etag"].strip('"').split(":")[1])
        assert answer.json()["data"]["sequence"] == sequence
    await work
