"""Table talk: what may be said, and how all nodes come to hear it."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store import keys
from ludo.store.feed import talk_message
from ludo.store.quota import Quota
from ludo.store.windows import Spent
from proxy.relay.effects import Speak, Spoken, Unheard
from proxy.relay.frames import SaidFrame, Say, encode
from proxy.relay.limits import Limits

RETRY_AFTER: Final = 1.0


@dataclass(frozen=True, slots=True)
class Objection:
    """Why something may not be said."""

    code: str
    msg: str


def objection(say: Say, limits: Limits, *, subscribed: bool) -> Objection | None:
    """What is wrong with it, if anything."""
    if not limits.table_talk:
        return Objection("forbidden", "table talk is switched off here")
    if not subscribed:
        return Objection("not_found", "not subscribed to this game")
    if len(say.text) > limits.talk:
        found = f"expected at most {limits.talk} characters; found {len(say.text)}"
        return Objection("forbidden", found)
    if say.kind != "typing" and not say.text.strip():
        return Objection("forbidden", "expected something to say; found no text")
    return None


class Talk:
    """Publishes what is said, at each speaker's pace over all nodes; nothing is kept."""

    def __init__(self, redis: Redis, pace: Quota, within: float) -> None:
        self._redis = redis
        self._pace = pace
        self._within = within

    async def run(self) -> None:
        """Give back what was taken ahead of speakers' pace and not used."""
        await self._pace.run()

    async def speak(self, wish: Speak) -> Spoken | Unheard:
        """Has it heard by whoever listens now, on every node."""
        taken = await self._pace.take(f"talk:{wish.speaker}")
        if isinstance(taken, Spent):
            msg = f"expected at most {taken.rate} of table talk"
            return Unheard("rate", msg, float(taken.retry_after))
        say = wish.say
        said = SaidFrame(
            game=say.game,
            kind=say.kind,
            text=say.text,
            at=int(time.time() * 1000),
            sender=wish.sender,
            to=say.to,
        )
        message = talk_message(encode(said).text.encode())
        try:
            async with asyncio.timeout(self._within):
                await self._redis.publish(keys.channel(say.game), message)
        except (RedisError, OSError, TimeoutError):
            return Unheard("unavailable", "the other replicas are out of reach", RETRY_AFTER)
        return Spoken()
