"""Mirrored games, made as the workers make them."""

from redis.asyncio import Redis

from ludo.mirror.incoming import GameEvent
from ludo.rules.events import Moved, Rolled
from ludo.store.games import GameReader, Stored
from tests.workers.builders import GAME, Bench, a_bench, a_history

HISTORY = a_history()
STATE = f"/v1/games/{GAME}/state"
MOVE = f"/v1/games/{GAME}/move"
ROLL = f"/v1/games/{GAME}/roll"


def upto(kind: type[Rolled] | type[Moved]) -> list[GameEvent]:
    """The history up to and with the first event of this kind."""
    for at, told in enumerate(HISTORY):
        if isinstance(told.event, kind):
            return HISTORY[: at + 1]
    raise AssertionError(f"no {kind.__name__} in this game")


def before_a_move() -> tuple[list[GameEvent], Moved]:
    """The history up to a roll after which a move is due, and that move."""
    for at, told in enumerate(HISTORY):
        if isinstance(told.event, Moved):
            return HISTORY[:at], told.event
    raise AssertionError("no move in this game")


async def mirror(redis: Redis, history: list[GameEvent]) -> Bench:
    """Have a worker apply these events."""
    bench = a_bench(redis)
    await bench.accept(history)
    await bench.applier.apply(GAME)
    return bench


async def stored(redis: Redis) -> Stored:
    """The mirror as it is kept."""
    found = await GameReader(redis).load(GAME)
    assert found is not None
    return found
