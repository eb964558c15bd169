"""`/ws`: upstream's WebSocket. Flat frames in (`room:join`), nested ones out (`{type, data}`)."""

import asyncio
from typing import Any, Final

import msgspec
from litestar import WebSocket, websocket
from litestar.di import NamedDependency
from litestar.exceptions import WebSocketDisconnect

from ludo import tasks
from sandbox.answers import Refusal
from sandbox.lobby import Lobby
from sandbox.sockets import Listening, Sockets

JOIN_WITHIN_S: Final = 10.0
NO_SUCH_ROOM: Final = 4004
CUT: Final = 1011

_Socket = WebSocket[Any, Any, Any]


class _Join(msgspec.Struct, rename="camel", tag="room:join", tag_field="type"):
    room_code: str


@websocket("/ws")
async def listen(
    socket: _Socket,
    lobby: NamedDependency[Lobby],
    sockets: NamedDependency[Sockets],
) -> None:
    """A room's events from the moment it is joined to its end."""
    if not sockets.knows(socket.headers.get("authorization", "")):
        await socket.close(1008)  # before it is accepted: answered by 403
        return
    await socket.accept()
    code = await _joined(socket)
    if code is None or isinstance(room := lobby.rooms.find(code), Refusal):
        await socket.close(NO_SUCH_ROOM)
        return
    with sockets.listening(room.code) as place:
        leaving = asyncio.create_task(_until_left(socket), name="socket-leaving")
        telling = asyncio.create_task(_tell(socket, place), name="socket-telling")
        try:
            await asyncio.wait({leaving, telling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await tasks.end(leaving, telling)


async def _joined(socket: _Socket) -> str | None:
    """The code of the room that the first frame joins."""
    try:
        async with asyncio.timeout(JOIN_WITHIN_S):
            text = await socket.receive_text()
        return msgspec.json.decode(text, type=_Join).room_code
    except (TimeoutError, WebSocketDisconnect, msgspec.MsgspecError):
        return None


async def _until_left(socket: _Socket) -> None:
    """Takes what the listener says until it leaves; nothing of it means anything here."""
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        return


async def _tell(socket: _Socket, place: Listening) -> None:
    while (frame := await place.next()) is not None:
        await socket.send_text(frame.decode())
    await socket.close(CUT if place.is_cut else 1000)
