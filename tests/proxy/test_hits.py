"""Hits written by the connection: the same answers, and connections that stay as they should."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from proxy.app import create_app
from proxy.facade import purges
from proxy.fast import FastPath
from proxy.server import _Server
from tests.proxy.builders import a_token, bearer, open_log, settings
from tests.proxy.builders import serving as in_process
from tests.proxy.test_fast import ORIGIN, told, warmed
from tests.proxy.upstream import Upstream, data
from tests.waiting import wait_until

ROOM = b"GET /v1/rooms/ABCD12 HTTP/1.1\r\nHost: proxy\r\n"
SLOW = b"GET /v1/rooms/SLOW11 HTTP/1.1\r\nHost: proxy\r\n"
BODY = b'{"success":true,"data":{"is":"here"}}'


@dataclass
class Served:
    """A served application: over its socket, and without it; the answers its connections wrote."""

    port: int
    http: httpx.AsyncClient
    asgi: httpx.AsyncClient
    server: _Server
    upstream: Upstream
    written: list[bytes]

    async def warm(self) -> None:
        """Has the room in the layer, and the link to it heard."""

        async def written() -> bool:
            self.written.clear()
            await warmed(self.http, "/v1/rooms/ABCD12")
            return bool(self.written)

        await wait_until(written)

    async def sent(self, request: bytes, answers: int, *, closes: bool = False) -> bytes:
        """What comes back for these bytes, up to so many bodies or to the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        got = b""
        async with asyncio.timeout(20):
            while got.count(b'"success"') < answers:
                got += await reader.read(65_536)
            if closes:
                assert await reader.read() == b""
        writer.close()
        return got


@pytest.fixture
async def served(
    redis_url: str, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Served]:
    """One process' server on a port of the loopback."""
    upstream.says("GET", "/rooms/ABCD12", data({"is": "here"}, cache_control="max-age=600"))
    upstream.says("GET", "/rooms/SLOW11", data({"is": "slow"}))
    async with serving(redis_url, upstream, monkeypatch) as found:
        yield found


@asynccontextmanager
async def serving(
    redis_url: str, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Served]:
    """A server that notes what its connections write by themselves."""
    # A busy machine keeps the link silent for longer than a second.
    monkeypatch.setattr(purges, "HEARD_WITHIN_S", 60.0)
    written: list[bytes] = []
    original = FastPath.whole

    def noting(self: FastPath, scope: Any, more: Any) -> bytes | None:
        answer = original(self, scope, more)
        if answer is not None:
            written.append(answer)
        return answer

    monkeypatch.setattr(FastPath, "whole", noting)
    await open_log(redis_url)
    config = settings(redis_url, cors_origins=(ORIGIN,))
    app = create_app(config, redis_url=redis_url, transport=upstream)
    server, listener = _Server(app), socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    async with in_process(app, peer=("127.0.0.1", 1)) as asgi:
        task = asyncio.create_task(server._serve(sockets=[listener]), name="server")
        await wait_until(lambda: server.started)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            yield Served(port, http, asgi, server, upstream, written)
        server.should_exit = server.force_exit = True
        await task


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer(a_token()),
        {"Origin": ORIGIN},
        {"If-None-Match": "*"},
        {"If-None-Match": '"another"'},
        {"X-Request-Id": "mine-1"},
    ],
)
async def test_a_connection_says_what_the_application_does(
    served: Served, headers: dict[str, str]
) -> None:
    """Status, body and every field, and the date, which the server adds."""
    await served.warm()

    async def written() -> httpx.Response | None:
        served.written.clear()
        answer = await served.http.get("/v1/rooms/ABCD12", headers=headers)
        return answer if served.written else None

    answer = await wait_until(written)
    same = await warmed(served.asgi, "/v1/rooms/ABCD12", headers=headers)
    assert answer is not None
    assert answer.headers.pop("date")
    assert told(answer) == told(same)


async def test_answers_come_in_the_order_of_requests(served: Served) -> None:
    """Of one connection: a hit, a miss that takes its time, and hits behind it."""
    await served.warm()
    served.upstream.hold()
    asked = asyncio.create_task(
        served.sent(ROOM + b"\r\n" + SLOW + b"\r\n" + 2 * (ROOM + b"\r\n"), 4)
    )
    await wait_until(lambda: served.upstream.calls("GET", "/rooms/SLOW11"))
    served.upstream.go_on()
    got = await asked
    order = [got.index(b'"slow"'), got.index(b'"here"'), got.rindex(b'"here"')]
    assert order[1] < order[0] < order[2]
    assert got.count(b"HTTP/1.1 200 OK") == 4


async def test_hundreds_at_once_are_answered(served: Served) -> None:
    """However many come in one piece, also behind one that waits."""
    await served.warm()
    got = await served.sent((SLOW + b"\r\n") + 700 * (ROOM + b"\r\n"), 701)
    assert got.count(b"HTTP/1.1 200 OK") == 701


@pytest.mark.parametrize(
    ("request_line", "field"),
    [(b"HTTP/1.1", b"Connection: close\r\n"), (b"HTTP/1.0", b"")],
)
async def test_who_wants_the_end_gets_it(served: Served, request_line: bytes, field: bytes) -> None:
    """Such connections are left to the server."""
    await served.warm()
    served.written.clear()
    got = await served.sent(
        ROOM.replace(b"HTTP/1.1", request_line) + field + b"\r\n", 1, closes=True
    )
    assert BODY in got
    assert served.written == []


async def test_a_body_that_nobody_wants_is_passed_over(served: Served) -> None:
    """What follows it on the connection is the next request."""
    await served.warm()
    got = await served.sent(ROOM + b"Content-Length: 5\r\n\r\nGET /" + ROOM + b"\r\n", 2)
    assert got.count(BODY) == 2


async def test_an_idle_connection_ends_but_not_one_that_waits(served: Served) -> None:
    """The timer that a hit starts does not count for a slow request in the same bytes."""
    await served.warm()
    served.server.config.timeout_keep_alive = 0
    served.upstream.hold()
    asked = asyncio.create_task(served.sent(ROOM + b"\r\n" + SLOW + b"\r\n", 2, closes=True))
    await wait_until(lambda: served.upstream.calls("GET", "/rooms/SLOW11"))
    await asyncio.sleep(0.05)
    served.upstream.go_on()
    assert b'"slow"' in await asked


async def test_no_value_begins_a_line(served: Served) -> None:
    """Whatever upstream said: what cannot be one field is for those who check it."""
    await served.warm()
    fast = served.server.config.app.state["hits"]  # type: ignore[union-attr]
    (key,) = fast._layer._held
    ready = fast._layer.find(key)
    assert fast._dress(key, ready) is not None
    for value in (b"a\r\nSet-Cookie: b", b"a\nb", b"a\x00"):
        bad = replace(ready, fields=(*ready.fields, (b"content-language", value)))
        assert fast._dress(key, bad) is None
