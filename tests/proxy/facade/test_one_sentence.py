"""A player whose move is refused and the operator who finds it later read the same sentence."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from ludo.mirror.mirror import Referee
from ludo.mirror.snapshot import Snapshot, Status
from ludo.rules.board import Board, Due
from ludo.rules.events import Moved, Rolled
from ludo.rules.ruleset import RuleSet
from ludo.store import keys
from ludo.upstream.wire import game_event
from tests.proxy.builders import a_proxy, a_token, bearer
from tests.proxy.facade.builders import MOVE
from tests.proxy.upstream import Upstream
from tests.rules.builders import board, game, player_id
from tests.workers.builders import GAME, ROOM, Bench, a_bench

BLOCKS = RuleSet(blocks=True)
SEQUENCE = 40
RED = player_id(0)

YARD_AND_FIVE = board(red=(10,), seats=(0, 1), due=Due.MOVE, dice=5)
YARD_AND_SIX = board(red=(10,), seats=(0, 1), due=Due.MOVE, dice=6, sixes=1)
NEAR_HOME = board(red=(10, 53, 56), seats=(0, 1), due=Due.MOVE, dice=4)
BLOCK_AHEAD = board(red=(14, 20), green=(3, 3), seats=(0, 1), due=Due.MOVE, dice=2)

REFUSED = [
    (NEAR_HOME, "green-0", 4, "R2: green-0 belongs to green, not to red."),
    (NEAR_HOME, "pink-9", 4, "R2: no piece is called 'pink-9'; they are red-0 to yellow-3."),
    (
        YARD_AND_FIVE,
        "red-1",
        0,
        "R6: red-1 leaves the yard only on a 6, to position 0; the roll was 5.",
    ),
    (
        YARD_AND_SIX,
        "red-1",
        6,
        "R6: red-1 leaves the yard only on a 6, to position 0; 6 is not its place.",
    ),
    (NEAR_HOME, "red-0", 15, "R7: red-0 moves from 10 by exactly the 4, to 14 and not to 15."),
    (NEAR_HOME, "red-1", 56, "R7: red-1 is 3 from home, by exact count; the roll was 4."),
    (NEAR_HOME, "red-2", 56, "R7: red-2 is home and does not move."),
    (BLOCK_AHEAD, "red-0", 16, "R8: red-0 cannot reach or pass the block on square 16."),
]


async def a_game_on(redis: Redis, on: Board) -> Bench:
    """A worker to which upstream has told that the game stands like this, after its last roll."""
    bench = a_bench(redis)
    judging = replace(bench.applier.policy, referee=Referee(BLOCKS))
    bench.applier = replace(bench.applier, policy=judging)
    at = "2026-11-21T08:00:00.000Z"
    bench.upstream.answer = Snapshot(GAME, ROOM, Status.PLAYING, (game(on, SEQUENCE),), at)
    assert on.dice is not None
    await bench.accept([game_event(GAME, Rolled(SEQUENCE, RED, on.dice))])
    await bench.applier.apply(GAME)
    await bench.applier.resync(GAME)
    return bench


@pytest.mark.parametrize(
    ("on", "piece", "position", "sentence"), REFUSED, ids=[each[3].rstrip(".") for each in REFUSED]
)
async def test_a_player_and_a_dead_letter_are_told_the_same(
    redis: Redis, redis_url: str, on: Board, piece: str, position: int, sentence: str
) -> None:
    """The facade refuses the move, and a worker the event that tells of it, in the same words."""
    bench, upstream = await a_game_on(redis, on), Upstream()
    wish = {"pieceId": piece, "targetPosition": position, "playerId": RED}
    async with a_proxy(redis_url, upstream, rules=BLOCKS) as proxy:
        answer = await proxy.post(MOVE, json=wish, headers=bearer(a_token(RED)))
    await bench.accept([game_event(GAME, Moved(SEQUENCE + 1, RED, piece, position))])
    await bench.applier.apply(GAME)

    problem = answer.json()
    ((_, letter),) = await redis.xrange(keys.DEAD_LETTERS)
    assert (answer.status_code, problem["type"], upstream.arrived) == (409, "illegal-move", [])
    assert problem["detail"] == letter[b"sentence"].decode() == sentence
    assert problem["clause"] == letter[b"clause"].decode() == sentence.partition(":")[0]
