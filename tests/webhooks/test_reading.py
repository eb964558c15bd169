"""A delivery's body over a real connection: counted and timed while it comes in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from proxy.webhooks.intake import Intake
from tests.sandbox.builders import served
from tests.waiting import wait_until
from tests.webhooks.builders import an_app, an_intake, bytes_of, signed
from tests.workers.builders import a_history

FIRST = bytes_of(a_history()[0])
LIMIT = 4_096


class Sender:
    """A connection on which a request is written by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def head(self, body: bytes = FIRST, **changed: str) -> None:
        """Begins a delivery of this body, chunked unless a header says otherwise."""
        headers = {"host": "proxy", "transfer-encoding": "chunked", **signed(body)}
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        if "content-length" in headers:
            del headers["transfer-encoding"]
        lines = ["POST /webhooks/ludo HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        await self.write("\r\n".join([*lines, "", ""]).encode())

    async def write(self, content: bytes) -> None:
        self._writer.write(content)
        await self._writer.drain()

    async def chunk(self, content: bytes) -> None:
        """A part of the body; an empty one ends it."""
        await self.write(b"%x\r\n%b\r\n" % (len(content), content))

    async def pour(self) -> None:
        """Sends chunks until the receiver hangs up."""
        async with asyncio.timeout(10):
            while True:
                await self.chunk(b"x" * 65_536)

    async def answer(self) -> tuple[int, str]:
        """The status and the headers."""
        async with asyncio.timeout(10):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        return int(head.split(" ")[1]), head

    def leave(self) -> None:
        """Ends the connection from this side, at once."""
        self._writer.transport.abort()

    async def is_closed(self) -> bool:
        """Whether the receiver ends the connection; what is left of its answer is skipped."""
        async with asyncio.timeout(10):
            await self._reader.read()
        return True


@asynccontextmanager
async def a_sender(
    redis: Redis, intake: Intake | None = None, **config: Any
) -> AsyncIterator[Sender]:
    async with served(an_app(intake or an_intake(redis), **config)) as address:
        host, port = address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        yield Sender(reader, writer)
        writer.close()


async def test_a_body_in_pieces_is_taken(redis: Redis) -> None:
    """Without a Content-Length, byte by byte."""
    async with a_sender(redis) as sender:
        await sender.head()
        for at in range(0, len(FIRST), 50):
            await sender.chunk(FIRST[at : at + 50])
        await sender.chunk(b"")
        assert (await sender.answer())[0] == 202


async def test_a_body_without_end_is_refused_while_it_comes(redis: Redis) -> None:
    """The receiver does not wait for its end, and hangs up."""
    intake = an_intake(redis)
    async with a_sender(redis, intake, body_limit=LIMIT) as sender:
        await sender.head()
        with pytest.raises(ConnectionError):
            await sender.pour()
    assert intake.evidence.noted == 1


async def test_a_body_somewhat_too_large_gets_its_answer(redis: Redis) -> None:
    """A sender that reads only after it has written everything sees 413, not a broken pipe."""
    async with a_sender(redis, body_limit=LIMIT) as sender:
        body = b"x" * 500_000
        await sender.head(content_length=str(len(body)))
        await sender.write(body)
        assert (await sender.answer())[0] == 413
        assert await sender.is_closed()


@pytest.mark.parametrize("sent", [0, 500_000])
async def test_an_announcement_alone_is_refused(redis: Redis, sent: int) -> None:
    """Whether the body then comes or not: what is read of it is bounded in size and in time."""
    async with a_sender(redis, body_limit=LIMIT, body_within=0.5) as sender:
        await sender.head(content_length="9" * 15)
        await sender.write(b"x" * sent)
        assert (await sender.answer())[0] == 413
        assert await sender.is_closed()


async def test_a_slow_body_is_408(redis: Redis) -> None:
    """A sender that stops in the middle holds nothing for long."""
    async with a_sender(redis, body_within=0.1) as sender:
        await sender.head()
        await sender.chunk(FIRST[:10])
        status, head = await sender.answer()
        assert status == 408
        assert "connection: close" in head
        assert await sender.is_closed()


async def test_a_sender_that_leaves_early_is_let_go(redis: Redis) -> None:
    """Nothing is stored of half a body, and the receiver goes on."""
    intake = an_intake(redis)
    async with a_sender(redis, intake) as sender:
        await sender.head(content_length=str(len(FIRST)))
        await sender.write(FIRST[:-1])
        sender.leave()
        await wait_until(lambda: intake.evidence.noted)
    assert await redis.dbsize() == 0


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, identity", "deflate"])
async def test_a_compressed_body_is_415(redis: Redis, encoding: str) -> None:
    """Nothing is ever unpacked: a bomb is refused by its label."""
    async with a_sender(redis) as sender:
        await sender.head(content_encoding=encoding)
        await sender.chunk(b"\x1f\x8b" + b"\0" * 100)
        await sender.chunk(b"")
        assert (await sender.answer())[0] == 415
