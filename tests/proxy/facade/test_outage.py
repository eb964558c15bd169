"""Upstream away, Redis away, the budget gone: never a 500, never a call over the limit."""

import asyncio
import time

import httpx
import pytest
from redis.asyncio import Redis

from ludo.config import Rate
from ludo.store import keys
from ludo.store.cache import Lifetimes, SharedCache
from ludo.store.scripts import Scripts
from proxy.facade import policy
from tests.proxy.builders import a_proxy, a_token, bearer, replicas
from tests.proxy.upstream import Upstream, data
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until

ROOM = data({"code": "ABCD12"})


@pytest.fixture
def upstream(upstream: Upstream) -> Upstream:
    for number in range(60):
        upstream.says("GET", f"/rooms/ROOM{number}", ROOM)
    upstream.says("GET", "/rooms", data([]))
    upstream.says("POST", "/rooms", data({"code": "NEW"}, 201))
    return upstream


async def test_upstream_never_sees_more_than_its_limit(redis_url: str, upstream: Upstream) -> None:
    """60 rooms over three replicas, with a budget of 20: 15 are read, five permits are kept."""
    async with replicas(3, redis_url, upstream, limit="20/60s") as proxies:
        reads = (proxies[n % 3].get(f"/v1/rooms/ROOM{n}") for n in range(60))
        answers = await asyncio.gather(*reads)
        assert len(upstream.arrived) == 15
        refused = [answer for answer in answers if answer.status_code == 503]
        assert len(refused) == 45
        assert {answer.json()["type"] for answer in refused} == {"budget-spent"}
        assert all(int(answer.headers["retry-after"]) > 50 for answer in refused)
        writes = [await proxies[0].post("/v1/rooms", json={}) for _ in range(7)]
    assert [answer.status_code for answer in writes] == [201] * 5 + [503] * 2
    assert len(upstream.arrived) == 20


async def test_a_spent_budget_tells_what_it_knows(
    redis_url: str, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old answer is better than 503."""
    monkeypatch.setattr(policy, "_ROOM", Lifetimes(soft=0, hard=0))
    async with a_proxy(redis_url, upstream, limit="4/60s") as proxy:
        await proxy.get("/v1/rooms/ROOM1")
        for _ in range(3):
            assert (await proxy.post("/v1/rooms", json={})).status_code == 201
        known, unknown = [await proxy.get(f"/v1/rooms/ROOM{n}") for n in (1, 2)]
    assert (known.status_code, known.headers["ludo-stale"]) == (200, "true")
    assert (unknown.status_code, unknown.json()["type"]) == (503, "budget-spent")
    assert len(upstream.arrived) == 4


async def test_a_refresh_without_a_permit_keeps_nobody_from_reading(
    redis_url: str, upstream: Upstream, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a budget that runs low refreshes get nothing, and whoever has to wait is served."""
    monkeypatch.setattr(policy, "_ROOM", Lifetimes(soft=0, hard=60))
    async with a_proxy(redis_url, upstream, limit="20/60s") as proxy:
        for number in range(10):
            await proxy.get(f"/v1/rooms/ROOM{number}")
        stale = await proxy.get("/v1/rooms/ROOM1")
        assert stale.headers["cache-status"] == "ludo-proxy; hit; detail=refreshing"
        assert len(upstream.arrived) == 10
        await SharedCache(redis, Scripts(redis)).purge(["room:ROOM1"])
        assert (await proxy.get("/v1/rooms/ROOM1")).status_code == 200
    assert len(upstream.arrived) == 11


async def test_a_budget_that_runs_low_keeps_answers_fresh_longer(
    redis_url: str, upstream: Upstream, redis: Redis
) -> None:
    """The first room is kept for its two seconds, the last one for up to eight times that."""
    async with a_proxy(redis_url, upstream, limit="20/60s") as proxy:
        for number in range(15):
            assert (await proxy.get(f"/v1/rooms/ROOM{number}")).status_code == 200
    kept = [
        await redis.hmget(keys.cache_entry(f"/rooms/ROOM{number}?"), "soft", "at")
        for number in (0, 14)
    ]
    fresh = [int(soft or 0) - int(at or 0) for soft, at in kept]
    assert fresh[0] == 2_000
    assert 8_000 < fresh[1] <= 16_000


async def test_upstream_s_headers_are_believed(redis_url: str, upstream: Upstream) -> None:
    """If it says that two calls are left, two go out."""
    reset = str(int(time.time()) + 30)
    said = {"x_ratelimit_limit": "100", "x_ratelimit_remaining": "2", "x_ratelimit_reset": reset}
    for number in range(5):
        upstream.says("POST", "/rooms", data({"code": number}, 201, **said))
    async with a_proxy(redis_url, upstream, limit="100/60s") as proxy:
        await proxy.post("/v1/rooms", json={})
        upstream.says("POST", "/rooms", data({"code": "NEW"}, 201))
        codes = [(await proxy.post("/v1/rooms", json={})).status_code for _ in range(4)]
    assert codes == [201, 201, 503, 503]


async def test_a_circuit_opens_for_all_replicas(redis_url: str, upstream: Upstream) -> None:
    """After five failures nobody asks any more, and answers come at once."""
    for number in range(60):
        upstream.says("GET", f"/rooms/ROOM{number}", httpx.Response(500))
    async with replicas(2, redis_url, upstream) as (one, other):
        for number in range(5):
            await one.get(f"/v1/rooms/ROOM{number}")
        assert len(upstream.arrived) == 5

        async def opened() -> bool:
            answer = await other.get("/v1/rooms/ROOM20")
            return bool(answer.json()["type"] == "circuit-open")

        await wait_until(opened)
        arrived, begun = len(upstream.arrived), time.monotonic()
        answer = await other.get("/v1/rooms/ROOM30")
        assert time.monotonic() - begun < 1
    assert (answer.status_code, len(upstream.arrived)) == (503, arrived)
    assert int(answer.headers["retry-after"]) >= 1


PATHS = [
    ("GET", "/v1/rooms"),
    ("GET", "/v1/rooms/ROOM1"),
    ("GET", "/v1/players/plr_1"),
    ("GET", "/v1/games"),
    ("GET", "/v1/games/gm_1/state"),
    ("POST", "/v1/rooms"),
    ("POST", "/v1/games/gm_1/roll"),
    ("POST", "/v1/games/gm_1/move"),
    ("POST", "/v1/games/gm_1/validate"),
]


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_without_redis_there_is_no_500(
    redis_server: PrivateRedis, upstream: Upstream, how: str
) -> None:
    """Every route answers 503 with Retry-After in time, and works again with Redis."""
    async with a_proxy(redis_server.url, upstream, quota=()) as proxy:
        assert (await proxy.get("/v1/rooms")).status_code == 200
        redis_server.kill() if how == "killed" else redis_server.freeze()
        begun = time.monotonic()
        answers = await asyncio.gather(
            *(
                proxy.request(method, path, headers={"Idempotency-Key": "k-1"}, json={})
                for method, path in PATHS
            )
        )
        assert time.monotonic() - begun < 8
        assert {answer.status_code for answer in answers} == {503}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
        operators = ("/health", "/health/ready", "/metrics")
        seen = await asyncio.gather(*(proxy.get(path) for path in operators))
        assert [answer.status_code for answer in seen] == [200, 503, 200]
        redis_server.start() if how == "killed" else redis_server.thaw()
        await wait_until(lambda: _works(proxy))


async def _works(proxy: httpx.AsyncClient) -> bool:
    return (await proxy.get("/v1/rooms")).status_code == 200


async def test_without_redis_a_token_is_still_needed(
    redis_server: PrivateRedis, upstream: Upstream
) -> None:
    """The quota falls back to this process' own; authentication does not change."""
    async with a_proxy(redis_server.url, upstream, quota=(Rate(2, 60),)) as proxy:
        redis_server.kill()
        codes = [
            (await proxy.get("/v1/rooms", headers=bearer(a_token()))).status_code for _ in range(3)
        ]
        assert codes == [503, 503, 429]
        assert (await proxy.get("/v1/rooms", headers=bearer("no"))).status_code == 401


async def test_a_proxy_starts_without_redis(redis_server: PrivateRedis, upstream: Upstream) -> None:
    """Readiness says what is missing; when it comes, everything works."""
    redis_server.kill()
    async with a_proxy(redis_server.url, upstream) as proxy:
        assert (await proxy.get("/health")).status_code == 200
        ready = await proxy.get("/health/ready")
        assert (ready.status_code, ready.json()["components"]["redis"]["status"]) == (503, "down")
        redis_server.start()
        await wait_until(lambda: _works(proxy))
