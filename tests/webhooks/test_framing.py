"""Deliveries as HTTP frames them, on a real connection: other methods, versions and lengths."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis

from tests.sandbox.builders import served
from tests.webhooks.builders import OTHER, an_app, an_intake, bytes_of, signed
from tests.workers.builders import a_history

FIRST, SECOND = (bytes_of(event) for event in a_history()[:2])
Talk = Callable[[bytes], Awaitable[list[int]]]


def framed(
    body: bytes = FIRST,
    *more: str,
    line: str = "POST /webhooks/ludo HTTP/1.1",
    secret: str = "",
    length: int | None = None,
) -> bytes:
    """A delivery as bytes; `more` are further header lines."""
    headers = signed(body, webhook_id=f"msg_{len(body)}", **({"secret": secret} if secret else {}))
    lines = [line, "host: proxy", *(f"{name}: {value}" for name, value in headers.items())]
    lines.append(f"content-length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, *more, "", ""]).encode() + body


@pytest.fixture
async def talk(redis: Redis) -> AsyncIterator[Talk]:
    """Sends bytes on a new connection; the statuses until the receiver hangs up."""
    async with served(an_app(an_intake(redis))) as address:
        host, port = address.removeprefix("http://").split(":")

        async def said(content: bytes) -> list[int]:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(content)
            async with asyncio.timeout(10):
                answer = await reader.read()
            writer.close()
            return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]

        yield said


async def test_another_method_is_told_apart(talk: Talk) -> None:
    """405 for each of them, and nothing is taken in."""
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        line = f"{method} /webhooks/ludo HTTP/1.1"
        assert await talk(framed(FIRST, "connection: close", line=line)) == [405]


async def test_an_old_client_is_served(talk: Talk) -> None:
    """HTTP/1.0: one delivery a connection."""
    assert await talk(framed(line="POST /webhooks/ludo HTTP/1.0")) == [202]


async def test_a_sender_that_asks_first_is_told_to_go_on(talk: Talk) -> None:
    """Expect: 100-continue (RFC 9110 §10.1.1)."""
    asked = framed(FIRST, "expect: 100-continue", "connection: close")
    assert await talk(asked) == [100, 202]


async def test_a_refusal_leaves_the_connection_to_the_next(talk: Talk) -> None:
    """A forged delivery costs a genuine one behind it nothing."""
    following = framed(SECOND, "connection: close")
    assert await talk(framed(FIRST, secret=OTHER) + following) == [401, 202]


async def test_a_body_of_two_lengths_is_refused(talk: Talk) -> None:
    """Whoever stands in front could have taken the other one (RFC 9112 §6.3)."""
    assert await talk(framed(FIRST, "transfer-encoding: chunked", length=3)) == [400]
    assert await talk(framed(FIRST, "content-length: 3")) == [400]
