"""Deliveries of whole games, and one each moment over open connections, with the answers timed."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

import msgspec

from benchmarks.answers import SHARES, Answers, below
from ludo.upstream.keyring import SigningKey
from ludo.upstream.signing import sign
from ludo.upstream.wire import event_body, game_event
from tests.rules.builders import play_game

SIZE: Final = 2_048
_IDS: Final = count()


def deliveries(secret: str, number: int, port: int) -> list[bytes]:
    """So many requests of 2 KB bodies: whole games, many at once, each in order."""
    key, now = SigningKey.parse(secret), int(time.time())
    return [
        _request(key, now, body, port) for body, _ in zip(_bodies(), range(number), strict=False)
    ]


def _bodies() -> Iterator[bytes]:
    while True:
        games = [(f"gm_{next(_IDS)}", play_game(seed)) for seed in range(40)]
        for number in range(max(len(events) for _, events in games)):
            for game_id, events in games:
                if number < len(events):
                    yield _padded(game_id, events[number])


def _padded(game_id: str, event: object) -> bytes:
    room = "K7QX2M" if event.sequence == 1 else None  # type: ignore[attr-defined]
    at = "2026-11-21T08:00:00Z"
    body = event_body(game_event(game_id, event, room_code=room, at=at))  # type: ignore[arg-type]
    body["note"] = "x" * (SIZE - len(msgspec.json.encode(body)) - len(',"note":""'))
    return msgspec.json.encode(body)


def _request(key: SigningKey, now: int, body: bytes, port: int) -> bytes:
    webhook_id = f"msg_{next(_IDS)}"
    lines = (
        "POST /webhooks/ludo HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        f"webhook-id: {webhook_id}",
        f"webhook-timestamp: {now}",
        f"webhook-signature: {sign(key, webhook_id, now, body)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.answered: asyncio.Future[bool] | None = None
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    async def send(self, request: bytes) -> bool:
        """Whether it was acknowledged."""
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)  # type: ignore[attr-defined]
        return await self.answered

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) >= length and self.answered is not None:
            self._got = b""
            self.answered.set_result(head[9:10] == b"2")


async def _connected(port: int, number: int) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    made = [loop.create_connection(_Connection, "127.0.0.1", port) for _ in range(number)]
    return [connection for _, connection in await asyncio.gather(*made)]


async def at_a_rate(port: int, requests: Sequence[bytes], rate: float) -> Answers:
    """One request each 1/rate s, whatever the answers do; timed from when it was due."""
    latencies: list[float] = []
    refused = 0
    made = await _connected(port, 200)
    idle: asyncio.Queue[_Connection] = asyncio.Queue()
    for connection in made:
        idle.put_nowait(connection)

    async def one(request: bytes, due: float) -> None:
        nonlocal refused
        connection = await idle.get()
        refused += not await connection.send(request)
        latencies.append((time.perf_counter() - due) * 1000)
        idle.put_nowait(connection)

    begun = time.perf_counter() + 0.05
    async with asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            due = begun + number / rate
            if (pause := due - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            group.create_task(one(request, due))
    for connection in made:
        connection.transport.close()
    ms = {share: below(latencies, share) for share in SHARES}
    return Answers(len(requests), refused, len(requests) / rate, ms)
