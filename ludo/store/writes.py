"""Which games were written to through us, so that nobody takes an old mirror for the present.

Each mark holds the mirror's sequence at the time of the write (-1 without a mirror): the write
shows in the mirror once that has moved on.
"""

from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis

from ludo.store import keys

GAME_TTL_S: Final = keys.GAME_TTL_S
CALLER_TTL_S: Final = 30
NO_MIRROR: Final = -1


@dataclass(frozen=True, slots=True)
class Standing:
    """What a local refusal depends on besides the mirror.

    `written_at` is the sequence of the last write through us, None if there was none;
    `divergences` is how often the game broke the rules.
    """

    written_at: int | None
    divergences: int


class Writes:
    """Marks of writes; every call raises redis.exceptions.RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def mark(self, game_id: str, caller: str) -> None:
        """A write of this caller is about to go out."""
        sequence = await self._sequence(game_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(keys.written(game_id), sequence, ex=GAME_TTL_S)
            pipe.set(keys.written_by(caller, game_id), sequence, ex=CALLER_TTL_S)
            await pipe.execute()

    async def forget(self, game_id: str, caller: str) -> None:
        """That write was refused: this caller has nothing to wait for."""
        await self._redis.delete(keys.written_by(caller, game_id))

    async def pending(self, game_id: str, caller: str) -> int | None:
        """The sequence that this caller's next read has to be past; None if any will do.

        It is told once.
        """
        sequence = await self._redis.getdel(keys.written_by(caller, game_id))
        return None if sequence is None else int(sequence)

    async def standing(self, game_id: str) -> Standing:
        """What is known of writes to a game; ask after the mirror was read."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(keys.written(game_id))
            pipe.hget(keys.game(game_id), "divergences")
            written, divergences = await pipe.execute()
        return Standing(None if written is None else int(written), int(divergences or 0))

    async def _sequence(self, game_id: str) -> int:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(keys.game(game_id), "seq")
            (sequence,) = await pipe.execute()
        return NO_MIRROR if sequence is None else int(sequence)
