"""Messages as they lie on the wire, and the server's connection that takes them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode

from ludo.tasks import beside
from proxy.relay.framing import EXTENSION, framed, text_of
from tests.relay.conftest import listening, served
from tests.waiting import wait_until


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_a_message_is_framed_as_a_websocket_library_does_it(size: int) -> None:
    """At every length of the header, and back."""
    text = "ö" * (size // 2) + "x" * (size % 2)
    frame = framed(text.encode())

    assert frame == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
    assert text_of(frame) == text


@asynccontextmanager
async def accepting(talk: Callable[[Any, Any, Any], Any], **options: Any) -> AsyncIterator[str]:
    """A server whose application accepts and then does this."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for answer in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{answer}.complete"})
            return
        await receive()
        await send({"type": "websocket.accept"})
        await talk(scope, receive, send)

    listener = listening()
    async with served(app, listener, **options):
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"


async def test_frames_and_messages_arrive_in_the_order_of_their_writing() -> None:
    """What is written at once and what is awaited share one socket."""

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        frames = scope["extensions"][EXTENSION]
        assert frames.ready
        frames.write(framed(b"one") + framed("zwö".encode()))
        await send({"type": "websocket.send", "text": "three"})
        frames.write(framed(b"4" * 70_000))
        await receive()
        await send({"type": "websocket.close", "code": 4000})
        assert not frames.ready

    async with accepting(talk) as address, connect(address) as client:
        came = [await client.recv() for _ in range(4)]
        await client.send("go")
        await client.wait_closed()

    assert came == ["one", "zwö", "three", "4" * 70_000]
    assert client.close_code == 4000


async def test_a_client_that_does_not_read_is_seen() -> None:
    """Once the buffer is full nothing more may be written, until the client reads again."""
    ready = asyncio.Queue[bool]()

    async def talk(scope: Any, receive: Any, _send: Any) -> None:
        frames = scope["extensions"][EXTENSION]
        for _ in range(5_000):
            if not frames.ready:
                break
            frames.write(framed(b"x" * 10_000))
            await asyncio.sleep(0)
        ready.put_nowait(frames.ready)
        await wait_until(lambda: frames.ready)
        ready.put_nowait(frames.ready)
        await receive()

    async with accepting(talk) as address, connect(address, max_queue=1) as client:
        assert not await ready.get()

        async def read() -> None:
            async for _ in client:
                pass

        async with beside("reading", read()):
            assert await ready.get()


async def test_compressed_connections_take_no_frames() -> None:
    """Their bytes differ from client to client; a client without compression is not concerned."""
    offered: list[bool] = []

    async def talk(scope: Any, _receive: Any, send: Any) -> None:
        offered.append(EXTENSION in scope["extensions"])
        await send({"type": "websocket.close", "code": 4000})

    async with accepting(talk, ws_per_message_deflate=True) as address:
        for compression in (None, [ClientPerMessageDeflateFactory()]):
            async with connect(address, compression=None, extensions=compression) as client:
                await client.wait_closed()

    assert offered == [True, False]
