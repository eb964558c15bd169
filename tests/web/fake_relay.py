"""A proxy as the board sees it: the page, the list of games, and enough of `ludorelay.v1`.

It plays recorded games at the test's command, and fails at its command: cut connections, skipped
deltas, rotated epochs, no answer at all.
"""

import json
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from proxy.pages import BOARD_POLICY
from tests.web.recorded import Json, Recording

WEB = Path(__file__).parents[2] / "proxy" / "web"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
PING_SECONDS = 20


@dataclass(slots=True)
class Showing:
    """A game at its present place; `seq` may be ahead of what was sent."""

    recording: Recording
    epoch: str = "epoch-1"
    seq: int = 1
    stale: bool = False
    as_of: int = field(default_factory=lambda: _now())
    told_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def state(self) -> Json:
        """The state at the present place."""
        return self.recording.states[self.seq]

    @property
    def over(self) -> bool:
        """Whether the last event has been told."""
        return self.seq == self.recording.last


class FakeRelay:
    """Serves on a free port of the loopback while it is entered; `received` is what it was sent."""

    def __init__(self) -> None:
        self.games: dict[str, Showing] = {}
        self.received: list[Json] = []
        self.down = False
        self._followers: dict[str, set[ServerConnection]] = {}
        self._connections: set[ServerConnection] = set()
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        quiet = logging.getLogger("fake-relay")
        quiet.disabled = True  # browsers open sockets which they then do not use
        self._server = await serve(
            self._converse,
            "127.0.0.1",
            0,
            process_request=self._answer,
            ping_interval=None,
            compression=None,
            logger=quiet,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where the board is."""
        assert self._server is not None
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"http://127.0.0.1:{port}/"

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    # What a test commands

    def show(self, recording: Recording, seq: int = 1) -> Showing:
        """Puts a game on the list, at a place."""
        showing = Showing(recording, seq=seq)
        self.games[recording.game_id] = showing
        return showing

    async def play(self, showing: Showing, until: int | None = None) -> None:
        """Tells the next event, or all up to one."""
        for seq in range(showing.seq + 1, (until or showing.seq + 1) + 1):
            showing.seq, showing.told_at = seq, datetime.now(UTC)
            await self._tell(showing, self._delta(showing, seq))
        if showing.over:
            await self._tell(showing, _ended(showing))

    async def repeat(self, showing: Showing, seq: int) -> None:
        """Tells an event again."""
        await self._tell(showing, self._delta(showing, seq))

    async def play_wrongly(self, showing: Showing) -> None:
        """Tells the next event with a patch that fits no state."""
        showing.seq += 1
        wrong = [{"op": "replace", "path": "/nowhere", "value": 1}]
        await self._tell(showing, {**self._delta(showing, showing.seq), "patch": wrong})

    async def play_strangely(self, showing: Showing) -> None:
        """Tells the next event as one of a player and a piece that nobody knows."""
        showing.seq += 1
        delta = self._delta(showing, showing.seq)
        strange = {"playerId": "nobody", "pieceId": "red-9", "value": 3}
        await self._tell(showing, {**delta, "ev": {**delta["ev"], **strange}})

    def skip(self, showing: Showing) -> None:
        """Moves on by an event that nobody is told."""
        showing.seq += 1

    async def rotate(self, showing: Showing, recording: Recording, seq: int) -> None:
        """A resync contradicted what was told: another game's state under a new epoch."""
        showing.recording, showing.seq = recording, seq
        showing.epoch = f"{showing.epoch}-next"
        await self._tell(showing, _snap(showing, "epoch"))

    async def freshness(self, showing: Showing, stale: bool, age: float = 0) -> None:
        """The mirror is, or is no longer, behind its source."""
        showing.stale, showing.as_of = stale, _now() - int(age * 1000)
        frame = {"t": "mirror", "game": showing.recording.game_id}
        await self._tell(showing, {**frame, "asOf": showing.as_of, "stale": stale})

    async def ping(self, n: int = 1) -> None:
        """A heartbeat with the tips of all games."""
        tips = {name: showing.seq for name, showing in self.games.items()}
        for connection in tuple(self._connections):
            await self._send(connection, {"t": "ping", "n": n, "tips": tips})

    async def bye(self, code: int = 4000, after: float = 0) -> None:
        """Asks everybody to come back, without closing yet."""
        frame = {"t": "bye", "code": code, "reason": "drain", "reconnect": True, "after": after}
        for connection in tuple(self._connections):
            await self._send(connection, frame)

    async def cut(self, code: int = 1012) -> None:
        """Closes every connection."""
        for connection in tuple(self._connections):
            await connection.close(code)

    def sent_by_clients(self, kind: str) -> list[Json]:
        """The frames of one type, oldest first."""
        return [frame for frame in self.received if frame["t"] == kind]

    # HTTP

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        path = request.path.split("?")[0]
        if self.down:
            return _response(HTTPStatus.SERVICE_UNAVAILABLE, b"down", "text/plain")
        if path == "/ws":
            return None
        if path == "/v1/games":
            over = "status=finished" in request.path
            body = json.dumps({"success": True, "data": self._listed(over=over)}).encode()
            return _response(HTTPStatus.OK, body, "application/json")
        file = WEB / (path.strip("/") or "board.html")
        if file.parent != WEB or file.suffix not in TYPES or not file.is_file():
            return _response(HTTPStatus.NOT_FOUND, b"not found", "text/plain")
        return _response(HTTPStatus.OK, file.read_bytes(), TYPES[file.suffix])

    def _listed(self, *, over: bool) -> list[Json]:
        fields = ("gameId", "roomCode", "status", "sequence", "players", "currentPlayerId")
        return [
            {name: showing.state[name] for name in fields}
            | {"updatedAt": showing.told_at.isoformat()}
            for showing in reversed(self.games.values())
            if showing.over is over
        ]

    # The relay

    async def _converse(self, connection: ServerConnection) -> None:
        self._connections.add(connection)
        try:
            async for text in connection:
                frame = json.loads(text)
                self.received.append(frame)
                await self._hear(connection, frame)
        except ConnectionClosed:
            pass
        finally:
            self._connections.discard(connection)
            for followers in self._followers.values():
                followers.discard(connection)

    async def _hear(self, connection: ServerConnection, frame: Json) -> None:
        match frame["t"]:
            case "hello":
                welcome = {"t": "welcome", "conn": "c1", "v": 1, "now": _now()}
                await self._send(connection, {**welcome, "ping": PING_SECONDS, "limits": {}})
                for wanted in frame["subs"]:
                    await self._subscribe(connection, wanted)
            case "sub" | "resync":
                await self._subscribe(connection, frame)
            case "unsub":
                self._followers.get(frame["game"], set()).discard(connection)
                await self._send(connection, {"t": "ok", "id": frame["id"]})
            case "ping":
                await self._send(connection, {"t": "pong", "n": frame["n"], "now": _now()})

    async def _subscribe(self, connection: ServerConnection, wanted: Json) -> None:
        showing = self.games.get(wanted["game"])
        reply = {"id": wanted["id"]} if "id" in wanted else {}
        if showing is None:
            refusal = {"t": "err", **reply, "code": "not_found", "msg": "no such game"}
            return await self._send(connection, {**refusal, "retry": True, "after": 0.2})
        missed = range(wanted.get("seq", 0) + 1, showing.seq + 1)
        recovered = wanted.get("epoch") == showing.epoch
        if recovered:
            for seq in missed:
                await self._send(connection, self._delta(showing, seq))
        else:
            why = "epoch" if "epoch" in wanted else "initial"
            await self._send(connection, _snap(showing, why))
        replayed = len(missed) if recovered else 0
        live = {"t": "live", **reply, **_place(showing), "recovered": recovered}
        await self._send(connection, {**live, "replayed": replayed})
        if showing.over:
            return await self._send(connection, _ended(showing))
        self._followers.setdefault(wanted["game"], set()).add(connection)
        return None

    def _delta(self, showing: Showing, seq: int) -> Json:
        return {**showing.recording.deltas[seq], "at": _now()}

    async def _tell(self, showing: Showing, frame: Json) -> None:
        for connection in tuple(self._followers.get(showing.recording.game_id, ())):
            await self._send(connection, frame)

    async def _send(self, connection: ServerConnection, frame: Json) -> None:
        try:
            await connection.send(json.dumps(frame))
        except ConnectionClosed:
            self._connections.discard(connection)


def _now() -> int:
    return int(time.time() * 1000)


def _place(showing: Showing) -> dict[str, Any]:
    return {"game": showing.recording.game_id, "epoch": showing.epoch, "seq": showing.seq}


def _snap(showing: Showing, why: str) -> Json:
    freshness = {"asOf": showing.as_of, "stale": showing.stale}
    return {"t": "snap", **_place(showing), "state": showing.state, "why": why, **freshness}


def _ended(showing: Showing) -> Json:
    final = showing.recording.deltas[-1]["ev"]
    result = {"winnerId": final["winnerId"], "placements": final["placements"]}
    return {"t": "ended", **_place(showing), "result": result}


def _response(status: HTTPStatus, body: bytes, kind: str) -> Response:
    headers = Headers(
        {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": BOARD_POLICY,
            "Cache-Control": "no-store",
            "Connection": "close",
        }
    )
    return Response(status.value, status.phrase, headers, body)
