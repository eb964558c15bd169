"""Clients that do not take what they are sent, end to end."""

import socket
from collections.abc import Callable
from dataclasses import replace

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from proxy.sockets import FramedSockets
from tests.relay.conftest import QUICK, Start
from tests.relay.scribe import Scribe
from tests.relay.watcher import watching
from tests.waiting import wait_until

Scribes = Callable[..., Scribe]


@pytest.mark.parametrize("ws", [FramedSockets, WebSocketsSansIOProtocol])
async def test_a_slow_reader_gets_one_snapshot_when_it_reads_again(
    start: Start, scribe: Scribes, ws: type[WebSocketsSansIOProtocol]
) -> None:
    """Deltas that a client does not take are dropped; one snapshot makes up for all of them.

    On our own server, and on one that takes nothing but ASGI's messages.
    """
    game = scribe(padding=8000)
    await game.advance()
    running = await start(ws=ws)
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = running.address.removeprefix("ws://").split(":")
    slow.connect((host, int(port)))
    async with (
        watching(running.address + "/ws/games/g1", sock=slow, max_queue=1) as client,
        watching(running.address + "/ws/games/g1") as quick,
    ):
        await client.get("live")
        await quick.get("live")
        client.reading.clear()
        await game.advance(60)
        await wait_until(lambda: quick.copies["g1"].seq == 61)
        client.reading.set()
        await client.get("snap", why="slow")
        await game.advance(2)
        await wait_until(lambda: client.copies["g1"].seq == game.seq)

        assert client.copies["g1"].state == game.state
        assert client.kinds().count("d") < 60
        assert "slow" not in {frame.get("why") for frame in quick.frames}


async def test_a_reader_that_makes_no_progress_is_sent_away(start: Start, scribe: Scribes) -> None:
    """Somebody who takes nothing for too long loses the connection, and nothing else."""
    game = scribe(padding=8000)
    await game.advance()
    running = await start(replace(QUICK, stuck_after=0.3, close_within=0.2))
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = running.address.removeprefix("ws://").split(":")
    slow.connect((host, int(port)))
    async with watching(running.address + "/ws/games/g1", sock=slow, max_queue=1) as client:
        await client.get("live")
        client.reading.clear()
        await game.advance(60)
        await wait_until(lambda: running.relay.status().connections == 0)
