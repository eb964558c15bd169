"""Reads of rooms and players: from the cache, from one flight, or from before upstream failed."""

import asyncio
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.cache import Lifetimes, SharedCache
from ludo.store.scripts import Scripts
from proxy.facade import policy
from tests.proxy.builders import a_token, bearer, replicas
from tests.proxy.upstream import Upstream, data, no
from tests.waiting import wait_until

ROOM = {"code": "ABCD12", "status": "waiting", "playerCount": 1, "maxPlayers": 4}
PATH = "/v1/rooms/ABCD12"


@pytest.fixture
def upstream(upstream: Upstream) -> Upstream:
    upstream.says("GET", "/rooms/ABCD12", data(ROOM))
    upstream.says("GET", "/rooms", data([ROOM]))
    upstream.says("GET", "/players/plr_1", data({"playerId": "plr_1", "playerName": "Ann"}))
    return upstream


@pytest.fixture
def short_lived(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rooms that are old at once."""
    monkeypatch.setattr(policy, "_ROOM", Lifetimes(soft=0, hard=0))


@pytest.mark.parametrize("path", [PATH, "/v1/rooms?status=waiting", "/v1/players/plr_1"])
async def test_second_read_costs_upstream_nothing(
    proxy: httpx.AsyncClient, upstream: Upstream, path: str
) -> None:
    """The same answer comes from the cache, and says so."""
    first, second = await proxy.get(path), await proxy.get(path)
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert len(upstream.arrived) == 1
    assert first.headers["cache-status"] == "ludo-proxy; fwd=miss; fwd-status=200; stored"
    assert second.headers["cache-status"] == "ludo-proxy; hit"
    assert second.headers["age"] == "0"


async def test_hundred_misses_over_two_replicas_are_one_call(
    redis_url: str, upstream: Upstream
) -> None:
    """One fetches for everybody, in its own process and in the other."""
    upstream.hold()
    async with replicas(2, redis_url, upstream) as proxies:
        reads = [asyncio.create_task(proxies[n % 2].get(PATH)) for n in range(100)]
        await wait_until(lambda: upstream.arrived)
        await asyncio.sleep(0.1)
        upstream.go_on()
        answers = await asyncio.gather(*reads)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert upstream.calls("GET", "/rooms/ABCD12") == 1


async def test_a_caller_who_hangs_up_ends_nothing_for_others(
    proxy: httpx.AsyncClient, upstream: Upstream
) -> None:
    """The first one's disconnect does not make the second ask again."""
    upstream.hold()
    first = asyncio.create_task(proxy.get(PATH))
    await wait_until(lambda: upstream.arrived)
    second = asyncio.create_task(proxy.get(PATH))
    await asyncio.sleep(0.05)
    first.cancel()
    upstream.go_on()
    assert (await second).status_code == 200
    assert len(upstream.arrived) == 1


async def test_status_of_the_query_is_its_own_entry(
    proxy: httpx.AsyncClient, upstream: Upstream
) -> None:
    """What else a caller writes into the query neither counts nor goes out."""
    await proxy.get("/v1/rooms?status=waiting")
    await proxy.get("/v1/rooms?status=playing")
    await proxy.get("/v1/rooms?status=playing&callback=evil")
    assert [str(request.url.query, "ascii") for request in upstream.arrived] == [
        "status=waiting",
        "status=playing",
    ]


async def test_an_etag_saves_the_body(proxy: httpx.AsyncClient) -> None:
    """304 for a caller who has it, the whole answer for one who has another."""
    tag = (await proxy.get(PATH)).headers["etag"]
    same = await proxy.get(PATH, headers={"If-None-Match": f'"other", W/{tag}'})
    other = await proxy.get(PATH, headers={"If-None-Match": '"other"'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200


async def test_a_stale_answer_comes_at_once_and_is_refreshed(
    proxy: httpx.AsyncClient, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller does not wait, the next one has the new answer."""
    monkeypatch.setattr(policy, "_ROOM", Lifetimes(soft=0.05, hard=60))
    await proxy.get(PATH)
    upstream.says("GET", "/rooms/ABCD12", data({**ROOM, "playerCount": 2}))
    await asyncio.sleep(0.06)
    stale = await proxy.get(PATH)
    assert stale.headers["cache-status"] == "ludo-proxy; hit; detail=refreshing"
    assert stale.json()["data"]["playerCount"] == 1

    async def refreshed() -> bool:
        return bool((await proxy.get(PATH)).json()["data"]["playerCount"] == 2)

    await wait_until(refreshed)


@pytest.mark.parametrize(
    "failure",
    [httpx.Response(503), httpx.ConnectError("refused"), httpx.ReadTimeout("slow")],
    ids=["503", "refused", "slow"],
)
@pytest.mark.usefixtures("short_lived")
async def test_an_old_answer_is_better_than_none(
    proxy: httpx.AsyncClient, upstream: Upstream, failure: Any
) -> None:
    """If upstream fails, what it said last is told, with how old it is."""
    await proxy.get(PATH)
    upstream.says("GET", "/rooms/ABCD12", failure)
    saved = await proxy.get(PATH)
    assert (saved.status_code, saved.headers["ludo-stale"]) == (200, "true")
    assert saved.headers["cache-status"] == "ludo-proxy; hit; detail=upstream-fails"


@pytest.mark.parametrize(
    ("failure", "status", "kind"),
    [
        (httpx.Response(500), 503, "upstream-unavailable"),
        (httpx.ConnectError("refused"), 503, "upstream-unavailable"),
        (httpx.ReadTimeout("slow"), 503, "upstream-unavailable"),
        (httpx.Response(429, headers={"Retry-After": "7"}), 503, "upstream-throttled"),
        (httpx.Response(200, text="<html>"), 502, "upstream-malformed"),
        (no(401, "BAD_KEY", "unknown key"), 502, "upstream-refused-our-key"),
        (no(403, "PLAN", "not in your plan"), 403, "plan"),
    ],
    ids=["500", "refused", "slow", "429", "html", "401", "403"],
)
async def test_a_failure_without_an_older_answer_is_a_problem(
    proxy: httpx.AsyncClient, upstream: Upstream, failure: Any, status: int, kind: str
) -> None:
    """Never a 500, and 503 always says when to come again."""
    upstream.says("GET", "/rooms/ABCD12", failure)
    answer = await proxy.get(PATH)
    assert (answer.status_code, answer.json()["type"]) == (status, kind)
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_a_failure_is_shared_for_a_second(redis_url: str, upstream: Upstream) -> None:
    """Whoever comes right after it does not ask again."""
    upstream.says("GET", "/rooms/ABCD12", httpx.Response(500))
    async with replicas(2, redis_url, upstream) as proxies:
        answers = [await proxies[n % 2].get(PATH) for n in range(6)]
    assert {answer.status_code for answer in answers} == {503}
    assert len(upstream.arrived) == 1


async def test_a_refusal_is_remembered_briefly(
    proxy: httpx.AsyncClient, upstream: Upstream
) -> None:
    """A room that is not there costs one call in two seconds."""
    answers = [await proxy.get("/v1/rooms/NOBODY") for _ in range(4)]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[-1].json()["detail"] == "nothing here"
    assert len(upstream.arrived) == 1


async def test_a_purge_is_seen_by_the_next_read(
    proxy: httpx.AsyncClient, upstream: Upstream, redis: Redis
) -> None:
    """A room's event makes a new generation, and the old answer counts no more."""
    await proxy.get(PATH)
    await SharedCache(redis, Scripts(redis)).purge(["room:ABCD12"])
    await proxy.get(PATH)
    assert len(upstream.arrived) == 2


async def test_a_purge_overtakes_an_answer_on_its_way(
    proxy: httpx.AsyncClient, upstream: Upstream, redis: Redis
) -> None:
    """Whoever waits for it gets one that was asked for after the purge."""
    upstream.hold()
    read = asyncio.create_task(proxy.get(PATH))
    await wait_until(lambda: upstream.arrived)
    await SharedCache(redis, Scripts(redis)).purge(["room:ABCD12"])
    upstream.go_on()
    assert (await read).status_code == 200
    assert len(upstream.arrived) == 2


@pytest.mark.parametrize("directive", ["no-store", "private, max-age=60"])
async def test_upstream_may_forbid_keeping(
    proxy: httpx.AsyncClient, upstream: Upstream, redis: Redis, directive: str
) -> None:
    """Then every read asks, and nothing is kept."""
    upstream.says("GET", "/rooms/ABCD12", data(ROOM, cache_control=directive))
    for _ in range(3):
        assert (await proxy.get(PATH)).status_code == 200
    assert len(upstream.arrived) == 3
    assert await redis.keys(keys.cache_entry("*")) == []


async def test_a_session_token_goes_nowhere(
    proxy: httpx.AsyncClient, upstream: Upstream, redis: Redis
) -> None:
    """Neither a token in a body nor a cookie is kept or told."""
    secret = {
        "playerId": "plr_1",
        "sessionToken": "s3cret",
        "nested": [{"session_token": "s3cret"}],
    }
    upstream.says("GET", "/players/plr_1", data(secret, set_cookie="session=s3cret"))
    for _ in range(2):
        answer = await proxy.get("/v1/players/plr_1")
        assert b"s3cret" not in answer.content
        assert "set-cookie" not in answer.headers
    kept = [await redis.hgetall(name) for name in await redis.keys(keys.cache_entry("*"))]
    assert kept
    assert b"s3cret" not in b"".join(b"".join(each.values()) for each in kept)


async def test_our_key_goes_up_and_the_caller_s_token_does_not(
    proxy: httpx.AsyncClient, upstream: Upstream
) -> None:
    """Upstream sees one caller, us; callers see nothing of our key."""
    answer = await proxy.get(PATH, headers=bearer(a_token()) | {"Cookie": "a=b"})
    sent = upstream.arrived[0].headers
    assert sent["authorization"] == "Bearer lk_test_key"
    assert "cookie" not in sent
    assert "lk_test_key" not in str(answer.headers) + answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/rooms/AB%2F12",
        "/v1/rooms/..%2fplayers",
        "/v1/rooms/%2e%2e/players",
        "/v1//rooms",
        "/v1/rooms/AB\\12",
        "/v1/wallet",
        "/v1/games/gm_1",
        "/v2/rooms",
        "/v1/rooms/%00",
        "/v1/rooms/a b",
        "/v1/rooms/" + "A" * 129,
    ],
)
async def test_unknown_and_climbing_paths_do_not_reach_upstream(
    proxy: httpx.AsyncClient, upstream: Upstream, path: str
) -> None:
    """They are 400 or 404 here."""
    answer = await proxy.get(path)
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"
    assert upstream.arrived == []
