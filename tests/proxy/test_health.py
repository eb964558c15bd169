"""Liveness looks at nothing, readiness at everything."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.config import StoreConfig
from ludo.store.errors import VolatileRedis
from proxy.app import create_app
from proxy.config import Role
from proxy.health import Component, Level, Readiness
from tests.proxy.builders import a_proxy, serving, settings
from tests.proxy.upstream import Upstream
from tests.redis_servers import PrivateRedis


def seen(level: Level) -> Any:
    async def look() -> Component:
        return Component(level, "as seen")

    return look


async def parts(proxy: httpx.AsyncClient) -> tuple[int, dict[str, Any]]:
    answer = await proxy.get("/health/ready")
    return answer.status_code, answer.json()["components"]


async def test_every_part_is_told(redis_url: str, upstream: Upstream) -> None:
    """With what an operator has to do about it."""
    async with a_proxy(redis_url, upstream, role=Role.ALL, dev=True) as proxy:
        status, components = await parts(proxy)
    assert status == 200
    assert {name: each["status"] for name, each in components.items()} == {
        "redis": "ok",
        "durability": "ok",
        "secrets": "degraded",
        "auth": "ok",
        "upstream": "ok",
        "workers": "degraded",
        "backlog": "ok",
        "archive": "ok",
        "relay": "ok",
        "dev": "degraded",
    }
    assert "LUDO_WEBHOOK_SECRETS" in components["secrets"]["detail"]


async def test_a_worker_and_a_late_game_are_noticed(proxy: httpx.AsyncClient, redis: Redis) -> None:
    """Both come and go."""
    await redis.set(keys.WORKERS_ALIVE, b"1", ex=60)
    assert (await parts(proxy))[1]["workers"]["status"] == "ok"
    seconds, _ = await redis.time()
    await redis.zadd(keys.DUE, {"gm_1": (seconds - 60) * 1000})
    status, components = await parts(proxy)
    assert status == 200
    assert components["backlog"]["detail"].startswith("a game is overdue by 6")


async def test_an_open_circuit_degrades(proxy: httpx.AsyncClient, upstream: Upstream) -> None:
    """It does not take the replica away: it still has stale answers."""
    for number in range(5):
        upstream.says("GET", f"/rooms/ROOM{number}", httpx.Response(500))
        await proxy.get(f"/v1/rooms/ROOM{number}")
    status, components = await parts(proxy)
    assert (status, components["upstream"]["status"]) == (200, "degraded")
    assert "/rooms/{code}" in components["upstream"]["detail"]


async def test_redis_out_of_reach_is_not_ready(
    redis_server: PrivateRedis, upstream: Upstream
) -> None:
    """Nothing can be accepted or pushed; the process is alive all the same."""
    async with a_proxy(redis_server.url, upstream) as proxy:
        redis_server.kill()
        status, components = await parts(proxy)
        assert (status, components["redis"]["status"]) == (503, "down")
        assert (await proxy.get("/health")).status_code == 200


async def test_a_volatile_redis_is_refused(redis_server: PrivateRedis) -> None:
    """At the start, and when it becomes one."""
    async with a_proxy(redis_server.url) as proxy:
        async with Redis.from_url(redis_server.url) as admin:
            await admin.config_set("appendonly", "no")
        status, components = await parts(proxy)
        assert (status, components["durability"]["status"]) == (503, "down")
    with pytest.raises(VolatileRedis, match="LUDO_ALLOW_VOLATILE_REDIS"):
        async with a_proxy(redis_server.url):
            pass


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("appendfsync", "everysec", "up to 1 s on power loss"),
        ("appendfsync", "always", "every acknowledged event is on disk"),
    ],
)
async def test_what_a_power_cut_costs_is_said(
    redis_server: PrivateRedis, name: str, value: str, told: str
) -> None:
    """Such a Redis starts, and is ready."""
    async with Redis.from_url(redis_server.url) as admin:
        await admin.config_set(name, value)
    async with a_proxy(redis_server.url) as proxy:
        status, components = await parts(proxy)
    assert status == 200
    assert components["durability"]["detail"] == told


async def test_a_redis_that_does_not_tell_is_taken_and_said(redis_server: PrivateRedis) -> None:
    """CONFIG is forbidden on most hosted ones."""
    async with Redis.from_url(redis_server.url) as admin:
        await admin.acl_setuser(
            "limited",
            enabled=True,
            passwords=["+any"],
            keys=["*"],
            channels=["*"],
            categories=["+@all"],
            commands=["-config"],
        )
    address = redis_server.url.replace("unix://", "unix://limited:any@")
    async with a_proxy(address) as proxy:
        status, components = await parts(proxy)
    assert (status, components["durability"]["status"]) == (200, "degraded")
    assert components["durability"]["detail"].startswith("unknown")


@pytest.mark.parametrize(
    ("name", "value"), [("appendonly", "no"), ("maxmemory-policy", "allkeys-lru")]
)
async def test_a_volatile_redis_can_be_allowed_and_is_said(
    redis_server: PrivateRedis, name: str, value: str
) -> None:
    """Whoever overrules the refusal sees at any time what it costs."""
    async with Redis.from_url(redis_server.url) as admin:
        await admin.config_set(name, value)
    allowing = replace(
        settings(redis_server.url),
        store=StoreConfig(redis_url=SecretStr(redis_server.url), allow_volatile_redis=True),
    )
    app = create_app(allowing, redis_url=redis_server.url, role=Role.API, transport=Upstream())
    async with serving(app) as proxy:
        status, components = await parts(proxy)
    assert (status, components["durability"]["status"]) == (200, "degraded")
    assert name in components["durability"]["detail"]


@pytest.mark.parametrize(
    ("levels", "worst"),
    [([], Level.OK), ([Level.OK, Level.DEGRADED], Level.DEGRADED), (list(Level), Level.DOWN)],
)
async def test_the_worst_part_decides(levels: list[Level], worst: Level) -> None:
    """One part that is down makes the whole not ready."""
    readiness = Readiness({str(n): seen(level) for n, level in enumerate(levels)})
    assert (await readiness.report()).level is worst


async def test_a_part_that_cannot_be_seen_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that is silent nor one that breaks."""
    monkeypatch.setattr("proxy.health.DEADLINE_S", 0.05)

    async def silent() -> Component:
        await asyncio.sleep(60)
        raise AssertionError

    async def broken() -> Component:
        raise ValueError

    looks = {"silent": silent, "broken": broken, "well": seen(Level.OK)}
    found = (await Readiness(looks).report()).components
    levels = [found[name].level for name in looks]
    assert levels == [Level.DEGRADED, Level.DEGRADED, Level.OK]


async def test_a_leaving_process_is_not_ready() -> None:
    """However well its parts are."""
    readiness = Readiness({"part": seen(Level.OK)})
    readiness.is_draining = True
    assert (await readiness.report()).level is Level.DOWN
