"""The fast path: the same answers as the ordinary way, and every doubt left to it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from ludo.config import parse_rates
from ludo.store import stocks
from proxy import app as application
from proxy.app import create_app
from proxy.config import Access
from proxy.facade import purges
from proxy.fast import FastPath
from tests.proxy.builders import a_proxy, a_token, bearer, open_log, serving, settings
from tests.proxy.upstream import Upstream, data, no
from tests.waiting import wait_until

ORIGIN = "https://play.example"
PATHS = ["/v1/rooms", "/v1/rooms?status=waiting", "/v1/rooms/ABCD12", "/v1/players/plr_ann"]
CHANGING = ("x-request-id", "age")


@pytest.fixture
def upstream(upstream: Upstream) -> Upstream:
    for path in ("/rooms", "/rooms/ABCD12", "/players/plr_ann"):
        upstream.says("GET", path, data({"is": path}, cache_control="max-age=600"))
    return upstream


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The statuses that the fast path answered with."""
    statuses: list[int] = []
    original = FastPath._hit

    def noting(self: FastPath, scope: Any) -> Any:
        hit = original(self, scope)
        if hit is not None:
            statuses.append(hit.face.status)
        return hit

    monkeypatch.setattr(FastPath, "_hit", noting)
    return statuses


@asynccontextmanager
async def both(
    redis_url: str, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A proxy, and one without the fast path."""
    async with a_proxy(redis_url, upstream, **options) as fast:
        with monkeypatch.context() as patch:
            patch.setattr(application, "_fast", lambda edge, *_: edge)
            app = create_app(
                settings(redis_url, **options), redis_url=redis_url, transport=upstream
            )
        await open_log(redis_url)
        async with serving(app) as ordinary:
            yield fast, ordinary


async def warmed(proxy: httpx.AsyncClient, path: str, **how: Any) -> httpx.Response:
    """The answer once it lies in the in-process layer."""

    async def again() -> httpx.Response | None:
        answer = await proxy.get(path, **how)
        return answer if answer.headers["cache-status"] == "ludo-proxy; hit" else None

    await wait_until(again)
    return await proxy.get(path, **how)


def told(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that a caller sees, without what differs between any two answers."""
    fields = [
        (name, re.sub(r"([rt])=\d+", r"\1", value))
        for name, value in answer.headers.multi_items()
        if name not in CHANGING
    ]
    return answer.status_code, answer.content, sorted(fields)


REQUESTS: list[dict[str, str]] = [
    {},
    bearer(a_token()),
    {"Origin": ORIGIN},
    {"Origin": "https://evil.example"},
    {"If-None-Match": "*"},
    {"If-None-Match": '"another"'},
    {"If-None-Match": '"another", *'},
    {"X-Request-Id": "mine-1"},
    {"X-Request-Id": "not mine"},
    {"Accept": "text/html", "Accept-Encoding": "gzip"},
    {"Cache-Control": "no-cache"},
    {"Cookie": "a=b"},
]


@pytest.mark.parametrize("path", PATHS)
async def test_both_ways_say_the_same(
    redis_url: str,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
    taken: list[int],
    path: str,
) -> None:
    """Status, body and every header field, whatever is asked."""
    options = {"cors_origins": (ORIGIN,), "quota": parse_rates("100000/60s")}
    async with both(redis_url, upstream, monkeypatch, **options) as (fast, ordinary):
        for headers in REQUESTS:
            answers = [await warmed(each, path, headers=headers) for each in (fast, ordinary)]
            assert told(answers[0]) == told(answers[1]), headers

        async def both_statuses() -> bool:
            # A busy machine may have kept the link silent, and then nothing is fast.
            for headers in ({}, {"If-None-Match": "*"}):
                await fast.get(path, headers=headers)
            return {200, 304} <= set(taken)

        await wait_until(both_statuses)


async def test_a_hit_of_a_known_caller_is_fast(
    redis_url: str, upstream: Upstream, taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a burst all but some go the fast way; each is told what is left, and none is free."""
    # On a busy machine a burst is slow, and its link silent.
    monkeypatch.setattr(stocks, "OFTEN_S", 60.0)
    monkeypatch.setattr(stocks, "AHEAD_S", 60.0)
    monkeypatch.setattr(purges, "HEARD_WITHIN_S", 60.0)
    options = {"access": Access.REQUIRED, "quota": parse_rates("100000/60s")}
    async with a_proxy(redis_url, upstream, **options) as proxy:
        await warmed(proxy, "/v1/rooms", headers=bearer(a_token()))
        taken.clear()
        answers = [await proxy.get("/v1/rooms", headers=bearer(a_token())) for _ in range(300)]
    left = [int(re.findall(r"r=(\d+)", answer.headers["ratelimit"])[0]) for answer in answers]
    assert len(taken) > 100
    assert left == list(range(left[0], left[0] - 300, -1))


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/rooms", {"Range": "bytes=0-3"}),
        ("/v1/rooms", {"If-Modified-Since": "Sat, 21 Nov 2026 12:00:00 GMT"}),
        ("/v1/rooms", bearer("nonsense")),
        ("/v1/rooms", {"Authorization": "Basic YTpi"}),
        ("/v1/rooms?status=WAITING", {}),
        ("/v1/rooms?status=waiting&status=waiting", {}),
        ("/v1/rooms/ABCD12?status=waiting", {}),
        ("/v1/%72ooms", {}),
        ("/v1/rooms/", {}),
        ("/v1/rooms/%41BCD12", {}),
        ("/v1/rooms/ABCD12/", {}),
        ("/v1/players/me", {}),
    ],
)
async def test_doubts_go_the_ordinary_way(
    redis_url: str, upstream: Upstream, taken: list[int], path: str, headers: dict[str, str]
) -> None:
    """Whatever is not plainly a hit."""
    async with a_proxy(redis_url, upstream) as proxy:
        for each in PATHS:
            await warmed(proxy, each)
        taken.clear()
        await proxy.get(path, headers=headers)
    assert taken == []


async def test_without_a_token_there_is_no_hit(
    redis_url: str, upstream: Upstream, taken: list[int]
) -> None:
    """However often a known caller was answered before."""
    async with a_proxy(redis_url, upstream, access=Access.REQUIRED) as proxy:
        await warmed(proxy, "/v1/rooms", headers=bearer(a_token()))
        taken.clear()
        answers = [
            await proxy.get("/v1/rooms", headers=h) for h in ({}, bearer(a_token("x") + "y"))
        ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert taken == []


async def test_a_write_is_seen_by_the_next_read(
    redis_url: str, upstream: Upstream, taken: list[int]
) -> None:
    """A purge empties the layer; the fast path has nothing of its own to answer from."""
    upstream.says("POST", "/rooms", data({"code": "NEW111"}, 201))
    async with a_proxy(redis_url, upstream) as proxy:
        await warmed(proxy, "/v1/rooms")
        assert 200 in taken
        upstream.says("GET", "/rooms", data(["NEW111"], cache_control="max-age=600"))
        await proxy.post("/v1/rooms", json={})

        async def seen() -> bool:
            return (await proxy.get("/v1/rooms")).json()["data"] == ["NEW111"]

        await wait_until(seen)


async def test_a_refusal_is_never_fast(
    redis_url: str, upstream: Upstream, taken: list[int]
) -> None:
    """Errors are problems, which are made where errors are known."""
    upstream.says("GET", "/rooms/NONE00", no(404, "NOT_FOUND", "no such room"))
    async with a_proxy(redis_url, upstream) as proxy:
        answers = [await proxy.get("/v1/rooms/NONE00") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {404}
    assert taken == []


async def test_hits_are_counted(redis_url: str, upstream: Upstream, taken: list[int]) -> None:
    """By the same names as those of the ordinary way."""
    async with a_proxy(redis_url, upstream) as proxy:
        for _ in range(20):
            await warmed(proxy, "/v1/rooms/ABCD12")
        text = (await proxy.get("/metrics")).text
    named = r'ludo_http_requests_total\{.*route="/v1/rooms/\{code\}",status="200"\} (\S+)'
    (line,) = re.findall(named, text)
    (reads,) = re.findall(r'ludo_facade_reads_total\{route="room",source="hit"\} (\S+)', text)
    assert float(line) >= float(reads) >= len(taken) >= 20
