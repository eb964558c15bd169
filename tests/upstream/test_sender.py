"""One attempt against real sockets: whatever upstream does ends in an answer or our own error."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from ludo.upstream.call import Call
from ludo.upstream.errors import (
    DeadlinePassed,
    UpstreamError,
    UpstreamFailed,
    UpstreamMalformed,
    UpstreamThrottled,
    UpstreamTimedOut,
    UpstreamUnavailable,
)
from ludo.upstream.sender import Sender
from ludo.upstream.timeouts import Timeouts
from tests.upstream.fakes import Permits
from tests.upstream.servers import http, raw_server

ROOMS = Call("GET", "/rooms")
QUICK = Timeouts(attempt=0.3, connect=0.3, connections=2)
NOW = 1_700_000_000.0


@asynccontextmanager
async def sending(url: str, **changes: Any) -> AsyncIterator[Sender]:
    """A sender with short timeouts."""
    learn = changes.pop("learn", Permits().learn)
    settings = {"timeouts": QUICK, "wall": lambda: NOW, **changes}
    sender = Sender(url, "lk_secret", learn=learn, **settings)
    try:
        yield sender
    finally:
        await sender.aclose()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def failure(url: str, left: float = 5.0, **changes: Any) -> UpstreamError:
    """The error of one attempt."""
    async with sending(url, **changes) as sender:
        with pytest.raises(UpstreamError) as failed:
            await sender.send(ROOMS, left)
    return failed.value


async def test_an_answer_comes_back_whole() -> None:
    """Status, body, and the headers that are not the connection's."""
    answer = http(b'{"a": 1}', "X-Own: 1", "Connection: close, X-Hop", "X-Hop: 1")
    async with raw_server(answer) as server, sending(server.url) as sender:
        response = await sender.send(ROOMS, 5)
    assert (response.status, response.body, response.refused) == (200, b'{"a": 1}', False)
    assert dict(response.headers) == {"x-own": "1"}


async def test_the_request_is_what_upstream_asks_for() -> None:
    """Key, formats, idempotency key; the id in the path is one segment whatever is in it."""
    call = Call(
        "POST", "/rooms/{code}", {"code": "a/b c%"}, {"x": "é"}, b"{}", {"Idempotency-Key": "k"}
    )
    async with raw_server(http(b"{}")) as server, sending(server.url) as sender:
        await sender.send(call, 5)
    first, *lines = server.heads[0].split("\r\n")
    assert first == "POST /v1/rooms/a%2Fb%20c%25?x=%C3%A9 HTTP/1.1"
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    expected = {
        "authorization": "bearer lk_secret",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "content-type": "application/json",
        "content-length": "2",
        "idempotency-key": "k",
        "user-agent": "ludo-proxy",
    }
    assert headers.items() >= expected.items()


async def test_nobody_listening_is_unavailable_and_unsent() -> None:
    """The call can not have had an effect."""
    error = await failure(f"http://127.0.0.1:{free_port()}")
    assert isinstance(error, UpstreamUnavailable)
    assert not error.sent


@pytest.mark.parametrize("answer", [b"", http(b"{", length=100), b"HTTP/1.1 200 OK\r\nContent-"])
async def test_hanging_up_is_unavailable_and_perhaps_sent(answer: bytes) -> None:
    """Upstream may have acted on it before the connection broke."""
    async with raw_server(answer) as server:
        error = await failure(server.url)
    assert isinstance(error, UpstreamUnavailable)
    assert error.sent


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        http(b"<html>"),
        http(b""),
        http(b"{}", "Location: /other", status="302 Found"),
        http(b"{}", "Content-Encoding: br"),
        http(b"{}", "Content-Encoding: gzip"),
        http(gzip.compress(b"{}" * 99)[:20], "Content-Encoding: gzip"),
        http(gzip.compress(b" " * 3_000_000), "Content-Encoding: gzip"),
        http(b" " * 2_100_000),
    ],
    ids=["no-http", "html", "empty", "redirect", "brotli", "no-gzip", "half-gzip", "bomb", "long"],
)
async def test_what_cannot_be_read_is_malformed(answer: bytes) -> None:
    """Neither followed, nor unpacked beyond its bound, nor passed on."""
    async with raw_server(answer) as server:
        error = await failure(server.url)
    assert isinstance(error, UpstreamMalformed)
    assert len(server.heads) == 1


async def test_a_compressed_answer_is_unpacked() -> None:
    """And no longer said to be compressed."""
    answer = http(gzip.compress(b'{"a": 1}'), "Content-Encoding: gzip")
    async with raw_server(answer) as server, sending(server.url) as sender:
        response = await sender.send(ROOMS, 5)
    assert (response.body, dict(response.headers)) == (b'{"a": 1}', {})


async def _silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(http(b"", length=1000))
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("answer", [_silence, _drip])
async def test_a_slow_answer_ends_the_attempt(answer: Any) -> None:
    """Neither silence nor a drip holds us longer than the attempt may take."""
    async with raw_server(answer) as server, asyncio.timeout(2):
        error = await failure(server.url)
    assert isinstance(error, UpstreamTimedOut)


async def test_an_attempt_takes_no_more_than_is_left() -> None:
    """The caller's deadline is shorter than the usual timeout."""
    async with raw_server(_silence) as server, asyncio.timeout(2):
        error = await failure(server.url, left=0.1, timeouts=Timeouts(attempt=60))
    assert isinstance(error, UpstreamTimedOut)


async def test_waiting_for_a_connection_is_not_upstreams_fault() -> None:
    """With every connection in use the caller's time ends first."""
    async with (
        raw_server(_silence) as server,
        sending(server.url, timeouts=Timeouts(connections=1)) as sender,
    ):
        first = asyncio.create_task(sender.send(ROOMS, 5))
        await server.asked.wait()
        with pytest.raises(DeadlinePassed):
            await sender.send(ROOMS, 0.1)
        first.cancel()
        await asyncio.wait({first})


async def test_cancelled_attempts_leave_no_connection_behind() -> None:
    """After many callers who left there is still one for the next."""
    async with raw_server(_silence) as server, sending(server.url) as sender:
        for steps in range(20):
            task = asyncio.create_task(sender.send(ROOMS, 5))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})
        assert sender._slots._value == QUICK.connections


async def test_no_cookie_comes_back() -> None:
    """All callers share our connections, so nothing of one may reach another."""
    answer = http(b"{}", "Set-Cookie: session=1; Path=/")
    async with raw_server(answer) as server, sending(server.url) as sender:
        for _ in range(2):
            await sender.send(ROOMS, 5)
    assert "cookie" not in server.heads[1].lower()


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key goes to upstream and nowhere else."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    async with raw_server(http(b"{}")) as server, sending(server.url) as sender:
        await sender.send(ROOMS, 5)
    assert len(server.heads) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "wait"),
    [
        (httpx.Response(429, headers={"Retry-After": "7"}), UpstreamThrottled, 7.0),
        (httpx.Response(429, headers={"X-RateLimit-Reset": "1700000009"}), UpstreamThrottled, 9.0),
        (httpx.Response(503, headers={"Retry-After": "7"}), UpstreamFailed, 7.0),
        (httpx.Response(500), UpstreamFailed, None),
        (httpx.Response(599), UpstreamFailed, None),
    ],
)
async def test_failing_answers_are_errors(
    answer: httpx.Response, kind: type[UpstreamError], wait: float | None
) -> None:
    """With the time that upstream asks for, where it does."""
    error = await failure("http://upstream", transport=httpx.MockTransport(lambda _: answer))
    assert type(error) is kind
    assert getattr(error, "retry_after", None) == wait


@pytest.mark.parametrize("status", [204, 304, 400, 404, 409])
async def test_a_refusal_is_an_answer(status: int) -> None:
    """What it means is for whoever asked; its body may be anything."""
    transport = httpx.MockTransport(
        lambda _: httpx.Response(status, content=b"" if status < 400 else b"no")
    )
    async with sending("http://upstream", transport=transport) as sender:
        assert (await sender.send(ROOMS, 5)).status == status


WINDOW = {
    "X-RateLimit-Limit": "100",
    "X-RateLimit-Remaining": "7",
    "X-RateLimit-Reset": "1700000030",
}


@pytest.mark.parametrize(
    ("status", "headers", "learned"),
    [
        (200, WINDOW, [(100, 7, NOW + 30)]),
        (500, WINDOW, [(100, 7, NOW + 30)]),
        (200, {}, []),
        (429, WINDOW, [(100, 0, NOW + 30)]),
        (429, {"Retry-After": "4"}, [(0, 0, NOW + 4)]),
    ],
)
async def test_every_answer_teaches_the_budget(
    status: int, headers: dict[str, str], learned: list[Any]
) -> None:
    """What upstream says of its window is passed on; after a 429 nothing is left."""
    permits = Permits()
    transport = httpx.MockTransport(
        lambda _: httpx.Response(status, headers=headers, content=b"{}")
    )
    async with sending("http://upstream", transport=transport, learn=permits.learn) as sender:
        try:
            await sender.send(ROOMS, 5)
        except UpstreamError:
            assert status >= 429
    assert permits.learned == learned


async def test_each_attempt_is_one_line_without_the_key() -> None:
    """Who was called, how it went, how long it took."""
    with capture_logs() as lines:
        async with raw_server(http(b"{}")) as server, sending(server.url) as sender:
            await sender.send(ROOMS, 5)
        await failure(f"http://127.0.0.1:{free_port()}")
    assert [(each["event"], each["route"], each["status"], each["outcome"]) for each in lines] == [
        ("upstream.called", "/rooms", 200, "answered"),
        ("upstream.called", "/rooms", None, "UpstreamUnavailable"),
    ]
    assert all(each["ms"] >= 0 for each in lines)
    assert "lk_secret" not in repr(lines)


@pytest.mark.parametrize("key", ["", "two\nlines", "clé"])
def test_a_key_that_cannot_be_sent_is_refused_at_once(key: str) -> None:
    """A header of several lines would be several headers."""
    with pytest.raises(ValueError, match="expected an API key of visible ASCII"):
        Sender("http://upstream", key, learn=Permits().learn, timeouts=QUICK)
