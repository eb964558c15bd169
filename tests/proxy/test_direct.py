"""Reads before routing: the same answers as the ordinary way, and every doubt left to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest

from ludo.config import parse_rates
from ludo.store.cache import Lifetimes
from proxy import app as application
from proxy.app import create_app
from proxy.config import Access
from proxy.facade import policy
from proxy.facade.direct import DirectReads, _conditions
from tests.proxy.builders import a_token, bearer, open_log, serving, settings
from tests.proxy.test_fast import ORIGIN, REQUESTS, told
from tests.proxy.upstream import Upstream, data, no

DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
CONDITIONS: list[dict[str, str]] = [
    {"Range": "bytes=0-3"},
    {"Range": "bytes=999-"},
    {"Range": "bytes=0-3", "If-Range": '"another"'},
    {"If-Modified-Since": DATE},
    {"X-Forwarded-For": "203.0.113.7"},
    {"Authorization": "Basic YTpi"},
    bearer("nonsense"),
]
OPTIONS: dict[str, Any] = {"cors_origins": (ORIGIN,), "quota": parse_rates("100000/60s")}


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were read before routing."""
    names: list[str] = []
    original = DirectReads._answered

    async def noting(self: DirectReads, scope: Any, route: Any, name: str, asked: Any) -> Any:
        names.append(name)
        return await original(self, scope, route, name, asked)

    monkeypatch.setattr(DirectReads, "_answered", noting)
    return names


@asynccontextmanager
async def both(
    redis_url: str, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A proxy without the fast path, and one that routes every read."""
    await open_log(redis_url)
    apps = []
    with monkeypatch.context() as patch:
        patch.setattr(application, "_fast", lambda edge, *_: edge)
        for routed in (False, True):
            if routed:
                patch.setattr(application, "_direct", lambda routed, _: routed)
            config = settings(redis_url, **options)
            apps.append(create_app(config, redis_url=redis_url, transport=upstream))
    async with serving(apps[0]) as direct, serving(apps[1]) as ordinary:
        yield direct, ordinary


def for_both(upstream: Upstream, path: str, answer: httpx.Response) -> None:
    """Each way asks for a thing of its own, so that neither finds what the other one kept."""
    for mine in ("ONE", "TWO"):
        upstream.says("GET", path + mine, answer)


async def compared(
    ways: tuple[httpx.AsyncClient, httpx.AsyncClient], path: str, **how: Any
) -> httpx.Response:
    """The answer of the first way, which is that of the second one too."""
    direct = await ways[0].get(f"/v1{path}ONE", **how)
    ordinary = await ways[1].get(f"/v1{path}TWO", **how)
    assert told(direct) == told(ordinary), (path, how)
    return direct


@pytest.mark.parametrize("path", ["/rooms/R", "/players/plr_"])
async def test_both_ways_say_the_same(
    redis_url: str,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
    taken: list[str],
    path: str,
) -> None:
    """Status, body and every header field: of a miss, of a hit, and whatever is asked."""
    for_both(upstream, path, data({"is": "here"}, last_modified=DATE, cache_control="max-age=9"))
    async with both(redis_url, upstream, monkeypatch, **OPTIONS) as ways:
        first = await compared(ways, path)
        assert first.headers["cache-status"].startswith("ludo-proxy; fwd=miss")
        for headers in (*REQUESTS, *CONDITIONS):
            await compared(ways, path, headers=headers)
    assert len(taken) == 1 + len(REQUESTS) + len(CONDITIONS)


async def test_both_ways_fail_the_same(
    redis_url: str, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal, fetched and kept; an upstream that fails, without and with an old answer."""
    for_both(upstream, "/rooms/GONE", no(404, "NOT_FOUND", "no such room"))
    for_both(upstream, "/rooms/BAD", httpx.Response(500))
    for_both(upstream, "/rooms/OLD", data({"is": "old"}))
    async with both(redis_url, upstream, monkeypatch, **OPTIONS) as ways:
        monkeypatch.setattr(policy, "_ROOM", Lifetimes(soft=0, hard=0))
        await compared(ways, "/rooms/OLD")
        for_both(upstream, "/rooms/OLD", httpx.Response(500))
        statuses = [
            (await compared(ways, f"/rooms/{code}")).status_code
            for code in ("GONE", "GONE", "BAD", "BAD", "OLD")
        ]
    assert statuses == [404, 404, 503, 503, 200]


async def test_both_ways_refuse_callers_the_same(
    redis_url: str, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a token, and beyond the quota."""
    for_both(upstream, "/rooms/R", data({"is": "here"}))
    options = OPTIONS | {"access": Access.REQUIRED, "quota": parse_rates("2/60s")}
    async with both(redis_url, upstream, monkeypatch, **options) as ways:
        statuses = [(await compared(ways, "/rooms/R")).status_code]
        token = bearer(a_token("plr_ann")), bearer(a_token("plr_bob"))
        for _ in range(3):
            direct = await ways[0].get("/v1/rooms/RONE", headers=token[0])
            ordinary = await ways[1].get("/v1/rooms/RTWO", headers=token[1])
            assert told(direct) == told(ordinary)
            statuses.append(direct.status_code)
    assert statuses == [401, 200, 200, 429]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/rooms?status=WAITING",
        "/v1/rooms?status=waiting&status=waiting",
        "/v1/rooms/ABCD12?status=waiting",
        "/v1/rooms/%41BCD12",
        "/v1/rooms/ABCD12/",
        "/v1/rooms/A*B",
        "/v1/players/me",
        "/v1/games/ABCD12/state",
        "/v1/games",
    ],
)
async def test_doubts_are_routed(proxy: httpx.AsyncClient, taken: list[str], path: str) -> None:
    """Whatever is not plainly a read of the cache."""
    await proxy.get(path)
    assert taken == []


def test_a_condition_that_comes_twice_is_for_others() -> None:
    """Those who know what RFC 9110 says of a list."""
    field = (b"if-none-match", b'"a"')
    scope = cast("Any", {"headers": [field]})
    assert _conditions(scope) == {"if-none-match": '"a"'}
    scope["headers"].append(field)
    assert _conditions(scope) is None
