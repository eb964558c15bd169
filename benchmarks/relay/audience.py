"""Those who listen, and those who speak to them, at as little cost as can be."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from redis.asyncio import Redis

from benchmarks.relay.sockets import Socket
from ludo.store import keys
from ludo.store.feed import delta_message
from tests.relay.scribe import Scribe

# One command for all games, so that publishing costs neither the clients' process nor Redis much.
# Of the mirror only the sequence is written, and what the relay may have to read of the feed.
_GO_ON: Final = """
for i = 1, #KEYS, 2 do
  local seq, channel, head, frame = unpack(ARGV, 2 * i - 1, 2 * i + 2)
  redis.call('HSET', KEYS[i], 'seq', seq)
  redis.call('XADD', KEYS[i + 1], 'MAXLEN', '~', 100, seq .. '-0', 'v', '1', 'f', frame)
  redis.call('PUBLISH', channel, head .. frame)
end
"""


@dataclass
class Audience:
    """All clients of one server, and what came to them."""

    games: Sequence[Scribe]
    sockets: dict[int, Socket] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)
    """Who has to come yet, or again: a busy machine lets newcomers pile up, and be sent away."""
    live: int = 0
    received: int = 0
    wanted: int = 0
    all_came: asyncio.Event = field(default_factory=asyncio.Event)
    published: dict[bytes, float] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)

    def came(self, text: bytes) -> None:
        """A delta; its game and number say which event it is."""
        self.received += 1
        if self.received == self.wanted:
            self.all_came.set()
        if self.published:
            begun = self.published.get(text[:40].split(b'"at"')[0])
            if begun is not None:
                self.delays.append(time.perf_counter() - begun)


class Speaker:
    """Publishes the next event of every game at once."""

    def __init__(self, redis: Redis, games: Sequence[Scribe]) -> None:
        self._games = games
        self._go_on = redis.register_script(_GO_ON)
        self._keys = [key(game.game) for game in games for key in (keys.game, keys.feed)]
        self._channels = [keys.channel(game.game) for game in games]
        self._parts = [_around_the_number(game) for game in games]

    async def sweep(self, audience: Audience) -> None:
        """One event to every game; returns when everybody has it."""
        audience.wanted = audience.received + len(audience.sockets)
        audience.all_came.clear()
        args: list[int | str | bytes] = []
        for game, channel, parts in zip(self._games, self._channels, self._parts, strict=True):
            game.seq += 1
            frame = (b"%d" % game.seq).join(parts)
            args += (game.seq, channel, delta_message(game.epoch, game.seq, b""), frame)
        await self._go_on(self._keys, args)
        async with asyncio.timeout(30):
            await audience.all_came.wait()


def _around_the_number(game: Scribe) -> tuple[bytes, bytes]:
    head, mark, tail = game.delta("game:dice-rolled").partition(b'"seq":')
    return head + mark, tail[len(b"%d" % game.seq) :]
