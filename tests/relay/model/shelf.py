"""Redis as the relay sees it: mirrors with feeds, and channels that may lose, repeat, reorder."""

import asyncio
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Any, Self

import msgspec
from redis.exceptions import ConnectionError as RedisConnectionError

from ludo.store.feed import delta_message, replaced_message
from ludo.store.games import Stored

FEED = 40
SPAN = 5


def state_at(game: str, epoch: str, seq: int) -> dict[str, Any]:
    """The one true state of a game at a place; no patch of it may be applied twice."""
    return {
        "gameId": game,
        "status": "playing",
        "sequence": seq,
        "updatedAt": f"{epoch}:{seq}",
        "moves": [f"{epoch}:{n}" for n in range(max(1, seq - SPAN + 1), seq + 1)],
        "count": {"total": seq},
    }


def delta_to(game: str, epoch: str, seq: int) -> bytes:
    """The `d` frame that leads to a place from the one before; elsewhere it makes a wrong state."""
    patch: list[dict[str, Any]] = [
        {"op": "replace", "path": "/sequence", "value": seq},
        {"op": "replace", "path": "/updatedAt", "value": f"{epoch}:{seq}"},
        {"op": "add", "path": "/moves/-", "value": f"{epoch}:{seq}"},
        {"op": "replace", "path": "/count/total", "value": seq},
    ]
    if seq > SPAN:
        patch.append({"op": "remove", "path": "/moves/0"})
    ev = {"type": "game:dice-rolled", "sequence": seq, "captured": []}
    return msgspec.json.encode(
        {"t": "d", "game": game, "seq": seq, "at": 1, "ev": ev, "patch": patch}
    )


@dataclass
class Record:
    """A mirror and its feed."""

    epoch: str
    seq: int
    feed: dict[int, bytes] = field(default_factory=dict)


class Shelf:
    """One Redis. While `down` it refuses everything; `fate` decides what a publication suffers."""

    def __init__(self, chance: Random) -> None:
        self.records: dict[str, Record] = {}
        self.down = False
        self.swallow = self.repeat = self.shuffle = 0.0
        self._chance = chance
        self._links: list[Link] = []
        self._older: dict[str, Record] = {}
        self._epochs = 0
        self._wanted: set[str] = set()

    # ---- what the workers do

    def begin(self, game: str, seq: int) -> None:
        """A mirror is made."""
        self.records[game] = Record(self._epoch(), seq)

    def advance(self, game: str) -> None:
        """One more event."""
        record = self.records.get(game)
        if self.down or record is None:
            return
        record.seq += 1
        frame = delta_to(game, record.epoch, record.seq)
        record.feed[record.seq] = frame
        record.feed.pop(record.seq - FEED, None)
        self._publish(game, delta_message(record.epoch, record.seq, frame))

    def resync(self, game: str, by: int, *, rotate: bool) -> None:
        """A snapshot replaces the mirror: elsewhere in this numbering, or in another."""
        record = self.records.get(game)
        if self.down or record is None:
            return
        epoch = self._epoch() if rotate else record.epoch
        seq = max(1, record.seq + by)
        self.records[game] = Record(epoch, seq)
        why = "epoch" if rotate else "gap"
        self._publish(game, replaced_message(epoch, seq, why))

    def forget_feeds(self) -> None:
        """All feeds expire."""
        for record in self.records.values():
            record.feed.clear()

    # ---- what happens to a Redis

    def save(self) -> None:
        """Make a copy that may be restored."""
        self._older = copy.deepcopy(self.records)

    def restore(self) -> None:
        """Come back as an older copy."""
        self.records = copy.deepcopy(self._older)
        self.cut()

    def empty(self) -> None:
        """Come back empty."""
        self.records = {}
        self.cut()

    def cut(self) -> None:
        """Break every link."""
        for link in tuple(self._links):
            link.cut()
        self._links.clear()

    def _epoch(self) -> str:
        self._epochs += 1
        return f"e{self._epochs}"

    def _publish(self, game: str, message: bytes) -> None:
        channel = self.channel(game)
        for link in self._links:
            draw = self._chance.random
            if channel in link.channels and draw() >= self.swallow:
                link.hear(channel, message)
                if draw() < self.repeat:
                    link.hear(channel, message)
                if draw() < self.shuffle:
                    link.shuffle()

    # ---- as a source

    async def load(self, game_id: str) -> Stored | None:
        """See `Source`."""
        await self._travel()
        record = self.records.get(game_id)
        if record is None:
            return None
        body = msgspec.json.encode(state_at(game_id, record.epoch, record.seq))
        return Stored(game_id, record.epoch, record.seq, body, as_of=1, stale=False, settled=True)

    async def tips(self, game_ids: Sequence[str]) -> Mapping[str, tuple[str, int]]:
        """See `Source`."""
        await self._travel()
        known = ((name, self.records.get(name)) for name in game_ids)
        return {name: (one.epoch, one.seq) for name, one in known if one is not None}

    async def after(self, game_id: str, epoch: str, seq: int) -> Sequence[tuple[int, bytes]]:
        """See `Source`."""
        await self._travel()
        record = self.records.get(game_id)
        if record is None or record.epoch != epoch:
            return []
        return [(number, frame) for number, frame in sorted(record.feed.items()) if number > seq]

    async def room_games(self, room_codes: Sequence[str]) -> Mapping[str, str]:
        """See `Source`."""
        return {}

    async def ask(self, game_id: str) -> None:
        """See `Source`: a worker fetches the game a little later."""
        await self._travel()
        if game_id not in self.records and game_id not in self._wanted:
            self._wanted.add(game_id)
            delay = self._chance.uniform(0.05, 1.5)
            asyncio.get_running_loop().call_later(delay, self._fetched, game_id)

    def channel(self, game_id: str) -> str:
        """See `Source`."""
        return f"channel:{game_id}"

    def _fetched(self, game: str) -> None:
        self._wanted.discard(game)
        if not self.down and game not in self.records:
            self.begin(game, self._chance.randint(1, 60))
            record = self.records[game]
            self._publish(game, replaced_message(record.epoch, record.seq, "epoch"))

    async def _travel(self) -> None:
        await asyncio.sleep(self._chance.uniform(0.0005, 0.02))
        if self.down:
            raise RedisConnectionError("down")

    # ---- as a client with a pub/sub link

    def connect(self) -> "Client":
        """A client for the link of one relay."""
        return Client(self)

    def attach(self, link: "Link") -> None:
        """A link was made."""
        if self.down:
            raise RedisConnectionError("down")
        self._links.append(link)

    def detach(self, link: "Link") -> None:
        """A link was let go of."""
        if link in self._links:
            self._links.remove(link)

    def delay(self) -> float:
        """How long a message takes over a link."""
        return self._chance.uniform(0.0005, 0.02)


class Client:
    """As much of `redis.asyncio.Redis` as the reader uses."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None
    ) -> None:
        return None

    @property
    def connection_pool(self) -> Self:
        """Where connections are made."""
        return self

    def make_connection(self) -> "Link":
        """The link."""
        return Link(self._shelf)


class Link:
    """As much of `redis.asyncio.connection.AbstractConnection` as the reader uses."""

    socket_timeout: float | None = 5.0

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.channels: set[str] = set()
        self._inbox: asyncio.Queue[list[bytes] | None] = asyncio.Queue()
        self._held: list[list[bytes]] = []
        self._cut = False

    async def connect(self) -> None:
        """Connect."""
        await asyncio.sleep(self._shelf.delay())
        self._shelf.attach(self)

    async def disconnect(self) -> None:
        """Disconnect."""
        self._shelf.detach(self)

    async def send_command(self, command: str, *channels: str, **_: bool) -> None:
        """PING, SUBSCRIBE or UNSUBSCRIBE."""
        self._alive()
        match command:
            case "PING":
                self._later([b"pong", b""])
            case "SUBSCRIBE":
                self._tune(b"subscribe", channels)
            case _:
                self._tune(b"unsubscribe", channels)

    async def read_response(self, **_: bool) -> list[bytes]:
        """The next message."""
        message = None if self._cut else await self._inbox.get()
        if message is None:
            raise RedisConnectionError("the link was cut")
        return message

    def hear(self, channel: str, data: bytes) -> None:
        """Something was published."""
        self._later([b"message", channel.encode(), data])

    def shuffle(self) -> None:
        """The last two messages under way change places."""
        if len(self._held) > 1:
            self._held[-1], self._held[-2] = self._held[-2], self._held[-1]

    def cut(self) -> None:
        """Break the link."""
        self._cut = True
        self._held.clear()
        self._inbox.put_nowait(None)

    def _tune(self, kind: bytes, channels: Sequence[str]) -> None:
        for channel in channels:
            change = self.channels.add if kind == b"subscribe" else self.channels.discard
            change(channel)
            self._later([kind, channel.encode(), b"1"])

    def _later(self, message: list[bytes]) -> None:
        self._held.append(message)
        asyncio.get_running_loop().call_later(self._shelf.delay(), self._arrive)

    def _arrive(self) -> None:
        # In the order in which they were sent, whatever each delay was.
        if self._held:
            self._inbox.put_nowait(self._held.pop(0))

    def _alive(self) -> None:
        if self._cut or self._shelf.down:
            raise RedisConnectionError("the link was cut")
